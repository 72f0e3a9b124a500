import type { Context } from 'koa';
import type { User } from '../accounts/index.ts';
import type { IssuedToken } from '../tokens/index.ts';
import { issuerOf } from './authorize.ts';
import { callLibrary } from './bridge.ts';
import { readSession } from './browser-session.ts';
import type { ProviderDeps } from './deps.ts';
import { noteUse } from './personal-token-use.ts';
import { findPresented } from './presented.ts';
import type { LiveProvider } from './provider.ts';
import type { ClientAnswer } from './request-state.ts';
import { signInUrl } from './return-to.ts';
import { seeOther } from './see-other.ts';

/** What the workspace API needs of this room; it is on the same level, so it is handed over in public-app.ts. */
export function createApiBridge(deps: ProviderDeps, live: LiveProvider) {
  return {
    /** See {@link findPresented}. */
    findPresented: (token: string): Promise<IssuedToken | undefined> => findPresented(deps, token),

    /** See {@link noteUse}. */
    noteUse(issued: IssuedToken): void {
      noteUse(deps, issued);
    },

    /** Who is signed in in this browser, if their account is active. */
    async signedIn(ctx: Context): Promise<User | undefined> {
      const session = await readSession(live.current, ctx);
      const user = session && (await deps.accounts.find(session.userId));
      return user?.status === 'active' ? user : undefined;
    },

    /** The same with the session, for what is finished in the session in which it was begun. */
    async signedInSession(ctx: Context): Promise<{ user: User; sessionUid: string } | undefined> {
      const session = await readSession(live.current, ctx);
      const user = session && (await deps.accounts.find(session.userId));
      const isActive = session && user?.status === 'active';
      return isActive ? { user, sessionUid: session.uid } : undefined;
    },

    /** Sends the browser to sign in, by password or elsewhere, and back to a page of ours. */
    askToSignIn(ctx: Context, returnTo: string): void {
      seeOther(ctx, signInUrl(deps.base, returnTo));
    },

    /**
     * Answers a client that authenticates as at introspection (RFC 7662 §2.1): the library does that, with a
     * question about no token. A refusal, that of a public client too, is answered as there.
     *
     * @param sent parameters of the body, of which only those of the authentication count
     */
    async answerClient(
      ctx: Context,
      sent: Readonly<Record<string, string>>,
      answer: ClientAnswer,
    ): Promise<void> {
      const { client_id, client_secret, client_assertion, client_assertion_type } = sent;
      const form = { client_id, client_secret, client_assertion, client_assertion_type };
      const handle = crypto.randomUUID();
      const presented = { handle, issued: undefined, payload: undefined };
      const state = { form, presented, answerClient: answer };
      const target = { handle: live.handle, ...issuerOf(deps) };
      await callLibrary(ctx, target, '/oauth/introspect', { ...form, token: handle }, state);
    },
  };
}
