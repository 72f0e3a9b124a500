import type { Context } from 'koa';
import type { Accounts } from '../accounts/index.ts';
import type { AuditMeta } from '../audit/index.ts';
import { isLoopbackHost } from '../config/index.ts';
import { currentRequest } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Authenticate, Caller } from './caller.ts';
import { comparison } from './comparison.ts';
import { systemUserHeader } from './local-key.ts';
import type { AdminSessionCookies } from './session-cookies.ts';

export interface AuthenticateDeps {
  sessions: Pick<AdminSessionCookies, 'read' | 'check'>;
  apiKeys: Pick<ApiKeys, 'use'>;
  accounts: { guesses: Pick<Accounts['guesses'], 'begin' | 'blocked'> };
  auditMeta: () => AuditMeta;
}

export interface ConfiguredKeys {
  /** `admin.api_key` */
  apiKey?: string | undefined;
  /** The key in the data directory of this process. */
  localKey?: string | undefined;
}

/**
 * Takes a Bearer key where one is sent, else the cookie of a session; a wrong key is not made up for by a
 * cookie. Keys that we made cannot be guessed; `admin.api_key` was chosen by somebody, so an address that
 * has sent many wrong ones is not listened to for a while.
 */
export function createAuthenticate(deps: AuthenticateDeps, keys: ConfiguredKeys): Authenticate {
  const bootstrap = comparison(keys.apiKey);
  const local = comparison(keys.localKey);

  async function byKey(ctx: Context, key: string): Promise<Caller> {
    if (isFromHere(ctx) && local(key)) {
      return { kind: 'local_key', actor: { kind: 'cli', id: systemUser(ctx) }, role: 'owner' };
    }
    const known = await deps.apiKeys.use(key, currentRequest().ip);
    if (known) {
      return { kind: 'api_key', actor: { kind: 'admin', id: known.id }, role: known.role };
    }
    const guess = { what: 'api_key', userId: undefined, meta: deps.auditMeta() } as const;
    const wait = await deps.accounts.guesses.blocked(guess);
    if (wait !== undefined) throw tooManyGuesses(wait);
    if (bootstrap(key)) {
      return { kind: 'admin_key', actor: { kind: 'admin', id: 'api_key' }, role: 'owner' };
    }
    const counted = await deps.accounts.guesses.begin(guess);
    if (!counted.ok) throw tooManyGuesses(counted.retryAfter);
    await counted.wrong();
    throw refused();
  }

  async function byCookie(ctx: Context): Promise<Caller> {
    const signedIn = await deps.sessions.read(ctx);
    if (!signedIn) throw refused();
    deps.sessions.check(ctx, signedIn, ctx.get('x-csrf-token'));
    const { role, workspaceIds, ...rest } = signedIn;
    const actor = { kind: 'user', id: rest.session.user.id } as const;
    return { kind: 'session', actor, role, ...(workspaceIds && { workspaceIds }), signedIn: rest };
  }

  return (ctx) => {
    const authorization = ctx.get('authorization');
    if (authorization === '') return byCookie(ctx);
    const [, key] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
    if (key === undefined) throw refused();
    return byKey(ctx, key);
  };
}

/** Who sits at the command line, which only the holder of the key in the data directory may say. */
function systemUser(ctx: Context): string {
  try {
    const name = decodeURIComponent(ctx.get(systemUserHeader));
    return /^[^\p{Cc}]{1,100}$/u.test(name) ? name : 'local_key';
  } catch {
    return 'local_key';
  }
}

/** The key in the data directory is for programs on this computer, whoever else may have read it. */
function isFromHere({ req }: Context): boolean {
  return [req.socket.remoteAddress ?? '', currentRequest().ip].every((address) => {
    const plain = address.replace(/^::ffff:/i, '');
    return isLoopbackHost(plain.includes(':') ? `[${plain}]` : plain);
  });
}

function refused(): OAuthError {
  return new OAuthError(
    'invalid_token',
    'Sign in at /admin/sign-in, or send an API key or the key of admin.api_key as Authorization: Bearer',
  );
}

function tooManyGuesses(seconds: number): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    `Too many wrong keys came from this address. Wait ${seconds} s and try again.`,
    { status: 429, headers: { 'Retry-After': String(seconds) } },
  );
}
