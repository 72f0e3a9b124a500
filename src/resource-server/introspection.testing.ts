import { type ProtectMcpOptions, protectMcp, testIssuer } from './index.ts';
import { resource } from './requests.testing.ts';

/** One question that the kit asked. */
export type Asked = {
  url: string;
  headers: Headers;
  form: URLSearchParams;
  redirect: unknown;
};

/**
 * A test issuer whose introspection is watched and can be replaced.
 * `reply` answers in its place; `time` moves the clock of kit and issuer.
 */
export async function watchedIssuer() {
  const clock = { now: new Date('2026-11-21T12:00:00Z') };
  const local = await testIssuer({
    resource,
    scopes: ['read', 'write'],
    clock: () => clock.now,
  });
  const asked: Asked[] = [];
  const errors: unknown[] = [];
  const state: { reply: ((token: string) => Response | Promise<Response>) | undefined } = {
    reply: undefined,
  };

  const watched: typeof fetch = async (input, init = {}) => {
    const url = String(input);
    if (!url.endsWith('/oauth/introspect')) return local.options.fetch?.(input, init) ?? fail(url);
    const form = new URLSearchParams(String(init.body));
    asked.push({ url, headers: new Headers(init.headers), form, redirect: init.redirect });
    const reply = state.reply?.(form.get('token') ?? '');
    return reply ?? local.options.fetch?.(input, init) ?? fail(url);
  };

  return {
    local,
    asked,
    errors,
    state,
    advance: (seconds: number) => {
      clock.now = new Date(clock.now.getTime() + seconds * 1000);
    },
    now: () => clock.now,
    kit: (options: Partial<ProtectMcpOptions> = {}) =>
      protectMcp({
        ...local.options,
        fetch: watched,
        clock: () => clock.now,
        onError: (error) => errors.push(error),
        toolScopes: { look: 'read', change: 'write' },
        ...options,
      }),
  };
}

export type Watched = Awaited<ReturnType<typeof watchedIssuer>>;

const fail = (url: string): never => {
  throw new Error(`no answer at ${url}`);
};
