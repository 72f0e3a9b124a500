import type { Selectable } from 'kysely';
import type { UpstreamRegistrationsTable } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import type { OAuthDiscovery } from './discovery-policy.ts';
import { scopesOf } from './discovery-policy.ts';

export type AuthMethod = UpstreamRegistrationsTable['auth_method'];

/** Who we are at one issuer, for one server. */
export interface Registration {
  serverId: number;
  issuer: string;
  kind: UpstreamRegistrationsTable['kind'];
  clientId: string;
  clientSecret?: string;
  authMethod: AuthMethod;
  redirectUri: string;
  /** What the issuer said of itself when this was made; its endpoints are the only ones that are used. */
  discovery: OAuthDiscovery;
  /** Of the secret. */
  expiresAt?: Date;
}

export type RegistrationRow = Selectable<UpstreamRegistrationsTable>;

/** What a client secret is sealed for: it opens for no other server and no other issuer. */
export function secretContext({ serverId, issuer }: { serverId: number; issuer: string }): string {
  return `upstream_client:${serverId}:${issuer}`;
}

/** @throws SecretBoxError */
export function toRegistration(row: RegistrationRow, box: SecretBox): Registration {
  const { server_id: serverId, issuer } = row;
  const sealed = row.client_secret_sealed;
  return {
    ...{ serverId, issuer },
    kind: row.kind,
    clientId: row.client_id,
    ...(sealed !== null && { clientSecret: box.open(sealed, secretContext({ serverId, issuer })) }),
    authMethod: row.auth_method,
    redirectUri: row.redirect_uri,
    discovery: storedDiscovery(row.discovery, issuer),
    ...(row.client_secret_expires_at && { expiresAt: row.client_secret_expires_at }),
  };
}

function storedDiscovery(stored: Record<string, unknown>, issuer: string): OAuthDiscovery {
  const text = (name: string) => String(stored[name] ?? '');
  const optional = (name: keyof OAuthDiscovery) =>
    typeof stored[name] === 'string' ? { [name]: stored[name] } : {};
  const lists = (name: keyof OAuthDiscovery) => {
    const list = scopesOf(stored[name]);
    return list ? { [name]: list } : {};
  };
  return {
    resource: text('resource'),
    issuer,
    authorizationEndpoint: text('authorizationEndpoint'),
    tokenEndpoint: text('tokenEndpoint'),
    ...optional('registrationEndpoint'),
    ...optional('revocationEndpoint'),
    ...lists('scopesSupported'),
    ...lists('scopesRequested'),
    ...lists('codeChallengeMethodsSupported'),
    ...lists('tokenEndpointAuthMethodsSupported'),
    clientIdMetadataDocumentSupported: stored.clientIdMetadataDocumentSupported === true,
    authorizationResponseIssParameterSupported:
      stored.authorizationResponseIssParameterSupported === true,
  };
}
