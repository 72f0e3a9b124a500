import type { Context } from 'koa';
import { type BeganAt, ProviderSignInError } from '../accounts/index.ts';
import { markBrowser } from '../http/index.ts';
import type { ProviderDeps } from './deps.ts';
import { sendProviderProblem } from './provider-problem.ts';
import { seeOther } from './see-other.ts';

/** Cookie that binds a sign-in elsewhere to the browser; one for all its tabs. */
export const signInCookie = 'authserver_sign_in';
/** Seconds; no longer than the sign-in itself is waited for. */
const cookieLife = 10 * 60;

interface Departure {
  slug: string;
  beganAt: BeganAt;
  again?: boolean;
  /** A page of ours to go on to afterwards. */
  returnTo?: string | undefined;
}

/** Sends the browser to an identity provider. The form that asked for it has been checked. */
export async function leaveForProvider(
  deps: ProviderDeps,
  ctx: Context,
  { slug, beganAt, again, returnTo }: Departure,
): Promise<void> {
  const browser = markBrowser(ctx, signInCookie, cookieLife);
  try {
    const began = {
      ...{ slug, browser, beganAt },
      ...(again !== undefined && { again }),
      ...(returnTo !== undefined && { returnTo }),
    };
    seeOther(ctx, await deps.federation.begin(began));
  } catch (error) {
    if (!(error instanceof ProviderSignInError)) throw error;
    await sendProviderProblem(deps, ctx, error);
  }
}
