import * as openid from 'openid-client';
import { isLoopbackUrl } from '../config/index.ts';
import { createGuardedCache, GuardedFetchError, type GuardedRequest } from '../http/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { isComplete, type ProviderClaims } from './federation-policy.ts';
import type { IdentityProvider } from './identity-provider-row.ts';
import { openSecret } from './identity-providers-secrets.ts';

/** Seconds that the library waits; the way out gives up earlier. */
const timeout = 30;

/** What a sign-in under way is held to. */
export interface SignInChecks {
  state: string;
  nonce: string;
  codeVerifier: string;
}

export interface ProviderClientDeps {
  request: GuardedRequest;
  box: SecretBox;
  now: () => Date;
  /** An enabled provider. */
  find: (slug: string) => IdentityProvider | undefined;
  /** Our redirect URI at a provider: each has its own, so that nobody mixes them up (RFC 9700 §4.4.2.2). */
  callbackOf: (slug: string) => string;
}

export type ProviderClient = ReturnType<typeof createProviderClient>;

/** We as the relying party (OpenID Connect Core, RFC 9700): authorization code, PKCE, nonce, state. */
export function createProviderClient(deps: ProviderClientDeps) {
  const { now, find, callbackOf } = deps;
  const known = createGuardedCache({
    now,
    async load(key) {
      const [slug = ''] = key.split(' ');
      const provider = find(slug);
      if (!provider) throw new GuardedFetchError({ kind: 'document', problem: 'disabled' });
      return discover(provider, deps).catch((cause: unknown) => {
        throw rootOf(cause);
      });
    },
  });
  // A changed row is another one: nothing of the old one is used.
  const configurationOf = ({ slug, updatedAt }: IdentityProvider) =>
    known(`${slug} ${updatedAt.getTime()}`, () => true);

  return {
    /**
     * Where to send the browser.
     *
     * @throws GuardedFetchError when the provider cannot be asked, or its metadata is not good enough
     */
    async authorizationUrl(
      provider: IdentityProvider,
      { state, nonce, codeVerifier }: SignInChecks,
      { again }: { again: boolean },
    ): Promise<string> {
      const configuration = await configurationOf(provider);
      const url = openid.buildAuthorizationUrl(configuration, {
        redirect_uri: callbackOf(provider.slug),
        scope: [...new Set(['openid', ...provider.scopes])].join(' '),
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...{ state, nonce },
        ...(again && { prompt: 'login' }),
      });
      return url.href;
    },

    /**
     * Redeems the answer that the browser brought: `state` and `iss` of the response (RFC 9207), the code,
     * and issuer, audience, nonce, times and signature of the ID token.
     *
     * @param query of the callback, as it came
     * @returns verified claims; of userinfo too where the ID token does not say enough
     * @throws whatever the library or the way out says; see `reasonOf`
     */
    async redeem(
      provider: IdentityProvider,
      query: string,
      { state, nonce, codeVerifier }: SignInChecks,
    ): Promise<{ subject: string; claims: ProviderClaims }> {
      const configuration = await configurationOf(provider);
      const url = new URL(callbackOf(provider.slug));
      url.search = query;
      const tokens = await openid.authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw new TypeError('the library returned no claims');
      const { userinfo_endpoint: hasUserinfo } = configuration.serverMetadata();
      if (!hasUserinfo || isComplete(provider, claims)) return { subject: claims.sub, claims };
      const { access_token: token } = tokens;
      // It refuses an answer about another `sub` (OpenID Connect Core §5.3.2).
      const more = await openid.fetchUserInfo(configuration, token, claims.sub);
      return { subject: claims.sub, claims: { ...more, ...claims } };
    },

    /** The metadata of a provider, asked for now. @throws GuardedFetchError */
    async metadata(provider: IdentityProvider) {
      const configuration = await discover(provider, deps).catch((cause: unknown) => {
        throw rootOf(cause);
      });
      return configuration.serverMetadata();
    },

    /** A document of a provider, such as its keys. @throws GuardedFetchError */
    async document(provider: IdentityProvider, url: string): Promise<unknown> {
      const headers = { accept: 'application/json' };
      const reach = reachOf(provider);
      const response = await deps.request(url, { method: 'GET', headers, reach });
      if (response.status !== 200) {
        throw new GuardedFetchError({ kind: 'status', status: response.status });
      }
      return response.json().catch((cause: unknown) => {
        throw new GuardedFetchError({ kind: 'json', problem: 'not JSON' }, { cause });
      });
    },
  };
}

async function discover(
  provider: IdentityProvider,
  { request, box }: ProviderClientDeps,
): Promise<openid.Configuration> {
  const secret = openSecret(box, { ...provider, client_secret_sealed: provider.secretSealed });
  const { issuer, client_id: clientId } = provider;
  const reach = reachOf(provider);
  const insecure = issuer.startsWith('http:') ? [openid.allowInsecureRequests] : [];
  const configuration = await openid.discovery(
    new URL(issuer),
    clientId,
    undefined,
    authenticationBy(secret),
    {
      timeout,
      // Else it would trust the connection alone (OpenID Connect Core §3.1.3.7, 6) and take any signature.
      execute: [openid.enableNonRepudiationChecks, ...insecure],
      [openid.customFetch]: (url, { method, headers, body }) =>
        request(url, {
          method: method === 'POST' ? 'POST' : 'GET',
          headers,
          body: body instanceof URLSearchParams ? body.toString() : undefined,
          reach,
        }),
    },
  );
  checkMetadata(configuration.serverMetadata(), provider);
  return configuration;
}

/** As the metadata says that it is done; by the header where it says nothing (OpenID Connect Discovery §3). */
function authenticationBy(secret: string | undefined): openid.ClientAuth {
  if (secret === undefined) return openid.None();
  const [byHeader, byBody] = [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)];
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const takesBodyOnly =
      !methods.includes('client_secret_basic') && methods.includes('client_secret_post');
    return takesBodyOnly ? byBody(server, ...request) : byHeader(server, ...request);
  };
}

/** Attack: metadata of another issuer (T20), or endpoints that a browser or we must not be sent to. */
function checkMetadata(metadata: openid.ServerMetadata, { issuer }: IdentityProvider): void {
  if (metadata.issuer !== issuer) throw unusable('issuer in the metadata is another one');
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const url = metadata[name];
    if (url === undefined) throw unusable(`${name} is missing in the metadata`);
    if (!isWayTo(url, issuer)) throw unusable(`${name} in the metadata is not an https URL`);
  }
}

function isWayTo(endpoint: string, issuer: string): boolean {
  const url = URL.parse(endpoint);
  if (url?.username !== '' || url.password !== '' || url.hash !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopbackUrl(endpoint) && isLoopbackUrl(issuer);
}

function reachOf({ issuer, private_network: isPrivate }: IdentityProvider) {
  if (isLoopbackUrl(issuer)) return 'loopback';
  return isPrivate ? 'private' : 'public';
}

function unusable(problem: string): GuardedFetchError {
  return new GuardedFetchError({ kind: 'document', problem });
}

/** The library wraps what the way out said. */
function rootOf(error: unknown): unknown {
  for (let one = error; one instanceof Error; one = one.cause) {
    if (one instanceof GuardedFetchError) return one;
    const { cause } = one;
    if (cause instanceof Response) {
      return new GuardedFetchError({ kind: 'status', status: cause.status }, { cause: error });
    }
  }
  const problem = error instanceof Error ? error.message : 'refused';
  return new GuardedFetchError({ kind: 'document', problem }, { cause: error });
}
