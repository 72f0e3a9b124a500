import type { Context } from 'koa';
import type { User } from '../accounts/index.ts';
import { markBrowser } from '../http/index.ts';
import type { ConnectingBrowser } from '../upstream/index.ts';
import type { ProviderBridge } from './deps.ts';

/** Cookie of browsers that are on their way to another authorization server. */
export const connectCookie = 'authserver_connect';
/** Seconds; as long as the state of what was begun, and some more. */
const cookieLife = 900;

/** Who is signed in here, and the browser: what it begins, no other browser and no other session finishes. */
export async function signedInBrowser(
  ctx: Context,
  bridge: Pick<ProviderBridge, 'signedInSession'>,
): Promise<{ user: User; browser: ConnectingBrowser } | undefined> {
  const signedIn = await bridge.signedInSession(ctx);
  if (!signedIn) return undefined;
  const { user, sessionUid } = signedIn;
  return { user, browser: { mark: markBrowser(ctx, connectCookie, cookieLife), sessionUid } };
}
