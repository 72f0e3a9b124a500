import { decodeProtectedHeader } from 'jose';
import type Provider from 'oidc-provider';
import type { AdapterPayload } from 'oidc-provider';
import {
  authMethodFor,
  type Client,
  type Clients,
  secretsInForce,
  verifySecret,
} from '../clients/index.ts';
import { redirectUriMatches } from '../oauth/index.ts';

/**
 * Members that the library may see: what it needs to authenticate and to redirect, nothing more.
 *
 * @param served grant types that the library knows; it refuses to load a client that has any other
 * @param assertion the client assertion of this request, whose header names the key
 */
export async function clientProperties(
  client: Client,
  clients: Clients,
  {
    served,
    assertion,
    now,
  }: { served: readonly string[]; assertion: string | undefined; now: Date },
): Promise<AdapterPayload> {
  const { metadata } = client;
  const secrets = secretsInForce(client, now);
  const grants = metadata.grant_types.filter((grant) => served.includes(grant));
  const method = authMethodFor(client, { signed: assertion !== undefined });
  const signs = method === 'private_key_jwt';
  return {
    client_id: client.clientId,
    client_name: client.clientName,
    redirect_uris: metadata.redirect_uris,
    grant_types: grants,
    response_types: grants.includes('authorization_code') ? ['code'] : [],
    token_endpoint_auth_method: method,
    application_type: metadata.application_type,
    dpop_bound_access_tokens: metadata.dpop_bound_access_tokens,
    require_pushed_authorization_requests: metadata.require_pushed_authorization_requests,
    ...(signs ? await signing(client, clients, assertion) : {}),
    // Not a secret: the hashes of the secrets in force, which compareClientSecret below expects.
    ...(secrets.length > 0 ? { client_secret: secrets.join(' ') } : {}),
  };
}

/**
 * How a client signs. Its keys are loaded only where it has signed: whose keys cannot be had may still
 * start an authorization, and gets no further without them.
 */
async function signing(
  client: Client,
  clients: Clients,
  assertion: string | undefined,
): Promise<AdapterPayload> {
  const keys =
    assertion === undefined ? undefined : await clients.keysFor(client, { kid: kidOf(assertion) });
  return {
    jwks: { keys: [...(keys?.keys ?? [])] },
    token_endpoint_auth_signing_alg: client.metadata.token_endpoint_auth_signing_alg,
  };
}

/** The key that an assertion names; what cannot be read is for the library to refuse. */
function kidOf(assertion: string | undefined): string | undefined {
  try {
    return assertion === undefined ? undefined : decodeProtectedHeader(assertion).kid;
  } catch {
    return undefined;
  }
}

/** Teaches the library's client to compare hashed secrets and to match redirect URIs our way. */
export function applyOurClientRules(provider: Provider): void {
  Object.assign(provider.Client.prototype, {
    compareClientSecret(this: { clientSecret?: string }, presented: string): boolean {
      const secretHashes = this.clientSecret?.split(' ') ?? [];
      return verifySecret({ secretHashes }, presented);
    },
    redirectUriAllowed(this: { redirectUris?: string[] }, requested: string): boolean {
      return redirectUriMatches(requested, this.redirectUris ?? []);
    },
  });
}
