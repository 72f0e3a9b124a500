import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { cookieNames, cookieOptions } from './cookies.ts';
import type { ProviderDeps } from './deps.ts';

/** Who is signed in in this browser. */
export interface BrowserSession {
  uid: string;
  userId: string;
}

/** Reads the sign-in session of the browser; undefined when nobody is signed in. */
export async function readSession(
  provider: Provider,
  ctx: Context,
): Promise<BrowserSession | undefined> {
  const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
  return session.accountId && session.uid
    ? { uid: session.uid, userId: session.accountId }
    : undefined;
}

/**
 * Starts a session under a new id; the one that the browser had ends (session fixation). For the same
 * person it keeps the uid, so that pages open in other tabs stay theirs.
 */
export async function startSession(
  { accounts, config, now }: ProviderDeps,
  provider: Provider,
  ctx: Context,
  userId: string,
): Promise<void> {
  const previous = await readSession(provider, ctx);
  if (previous) await accounts.sessions.endByUid(previous.uid);
  const session = new provider.Session();
  if (previous?.userId === userId) session.uid = previous.uid;
  session.loginAccount({ accountId: userId, loginTs: Math.floor(now().getTime() / 1000) });
  await session.save(config.session.max_age);
  setSessionCookie(config, provider, ctx, session.jti, config.session.max_age);
}

/** Ends the browser's session on every replica. */
export async function endSession(
  { accounts, config }: ProviderDeps,
  provider: Provider,
  ctx: Context,
): Promise<BrowserSession | undefined> {
  const session = await readSession(provider, ctx);
  if (session) await accounts.sessions.endByUid(session.uid);
  setSessionCookie(config, provider, ctx, null, 0);
  return session;
}

function setSessionCookie(
  config: ProviderDeps['config'],
  provider: Provider,
  ctx: Context,
  value: string | null,
  maxAge: number,
): void {
  const https = config.server.issuer.startsWith('https:');
  const { cookies } = provider.createContext(ctx.req, ctx.res);
  cookies.set(cookieNames(https).session, value, {
    ...cookieOptions(https),
    maxAge: maxAge * 1000,
  });
}
