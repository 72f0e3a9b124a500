import { importJWK, SignJWT } from 'jose';
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC, Client as LibraryClient } from 'oidc-provider';
import { OAuthError } from '../oauth/index.ts';
import { type IssuedToken, isEndless } from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import { knownClient } from './known-client.ts';
import { findPresented, longestToken, looksLikeAccessToken } from './presented.ts';
import { type RequestState, stateOf } from './request-state.ts';
import { personalClaims } from './token-claims.ts';

/**
 * Access tokens are never stored, so the library cannot introspect or revoke them. Finds the record of the
 * presented one in one statement and puts it where the library's adapter looks; what is asked of the
 * library is a handle that only this request knows.
 *
 * @returns the `token` parameter that the library shall see
 */
export async function presentToken(
  deps: ProviderDeps,
  state: RequestState,
  token: string,
): Promise<string> {
  if (token.length > longestToken) return 'oversized';
  if (!looksLikeAccessToken(token)) return token; // a refresh token, looked up by its hash
  const handle = crypto.randomUUID();
  const issued = await findPresented(deps, token);
  const claims = issued && { ...issued.claims, ...(await personalClaims(deps, issued)) };
  state.presented = { handle, issued, payload: issued && payloadOf({ ...issued, claims }) };
  return handle;
}

/**
 * The record as the library's AccessToken model. It names neither family nor account, which the library
 * would look up: the one read has answered for both.
 */
function payloadOf(issued: IssuedToken): Record<string, unknown> {
  return {
    kind: 'AccessToken',
    jti: issued.jti,
    clientId: issued.client_id ?? undefined,
    aud: issued.resource,
    scope: issued.scope,
    iat: seconds(issued.issued_at),
    exp: isEndless(issued) ? undefined : seconds(issued.expires_at),
    gty: issued.grant_type,
    jkt: issued.jkt ?? undefined,
    extra: {
      ...issued.claims,
      sub: issued.sub,
      username: issued.username ?? undefined,
      workspace_id: issued.workspace_id ?? undefined,
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
  const own = token.clientId === client.clientId;
  if (typeof token.aud !== 'string') return own; // a refresh token has no audience
  const resource = resources.resolve(token.aud);
  if (!resource) return false; // disabled: good for nobody
  return own || resource.clients.includes(client.clientId);
}

/**
 * Who a person is (`username`, an e-mail address) is told to clients that the operator has made; one that
 * registered itself learns no more about its own tokens than it knew.
 */
export function keepNamesFrom({
  clients,
}: Pick<ProviderDeps, 'clients'>): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    await next();
    const { body } = ctx;
    if (typeof body !== 'object' || body === null || !('username' in body)) return;
    const client = await knownClient(clients, ctx.oidc.client?.clientId ?? '');
    if (client?.kind === 'preregistered') return;
    const { username: _username, ...rest } = body;
    ctx.body = rest;
  };
}

/**
 * Who may revoke (RFC 7009 §2.1): the client that the token was issued to. A personal access token and a workspace
 * credential were issued to none: the resource server that they are for may report them as leaked.
 */
export function mayRevoke(
  deps: ProviderDeps,
  client: LibraryClient,
  token: { clientId?: string; aud?: string | string[] },
): boolean {
  if (token.clientId === undefined) return mayIntrospect(deps, client, token);
  return token.clientId === client.clientId;
}

/** What a caller asks for who wants the answer as a signed JWT (RFC 9701 §4). */
export const jwtAnswer = 'application/token-introspection+jwt';

/** Signs the answer for a resource server that asked for that (RFC 9701 §5). */
export function signAnswers({
  keys,
  config,
  now,
}: Pick<ProviderDeps, 'keys' | 'config' | 'now'>): Middleware<object, KoaContextWithOIDC> {
  return async (ctx, next) => {
    await next();
    const clientId = ctx.oidc?.client?.clientId;
    if (ctx.status !== 200 || !stateOf(ctx).wantsJwt || clientId === undefined) return;
    const [jwk] = keys.providerJwks().keys;
    if (!jwk) throw new TypeError('there is no signing key');
    const { alg = '', kid } = jwk;
    ctx.body = await new SignJWT({ token_introspection: ctx.body })
      .setProtectedHeader({ typ: 'token-introspection+jwt', alg, kid })
      .setIssuer(config.server.issuer)
      .setAudience(clientId)
      .setIssuedAt(seconds(now()))
      .sign(await importJWK(jwk, alg));
    ctx.type = jwtAnswer;
  };
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

/** Answers by another room to a client that has authenticated here, instead of what it is told of a token. */
export const answerForOthers: Middleware<object, KoaContextWithOIDC> = async (ctx, next) => {
  await next();
  const { answerClient } = stateOf(ctx);
  const clientId = ctx.oidc?.client?.clientId;
  if (!answerClient || ctx.status !== 200 || clientId === undefined) return;
  const { status, body } = await answerClient(clientId);
  ctx.status = status;
  ctx.body = body;
};

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
