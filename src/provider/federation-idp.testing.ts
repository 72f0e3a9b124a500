import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser } from './browser.testing.ts';
import { createBrowser, readForm } from './browser.testing.ts';
import type { IdpOrder, IdpReport, PersonThere } from './federation-idp-process.testing.ts';

export { clientId, clientSecret, type PersonThere } from './federation-idp-process.testing.ts';

/** A real OpenID provider (oidc-provider) in a process of its own. */
export interface RealIdp {
  issuer: string;
  /** Tells it where our callbacks are, and whether its ID tokens say everything. */
  serve(redirectUris: string[], options?: { claimsInIdToken?: boolean }): Promise<void>;
  /** Who signs in from now on; null: whoever comes goes away again. */
  becomes(person: PersonThere | null): Promise<void>;
  close(): Promise<void>;
}

export async function startRealIdp(): Promise<RealIdp> {
  const program = fileURLToPath(new URL('federation-idp-process.testing.ts', import.meta.url));
  const child = fork(program, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  const [first]: IdpReport[] = await once(child, 'message');
  if (!first) throw new Error('the provider did not start');
  let last = 0;

  async function tell(order: Omit<IdpOrder, 'id'>): Promise<void> {
    last += 1;
    const id = last;
    const done = Promise.withResolvers<void>();
    const listen = (report: IdpReport) => report.id === id && done.resolve();
    child.on('message', listen);
    child.send({ id, ...order } satisfies IdpOrder);
    await done.promise;
    child.off('message', listen);
  }

  return {
    issuer: first.issuer,
    serve: (redirectUris, options) => tell({ redirectUris, ...options }),
    becomes: (person) => tell({ person }),
    async close() {
      const gone = once(child, 'exit');
      child.send({ id: -1, stop: true } satisfies IdpOrder);
      await gone;
    },
  };
}

type Shown = Awaited<ReturnType<Browser['open']>>;

/** Presses the button of a provider on a sign-in page. @returns where the browser is sent */
export async function pressProvider(
  browser: Browser,
  page: Pick<Shown, 'html'>,
  slug: string,
  headers: Record<string, string> = {},
): Promise<Shown> {
  const { action, fields } = readForm(page.html);
  return browser.submit(action, [...fields, ['provider', slug]], headers);
}

/** Goes to the provider, signs in there, and stops before the callback. @returns its address */
export async function signInThere(
  to: string,
  there = createBrowser(new URL(to).origin),
): Promise<string> {
  return (await there.open(to)).url;
}

/** The whole way from a sign-in page through the provider and back. */
export async function signInElsewhere(
  browser: Browser,
  page: Pick<Shown, 'html'>,
  slug: string,
  there?: Browser,
): Promise<Shown> {
  const left = await pressProvider(browser, page, slug);
  return browser.open(await signInThere(left.url, there));
}
