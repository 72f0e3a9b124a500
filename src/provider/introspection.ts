import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC, Client as LibraryClient } from 'oidc-provider';
import { hashId } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { type IssuedToken, readOpaqueToken } from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import type { RequestState } from './request-state.ts';

/** Longest token that is looked at, in characters; ours are far shorter. */
const longestToken = 8192;

/**
 * Access tokens are never stored, so the library cannot introspect or revoke them. Verifies the
 * presented one, reads its issuance record in one statement, and puts both where the library's
 * adapter looks; what is asked of the library is a handle that only this request knows.
 *
 * @returns the `token` parameter that the library shall see
 */
export async function presentToken(
  deps: ProviderDeps,
  state: RequestState,
  token: string,
): Promise<string> {
  if (token.length > longestToken) return 'oversized';
  const opaque = readOpaqueToken(token);
  if (!opaque && !token.includes('.')) return token; // a refresh token, looked up by its hash
  const handle = crypto.randomUUID();
  const jti = opaque ? hashId(token) : await jtiOf(deps, token);
  const issued = jti ? await deps.tokens.exchange.issued(jti) : undefined;
  state.presented = {
    handle,
    payload: issued?.alive ? payloadOf(issued) : undefined,
    family: issued?.family ?? undefined,
  };
  return handle;
}

/** The `jti` of a JWT that is ours and whole. */
async function jtiOf(deps: ProviderDeps, token: string): Promise<string | undefined> {
  return isExact(token) ? (await verify(deps, token))?.jti : undefined;
}

/** Base64url without anything that a decoder would forgive: one token has one spelling. */
function isExact(token: string): boolean {
  return token
    .split('.')
    .every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}

async function verify(
  { keys, config, now }: ProviderDeps,
  token: string,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys.publicJwks()), {
      issuer: config.server.issuer,
      typ: 'at+jwt',
      currentDate: now(),
    });
    return payload;
  } catch {
    return undefined; // inactive, whatever was wrong with it (RFC 7662 §2.2)
  }
}

/** The record as the library's AccessToken model; `grantId` names the family. */
function payloadOf(issued: IssuedToken): Record<string, unknown> {
  return {
    kind: 'AccessToken',
    jti: issued.jti,
    accountId: issued.sub,
    clientId: issued.client_id,
    aud: issued.resource,
    scope: issued.scope,
    iat: seconds(issued.issued_at),
    exp: seconds(issued.expires_at),
    gty: issued.grant_type,
    grantId: issued.family_id ?? undefined,
    jkt: issued.jkt ?? undefined,
    extra: {
      ...issued.claims,
      ...(issued.workspace_id ? { workspace_id: issued.workspace_id } : {}),
    },
  };
}

/**
 * Who may introspect (RFC 7662 §4): the token's own client and the clients that are its resource
 * server. Everybody else sees an inactive token, so that tokens cannot be probed. A refresh token is
 * for nobody but its client: a resource server that saw it active would take it for an access token.
 */
export function mayIntrospect(
  { resources }: ProviderDeps,
  client: LibraryClient,
  token: { clientId?: string; aud?: string | string[] },
): boolean {
  if (client.clientAuthMethod === 'none') return false;
  if (token.clientId === client.clientId) return true;
  if (typeof token.aud !== 'string') return false; // a refresh token has no audience
  const resource = resources.resolve(token.aud);
  return resource?.clients.includes(client.clientId) ?? false;
}

/** Who may revoke (RFC 7009 §2.1): the client that the token was issued to. */
export function mayRevoke(client: LibraryClient, token: { clientId?: string }): boolean {
  return token.clientId === client.clientId;
}

/** A public client cannot introspect: RFC 7662 §2.1 asks for authentication. */
export const refusePublicIntrospection: Middleware<object, KoaContextWithOIDC> = async (
  ctx,
  next,
) => {
  await next();
  if (ctx.status === 200 && ctx.oidc?.client?.clientAuthMethod === 'none') {
    throw new OAuthError(
      'invalid_client',
      'Introspection needs client authentication. Use the credentials of the resource server.',
      { headers: { 'WWW-Authenticate': 'Basic realm="introspection"' } },
    );
  }
};

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
