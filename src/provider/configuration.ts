import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { clientAssertionAlgorithms } from '../clients/index.ts';
import { refreshLifetime } from '../tokens/index.ts';
import { createAdapterFactory } from './adapter.ts';
import { dpopAlgorithms } from './algorithms.ts';
import { checkClientAssertion } from './client-assertion.ts';
import { cookieNames, cookieOptions } from './cookies.ts';
import type { ProviderDeps } from './deps.ts';
import { deviceCodeLifetime, userCodeShape } from './device-codes.ts';
import { deviceHooks } from './device-pages.ts';
import { inLibraryWords } from './errors.ts';
import { interactionLifetime } from './interaction.ts';
import { mayIntrospect, mayRevoke } from './introspection.ts';
import { extraParams, interactionPath, interactionPolicy } from './prompts.ts';
import { loadAuthorizedGrant } from './remembered-consent.ts';
import { stateOf } from './request-state.ts';
import { defaultResourceFor, resourceServerFor } from './resource-indicators.ts';
import { extraClaims } from './token-claims.ts';

/** The options of the library: every hook is one line that calls a room. */
export function providerConfiguration(deps: ProviderDeps): Configuration {
  const { config, keys, secrets } = deps;
  const https = config.server.issuer.startsWith('https:');
  return {
    adapter: createAdapterFactory(deps),
    jwks: keys.providerJwks(),
    clientDefaults: {
      id_token_signed_response_alg: keys.current().alg,
      grant_types: ['authorization_code', 'refresh_token'],
    },
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'] },
    subjectTypes: ['public'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: [...clientAssertionAlgorithms],
      dPoPSigningAlgValues: [...dpopAlgorithms],
      idTokenSigningAlgValues: [keys.current().alg],
    },
    pkce: { required: () => true },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      introspection: '/oauth/introspect',
      revocation: '/oauth/revoke',
      pushed_authorization_request: '/oauth/par',
      device_authorization: '/oauth/device_authorization',
      code_verification: '/device',
      jwks: '/.well-known/jwks.json',
    },
    cookies: {
      keys: [secrets.cookies],
      names: cookieNames(https),
      long: cookieOptions(https),
      short: cookieOptions(https),
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      claimsParameter: { enabled: false },
      clientCredentials: { enabled: config.client_credentials.enabled },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => mayIntrospect(deps, client, token),
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => mayRevoke(deps, client, token),
      },
      deviceFlow: {
        enabled: config.device.enabled,
        ...userCodeShape,
        deviceInfo: () => ({}),
        ...deviceHooks(deps),
      },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: false,
        allowUnregisteredRedirectUris: false,
      },
      dPoP: {
        enabled: config.dpop.enabled,
        nonceSecret: secrets.dpopNonce,
        requireNonce: () => config.dpop.require_nonce,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client, oneOf) =>
          inLibraryWords(() => defaultResourceFor(deps, ctx, client, oneOf)),
        getResourceServerInfo: (ctx, uri, client) =>
          inLibraryWords(() => resourceServerFor(deps, ctx, uri, client)),
        useGrantedResource: () => true,
      },
    },
    extraParams,
    interactions: {
      policy: interactionPolicy(),
      url: (_ctx, interaction) => interactionPath(deps, interaction),
    },
    extraTokenClaims: (ctx, token) => extraClaims(deps, ctx, token),
    loadExistingGrant: (ctx) => loadAuthorizedGrant(deps, ctx),
    findAccount: (ctx, id) => findAccount(deps, ctx, id),
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: (ctx) => stateOf(ctx).token?.mode !== 'overlap',
    expiresWithSession: () => false,
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    clientBasedCORS: () => true, // our own CORS headers are set before the library sees the request
    clockTolerance: 5,
    assertJwtClientAuthClaimsAndHeader: (ctx, claims) =>
      checkClientAssertion(claims, ctx.oidc.clientJwtAuthExpectedAudience(), deps.now()),
    // explainErrors renders whatever has a body like this, once, in words for its reader
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    ttl: {
      AccessToken: (_ctx, token) =>
        token.resourceServer?.accessTokenTTL ?? config.tokens.access_ttl,
      ClientCredentials: (_ctx, token) =>
        token.resourceServer?.accessTokenTTL ?? config.tokens.machine_ttl,
      AuthorizationCode: config.oauth.code_ttl,
      DeviceCode: deviceCodeLifetime,
      RefreshToken: (_ctx, token) =>
        refreshLifetime(config.tokens, token.iiat ?? seconds(deps.now()), seconds(deps.now())),
      Grant: config.tokens.refresh_absolute_ttl,
      Interaction: interactionLifetime,
      Session: config.session.max_age,
      IdToken: 1, // never issued: we are no OpenID provider
    },
  };
}

/** An account that may act: prefetched on the token path, read otherwise. */
async function findAccount({ accounts }: ProviderDeps, ctx: KoaContextWithOIDC, id: string) {
  const source = stateOf(ctx).token?.source;
  const active =
    source?.userId === id ? source.accountActive : (await accounts.find(id))?.status === 'active';
  return active ? { accountId: id, claims: () => ({ sub: id }) } : undefined;
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
