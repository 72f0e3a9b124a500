import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { OAuthError } from '../oauth/index.ts';
import { type BrowserSession, readSession } from './browser-session.ts';
import { userCodeParameter } from './prompts.ts';

/** Seconds that a person has to sign in and to approve. */
export const interactionLifetime = 30 * 60;

/** Stands for the redirect URI of a device, which has none; no client can register it. */
const deviceDestination = 'device:/';

/** One question to a person in the middle of an authorization, and who is signed in in that browser. */
export interface Interaction {
  provider: Provider;
  stored: Awaited<ReturnType<Provider['interactionDetails']>>;
  uid: string;
  params: { clientId: string; redirectUri: string; resource: string; scope: string };
  session: BrowserSession | undefined;
  /** The device that gets the access, by the code that it shows (RFC 8628). */
  device: { userCode: string } | undefined;
  /** Who the client thinks will sign in. */
  loginHint: string | undefined;
}

/**
 * Loads the interaction of this page, or of another one of ours (`page`: its path). It is bound to the browser by its signed cookie, and to the
 * account that was signed in when it began, so nobody can finish somebody else's.
 *
 * @throws OAuthError invalid_request with what to do when it is over or belongs to another browser
 */
export async function loadInteraction(
  provider: Provider,
  ctx: Context,
  page?: string,
): Promise<Interaction> {
  const stored = await details(provider, ctx, page);
  const session = await readSession(provider, ctx);
  const { params } = stored;
  return {
    provider,
    stored,
    uid: stored.uid,
    session,
    device: stored.deviceCode ? { userCode: String(params[userCodeParameter]) } : undefined,
    loginHint: typeof params.login_hint === 'string' ? params.login_hint : undefined,
    params: {
      clientId: String(params.client_id),
      redirectUri: stored.deviceCode ? deviceDestination : String(params.redirect_uri),
      resource: String(params.resource),
      scope: String(params.scope ?? ''),
    },
  };
}

async function details(provider: Provider, ctx: Context, page: string | undefined) {
  // The cookie of an interaction is found by the path of its page; see cookies.ts.
  const req: typeof ctx.req = page ? Object.create(ctx.req, { url: { value: page } }) : ctx.req;
  try {
    return await provider.interactionDetails(req, ctx.res);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    throw interactionIsOver(error);
  }
}

/**
 * Holds an interaction to the way that it began. Attack: a device's consent, opened as that of a redirect,
 * would be asked for without the device's code and its warning.
 *
 * @throws OAuthError invalid_request; one that is not there is left to the library
 */
export async function requireInteraction(
  provider: Provider,
  uid: string,
  { device }: { device: boolean },
): Promise<void> {
  const found = await provider.Interaction.find(uid);
  if (found && (found.deviceCode !== undefined) !== device) throw interactionIsOver();
}

/** A page of an authorization that is over, or that another browser began. */
export function interactionIsOver(cause?: unknown): OAuthError {
  return new OAuthError(
    'invalid_request',
    'This sign-in has expired, was finished already, or was begun in another browser. ' +
      'Go back to the app and start again. If this happens every time, this browser does not keep ' +
      'cookies for this site, or a proxy in front of the server does not pass them on.',
    { cause },
  );
}

/** What a person's page came to. */
export type InteractionAnswer =
  | { person: string; consent?: { grantId: string } }
  | { error: string; error_description: string };

/**
 * Stores the answer and sends the browser on to the authorization. Only `person` can go on there, but
 * under any session of theirs: with parallel tabs the browser may have got another one by then.
 */
export async function finishInteraction(
  ctx: Context,
  { stored }: Interaction,
  answer: InteractionAnswer,
): Promise<void> {
  stored.result = answer;
  stored.session = undefined; // the library would insist on the very session that began it
  await stored.persist();
  ctx.status = 303;
  ctx.redirect(stored.returnTo);
  ctx.body = '';
}

/** Refuses somebody who is not, or no longer, the person whom the page is for. */
export function otherPerson(): OAuthError {
  return new OAuthError(
    'access_denied',
    'This page belongs to somebody else, or you have signed out. Go back to the app and start again.',
    { status: 403 },
  );
}
