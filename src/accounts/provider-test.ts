import { GuardedFetchError } from '../http/index.ts';
import type { IdentityProvider } from './identity-provider-row.ts';
import type { ProviderClient } from './provider-client.ts';

/** What a provider says of itself, and whether people could sign in there. */
export interface ProviderTest {
  ok: boolean;
  /** Why they could not, in a sentence. */
  problem: string | null;
  /** What works, but not as well as it could. */
  warnings: string[];
  authorization_endpoint: string | null;
  token_endpoint: string | null;
  userinfo_endpoint: string | null;
  jwks_uri: string | null;
  /** Of its ID tokens. */
  algorithms: string[];
  /** How many public keys it publishes. */
  keys: number | null;
}

type Metadata = Awaited<ReturnType<ProviderClient['metadata']>>;

const nothing = {
  warnings: [],
  authorization_endpoint: null,
  token_endpoint: null,
  userinfo_endpoint: null,
  jwks_uri: null,
  algorithms: [],
  keys: null,
};

/**
 * Asks a provider for its metadata and keys, now. Does NOT say that it knows our client_id, or our secret:
 * only somebody who signs in finds that out.
 */
export function createProviderTest({
  metadata: metadataOf,
  document,
}: Pick<ProviderClient, 'metadata' | 'document'>) {
  return async (provider: IdentityProvider): Promise<ProviderTest> => {
    try {
      const metadata = await metadataOf(provider);
      const keys = await keysAt(metadata.jwks_uri ?? '');
      const problem =
        keys === 0 ? 'It publishes no keys, so that no ID token can be verified.' : null;
      return { ok: problem === null, problem, ...found(metadata, provider), keys };
    } catch (error) {
      if (!(error instanceof GuardedFetchError)) throw error;
      return { ok: false, problem: sentence(error, provider), ...nothing };
    }

    async function keysAt(uri: string): Promise<number> {
      const set = await document(provider, uri);
      const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : [];
      return Array.isArray(keys) ? keys.length : 0;
    }
  };
}

function found(metadata: Metadata, provider: IdentityProvider) {
  const algorithms = metadata.id_token_signing_alg_values_supported ?? [];
  return {
    warnings: warningsOf(metadata, provider),
    authorization_endpoint: metadata.authorization_endpoint ?? null,
    token_endpoint: metadata.token_endpoint ?? null,
    userinfo_endpoint: metadata.userinfo_endpoint ?? null,
    jwks_uri: metadata.jwks_uri ?? null,
    algorithms: algorithms.filter((one) => typeof one === 'string'),
  };
}

function warningsOf(metadata: Metadata, { scopes }: IdentityProvider): string[] {
  const known = metadata.scopes_supported;
  const unknown = known ? scopes.filter((scope) => !known.includes(scope)) : [];
  return [
    ...(metadata.supportsPKCE() ? [] : ['It does not say that it knows PKCE with S256.']),
    ...(metadata.authorization_response_iss_parameter_supported === true
      ? []
      : ['Its answers do not say who they are from (RFC 9207).']),
    ...(unknown.length > 0 ? [`It does not list these scopes: ${unknown.join(' ')}.`] : []),
  ];
}

/** An owner asked, about an address that an owner wrote: the reason may be said. */
function sentence({ reason }: GuardedFetchError, { issuer }: IdentityProvider): string {
  const where = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  switch (reason.kind) {
    case 'address':
      return `Its host has the address ${reason.address}, which is not public. Set private_network if it is meant.`;
    case 'document':
    case 'json':
      return `Its metadata or keys are not usable: ${reason.problem.slice(0, 200)}.`;
    case 'status':
      return `It answered with the status ${reason.status}. Its metadata has to be at ${where}`;
    case 'dns':
      return `The name of its host is not known (${reason.code}).`;
    case 'tls':
      return `Its certificate is not trusted (${reason.code}).`;
    case 'timeout':
      return 'It did not answer in time.';
    case 'too_large':
      return `Its answer is larger than ${reason.limit} bytes.`;
    default:
      return `It could not be asked at ${where} (${reason.kind}).`;
  }
}
