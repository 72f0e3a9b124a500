import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { hashId } from '../db/index.ts';
import type { Issuance, NewArtifact } from '../tokens/index.ts';
import { stateOf } from './request-state.ts';
import type { TokenRequest } from './token-request.ts';

/** The members of the library's access token that a record is made of. */
interface IssuedAccessToken {
  /** Identifier of a JWT; the value itself of an opaque token. */
  jti: string;
  format?: string;
  iat?: number;
  exp?: number;
  aud?: string | string[];
  scope?: string;
  clientId?: string;
  accountId?: string;
  jkt?: string;
  gty?: string;
  expiration: number;
  extra?: Record<string, unknown>;
}

/**
 * Adds the issuance record and the audit event of every access token that the library mints to the
 * request's unit of work, so that token and record are written together or not at all.
 */
export function recordIssuances(provider: Provider): void {
  provider.on('grant.success', (ctx: KoaContextWithOIDC) => {
    const { token } = stateOf(ctx);
    const { AccessToken, ClientCredentials } = ctx.oidc.entities;
    const minted: unknown = AccessToken ?? ClientCredentials;
    if (!token || !isAccessToken(minted)) return;
    const issuance = issuanceOf(minted, token, grantTypeOf(ctx));
    const format = minted.format ?? 'jwt';
    token.issuances.push(issuance);
    token.events.push(token.derivation?.event?.(issuance) ?? eventOf(issuance, format, token));
  });
}

function grantTypeOf(ctx: KoaContextWithOIDC): string {
  return String(ctx.oidc.params?.grant_type);
}

function issuanceOf(
  minted: IssuedAccessToken,
  { receivedAt, source, derivation }: TokenRequest,
  grantType: string,
): Issuance {
  // From when the request came, so that no waiting (for a claims hook) makes a token outlive its parent.
  const expiresAt = new Date(receivedAt.getTime() + minted.expiration * 1000);
  const jti = minted.format === 'opaque' ? hashId(minted.jti) : minted.jti;
  return {
    jti,
    kind: 'access_token',
    grant_type: grantType,
    client_id: minted.clientId ?? '',
    workspace_id: (derivation?.workspace ?? source?.workspace)?.id,
    parent_jti: derivation?.parent?.jti ?? boughtBy(source),
    root_jti: derivation?.parent?.rootJti ?? source?.familyId ?? jti,
    sub: minted.accountId ?? minted.clientId ?? '',
    resource: String(minted.aud),
    scope: minted.scope ?? '',
    token_type: minted.jkt ? 'DPoP' : 'Bearer',
    jkt: minted.jkt,
    claims: minted.extra,
    issued_at: receivedAt,
    expires_at: expiresAt,
  };
}

/** The record of the refresh token that was presented; a code has none. */
function boughtBy(source: TokenRequest['source']): string | undefined {
  return source?.kind === 'RefreshToken' ? hashId(source.value) : undefined;
}

/**
 * The record of a refresh token that is issued beside an access token: under the hash that it is stored
 * by, with the whole scope of its authorization.
 */
export function refreshTokenIssued(
  successor: NewArtifact | undefined,
  beside: Issuance | undefined,
): Issuance[] {
  if (!successor || !beside) return [];
  const { scope, jkt } = successor.payload;
  const key = typeof jkt === 'string' ? jkt : undefined;
  return [
    {
      ...beside,
      jti: hashId(successor.value),
      kind: 'refresh_token',
      scope: typeof scope === 'string' ? scope : beside.scope,
      token_type: key ? 'DPoP' : 'Bearer',
      jkt: key,
      claims: undefined,
      expires_at: successor.expiresAt,
    },
  ];
}

function eventOf(
  issuance: Issuance,
  format: string,
  { source }: TokenRequest,
): TokenRequest['events'][number] {
  const clientId = issuance.client_id ?? undefined;
  const who = {
    actor: { kind: 'client' as const, id: clientId },
    clientId,
    userId: issuance.sub === clientId ? undefined : issuance.sub,
    resource: issuance.resource,
  };
  const detail = {
    jti: issuance.jti,
    scope: issuance.scope,
    token_type: issuance.token_type,
    expires_at: issuance.expires_at,
  };
  if (issuance.grant_type === 'refresh_token') {
    return {
      ...who,
      type: 'token_refreshed',
      detail: { ...detail, family_id: source?.familyId ?? '' },
    };
  }
  return {
    ...who,
    type: 'token_issued',
    detail: {
      ...detail,
      grant_type: issuance.grant_type,
      format,
      family_id: source?.familyId,
      workspace_id: issuance.workspace_id ?? undefined,
    },
  };
}

function isAccessToken(value: unknown): value is IssuedAccessToken {
  return typeof value === 'object' && value !== null && 'jti' in value && 'expiration' in value;
}
