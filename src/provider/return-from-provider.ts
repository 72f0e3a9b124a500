import type { Context } from 'koa';
import { ProviderSignInError, type Returned } from '../accounts/index.ts';
import { browserMark } from '../http/index.ts';
import { startSession } from './browser-session.ts';
import type { ProviderDeps } from './deps.ts';
import { loadInteraction } from './interaction.ts';
import { signInCookie } from './leave-for-provider.ts';
import type { LiveProvider } from './provider.ts';
import { sendProviderProblem } from './provider-problem.ts';
import { ownPage } from './return-to.ts';
import { seeOther } from './see-other.ts';
import { continueAs } from './sign-in.ts';

/** `GET /login/callback/{slug}`: the way back from an identity provider, one address for each. */
export function returnFromProvider(deps: ProviderDeps, live: LiveProvider) {
  const { base, federation, auditMeta, metrics } = deps;

  /** Each way back is checked before the code is redeemed, so that nobody signs in for nothing. */
  async function goOn(ctx: Context, returned: Returned): Promise<void> {
    switch (returned.beganAt.purpose) {
      case 'login': {
        const uid = returned.beganAt.interactionUid ?? '';
        const interaction = await loadInteraction(live.current, ctx, `${base}/login/${uid}`);
        const { id } = await returned.redeem(auditMeta());
        return continueAs(deps, ctx, interaction, id);
      }
      case 'account': {
        const { id } = await returned.redeem(auditMeta());
        await startSession(deps, live.current, ctx, id);
        return seeOther(ctx, ownPage(base, returned.returnTo) ?? `${base}/account`);
      }
      case 'admin': {
        const { id: userId } = await returned.redeem(auditMeta());
        const { browserHash, provider } = returned;
        const handover = { userId, provider: provider.slug, browserHash };
        const token = await federation.handover.give(handover);
        const { origin = '' } = returned.beganAt;
        const query = new URLSearchParams({ token, return_to: returned.returnTo ?? '' });
        return seeOther(ctx, `${origin}/admin/sign-in/complete?${query}`);
      }
    }
  }

  return async (ctx: Context): Promise<void> => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Referrer-Policy', 'no-referrer'); // the address has a code in it
    try {
      const states = new URLSearchParams(ctx.search).getAll('state');
      const returned = await federation.accept({
        slug: String(ctx.params.slug),
        state: states.length === 1 ? states[0] : undefined,
        query: ctx.search,
        browser: browserMark(ctx, signInCookie),
      });
      await goOn(ctx, returned);
      metrics.signIn('succeeded');
    } catch (error) {
      if (!(error instanceof ProviderSignInError)) throw error;
      await sendProviderProblem(deps, ctx, error);
    }
  };
}
