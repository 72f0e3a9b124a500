import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  type Federation,
  type IdentityProviders,
  type ProviderFailure,
  ProviderSignInError,
  providerProblemPage,
  providerProblemStatus,
  reasonsOf,
  recordAdminRefusal,
} from '../accounts/index.ts';
import type { AuditMeta, Metrics } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import {
  browserMark,
  currentRequest,
  html,
  markBrowser,
  readQuery,
  sendPage,
} from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { returnTo } from './policy.ts';
import type { StartAdminSession } from './session-cookies.ts';
import { type SignInElsewhere, signInPath } from './sign-in.ts';

/** Binds a sign-in elsewhere to the browser; not the public listener's, which may be on the same host. */
const cookie = 'authserver_admin_sign_in';
const cookieLife = 10 * 60;

export interface SignInElsewhereDeps {
  db: Database;
  identityProviders: Pick<IdentityProviders, 'buttons' | 'all'>;
  federation: Pick<Federation, 'begin' | 'handover' | 'recordFailure'>;
  metrics: Pick<Metrics, 'signIn'>;
  auditMeta: () => AuditMeta;
  /** `session.local_sign_in` */
  localSignIn: boolean;
  /** `admin.external_url` */
  externalUrl?: string | undefined;
}

/**
 * Sign-in to the administration at an identity provider. The provider knows one callback only, on the public
 * listener; from there a link for one use leads back here, to the browser that set out.
 */
export function createSignInElsewhere(
  deps: SignInElsewhereDeps,
): SignInElsewhere & { mount: (router: Router, start: StartAdminSession) => void } {
  const { federation, identityProviders, auditMeta, metrics } = deps;

  function sendProblem(ctx: Context, failure: ProviderFailure, provider?: string): void {
    const { traceId, log } = currentRequest();
    log.warn({ failure, provider }, 'a sign-in to the administration failed');
    const chosen = identityProviders.all().find(({ slug }) => slug === provider);
    const page = providerProblemPage({
      ...{ failure, traceId, providerName: chosen?.display_name },
      backUrl: signInPath,
    });
    if (failure === 'unreachable') ctx.set('Retry-After', '30');
    sendPage(ctx, page, { status: providerProblemStatus(failure) });
  }

  return {
    providers: () =>
      identityProviders.buttons().map(({ slug, name }) => ({ slug, displayName: name })),
    local: deps.localSignIn,

    async begin(ctx, { slug, returnTo: to }) {
      refuseOtherNames(deps.externalUrl);
      const browser = markBrowser(ctx, cookie, cookieLife);
      const beganAt = { purpose: 'admin', origin: currentRequest().site.origin } as const;
      try {
        const url = await federation.begin({ slug, browser, beganAt, returnTo: to });
        ctx.status = 303;
        ctx.set('Cache-Control', 'no-store');
        ctx.redirect(url);
        ctx.body = '';
      } catch (error) {
        if (!(error instanceof ProviderSignInError)) throw error;
        const { failure, provider } = error;
        currentRequest().log.warn({ reasons: reasonsOf(error.cause) }, 'the reasons');
        await federation.recordFailure(error, auditMeta());
        metrics.signIn('invalid');
        sendProblem(ctx, failure, provider);
      }
    },

    mount(router, start) {
      router.get(`${signInPath}/complete`, async (ctx) => {
        ctx.set('Referrer-Policy', 'no-referrer');
        const { token, return_to: asked } = readQuery(ctx);
        const browser = browserMark(ctx, cookie);
        const isWhole = browser !== undefined && typeof token === 'string';
        const taken = isWhole ? await federation.handover.take({ token, browser }) : undefined;
        if (!taken) return sendProblem(ctx, browser === undefined ? 'browser' : 'state');
        if (!(await start(ctx, taken))) {
          await recordAdminRefusal(deps.db.kysely, taken, auditMeta());
          return sendProblem(ctx, 'no_role', taken.provider);
        }
        sendSignedIn(ctx, returnTo(typeof asked === 'string' ? asked : undefined));
      });
    },
  };
}

/**
 * Attack: somebody begins under a `Host` such as `localhost:31337` and has an owner finish it: the owner's
 * browser would take the link for this listener to whatever listens there on the owner's computer.
 *
 * @throws OAuthError access_denied, 403
 */
function refuseOtherNames(externalUrl: string | undefined): void {
  if (externalUrl === undefined) return;
  const { origin } = new URL(externalUrl);
  if (currentRequest().site.origin === origin) return;
  const where = `${origin}${signInPath}`;
  throw new OAuthError('access_denied', `Open ${where} to sign in at an identity provider.`, {
    status: 403,
  });
}

/**
 * The session's cookie is SameSite=Strict: after redirects that began at the provider the browser would not
 * send it. Going on from a page of ours it does.
 */
function sendSignedIn(ctx: Context, to: string): void {
  const body = html`<section>
<h1>You are signed in</h1>
<p class="sub">The administration opens by itself.</p>
</section>
<div class="actions"><a class="button primary" href="${to}">Go on</a></div>`;
  sendPage(ctx, { title: 'You are signed in', body });
  ctx.set('Refresh', `0; url=${to}`);
}
