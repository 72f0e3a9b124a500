import type { Client } from '../clients/index.ts';
import { type Asked, type Expected, withoutQuery } from '../flows/index.ts';
import { type Fields, single } from '../http/index.ts';
import type { Resource } from '../resources/index.ts';
import type { TokenRequest } from './token-request.ts';

/** What an authorization request asks for, without anything secret; parameters that came twice are left out. */
export function askedToAuthorize(sent: Fields): Asked {
  const challenge = text(sent, 'code_challenge');
  return {
    responseType: text(sent, 'response_type'),
    ...askedOf(sent),
    scope: text(sent, 'scope'),
    challengeMethod: challenge === undefined ? undefined : text(sent, 'code_challenge_method'),
    hasChallenge: challenge !== undefined,
  };
}

/** The same of a token request; `authorization` is its header. */
export function askedForTokens(sent: Fields, authorization: string): Asked {
  return {
    ...askedOf(sent),
    scope: text(sent, 'scope'),
    authMethod: methodOf(sent, authorization),
  };
}

function askedOf(sent: Fields) {
  const redirectUri = text(sent, 'redirect_uri');
  const resource = text(sent, 'resource');
  return {
    clientId: text(sent, 'client_id'),
    redirectUri: redirectUri === undefined ? undefined : withoutQuery(redirectUri),
    resource: resource === undefined ? undefined : withoutQuery(resource),
  };
}

/** How a client has tried to authenticate (RFC 6749 §2.3, RFC 7523). */
function methodOf(sent: Fields, authorization: string): string {
  if (sent.client_assertion !== undefined) return 'private_key_jwt';
  if (sent.client_secret !== undefined) return 'client_secret_post';
  return /^basic /i.test(authorization) ? 'client_secret_basic' : 'none';
}

/** What would be accepted from a client. */
export function expectedOf(
  client: Client | undefined,
  resources: readonly Resource[],
  source?: TokenRequest['source'],
): Expected {
  return {
    resources,
    redirectUris: client?.metadata.redirect_uris,
    authMethod: client?.metadata.token_endpoint_auth_method,
    scopeCeiling: client?.scope,
    clientResources: client?.resources,
    bound: source && {
      clientId: source.clientId,
      redirectUri: bound(source, 'redirectUri'),
      resource: bound(source, 'resource'),
    },
  };
}

function bound({ payload }: NonNullable<TokenRequest['source']>, name: string): string | undefined {
  const value = payload[name];
  return typeof value === 'string' ? value : undefined;
}

/** How a client is known, in a few words. */
export function knownAs(client: Client, now: Date): string {
  if (client.kind === 'preregistered') return 'registered by an operator';
  if (client.kind === 'dcr') return 'registered itself';
  const read = client.documentFetchedAt;
  const minutes = read && Math.floor((now.getTime() - read.getTime()) / 60_000);
  if (minutes === undefined) return 'metadata document';
  return minutes < 1
    ? 'metadata document, just read'
    : `metadata document, read ${minutes} min ago`;
}

function text(sent: Fields, name: string): string | undefined {
  const value = sent[name];
  return Array.isArray(value) ? undefined : single({ [name]: value }, name);
}
