import type { Middleware } from 'koa';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import { applyOurClientRules } from './client-properties.ts';
import { providerConfiguration } from './configuration.ts';
import { nameCookiesByInteraction } from './cookies.ts';
import type { ProviderDeps } from './deps.ts';
import { limitPolls, sayInterval } from './device-polls.ts';
import { limitProofs } from './dpop.ts';
import { explainErrors, rememberErrors } from './explain-errors.ts';
import { rememberPages } from './flow-authorize.ts';
import { reportFlows } from './flow-reports.ts';
import { registerOurGrants } from './grants.ts';
import { nextDpopNonce, removeFormPost } from './internals.ts';
import {
  answerForOthers,
  keepNamesFrom,
  refusePublicIntrospection,
  signAnswers,
} from './introspection.ts';
import { recordIssuances } from './issuance.ts';
import { mintOurOpaqueTokens } from './opaque-access-tokens.ts';
import { noteIntrospectedUse } from './personal-token-use.ts';
import { guardRedirects } from './redirect-guard.ts';
import { tokenEndpoint } from './token-endpoint.ts';

type Step = Middleware<object, KoaContextWithOIDC>;

/** The library, configured and wrapped; a new one is built when the signing keys change. */
export function buildProvider(deps: ProviderDeps): Provider {
  const { issuer } = deps.config.server;
  const provider = new Provider(issuer, providerConfiguration(deps));
  provider.proxy = true; // the bridge says which scheme the issuer has; no client header gets here
  nameCookiesByInteraction(provider, issuer.startsWith('https:'));
  applyOurClientRules(provider);
  removeFormPost(provider);
  mintOurOpaqueTokens(provider, deps.resources);
  registerOurGrants(provider, deps);
  recordIssuances(provider);
  rememberErrors(provider);
  rememberPages(provider);
  provider.use(reportFlows(deps));
  provider.use(explainErrors(deps));
  if (deps.config.dpop.enabled) {
    const limits = limitProofs({
      lifetime: deps.config.dpop.proof_lifetime,
      now: deps.now,
      nextNonce: () => nextDpopNonce(provider),
    });
    for (const path of ['/oauth/token', '/oauth/par']) provider.use(at(path, limits));
  }
  provider.use(
    at(
      '/oauth/token',
      tokenEndpoint({
        ...deps,
        exchange: deps.tokens.exchange,
        overlap: deps.config.oauth.refresh_overlap,
      }),
    ),
  );
  provider.use(at('/oauth/token', limitPolls(deps)));
  provider.use(at('/oauth/device_authorization', sayInterval));
  provider.use(at('/oauth/introspect', answerForOthers));
  provider.use(at('/oauth/introspect', signAnswers(deps)));
  provider.use(at('/oauth/introspect', keepNamesFrom(deps)));
  provider.use(at('/oauth/introspect', refusePublicIntrospection));
  provider.use(at('/oauth/introspect', noteIntrospectedUse(deps)));
  provider.use(at('/oauth/authorize', guardRedirects(deps)));
  return provider;
}

function at(path: string, step: Step): Step {
  return (ctx, next) => (ctx.path === path ? step(ctx, next) : next());
}

/** The current provider; requests under way finish on the one they started with. */
export interface LiveProvider {
  readonly current: Provider;
  /** Its request handler, composed once. */
  readonly handle: ReturnType<Provider['callback']>;
}

/** Swaps in a rebuilt provider whenever the published keys or the signer change. */
export function createLiveProvider(deps: ProviderDeps): LiveProvider {
  let current = build(deps);
  deps.keys.onChange(() => {
    current = build(deps);
  });
  return {
    get current() {
      return current.provider;
    },
    get handle() {
      return current.handle;
    },
  };
}

function build(deps: ProviderDeps) {
  const provider = buildProvider(deps);
  return { provider, handle: provider.callback() };
}
