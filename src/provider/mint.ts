import type { AccessToken, KoaContextWithOIDC } from 'oidc-provider';
import type { AuditEvent } from '../audit/index.ts';
import { formatScope, OAuthError } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import type { ClaimsWorkspace, Issuance } from '../tokens/index.ts';
import type { ProviderDeps } from './deps.ts';
import { inLibraryWords } from './errors.ts';
import { checkProof } from './internals.ts';
import { stateOf } from './request-state.ts';
import { describeResource, requireProof, requireWorkspace } from './resource-indicators.ts';
import type { Claim } from './token-request.ts';

/** An access token that one of our own grants has decided to issue. */
export interface MintRequest {
  resource: Resource;
  scopes: readonly string[];
  /** Whose it is; absent where a machine is the subject. */
  userId?: string | undefined;
  /** client_id of the machine that an exchanged token is about; absent, it is the client itself. */
  machineId?: string | undefined;
  /** Seconds, already cut to what the subject allows. */
  expiresIn: number;
  /** Token exchange: the subject token's record. */
  parent?: { jti: string; rootJti: string } | undefined;
  /** The consent that the token hangs on. */
  grantId?: string | undefined;
  workspace?: ClaimsWorkspace | undefined;
  /** Claims of the grant itself, such as `act`, for the token and its introspection. */
  claims?: Record<string, unknown> | undefined;
  /** The DPoP key that must be proven (`cnf` of what is exchanged). */
  requiredThumbprint?: string | undefined;
  /** RFC 8693 §2.2.1. */
  issuedTokenType?: string | undefined;
  /** What may be used once, claimed in the statement that records the token. */
  replayClaims?: readonly Claim[] | undefined;
  /** Tells of it in place of `token_issued`. */
  event?: ((issuance: Issuance) => AuditEvent) | undefined;
}

/**
 * Mints an access token (JWT or opaque) by the library, as its own grants do, and answers with it. It exists
 * once the unit of work is written: the statement asks again whether client, person, resource, consent and
 * the exchanged token are alive.
 *
 * @throws the library's errors for a bad DPoP proof; OAuthError invalid_dpop_proof, invalid_target
 */
export async function mintToken(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
  request: MintRequest,
): Promise<void> {
  const work = stateOf(ctx).token;
  if (!work) throw new TypeError('tokens are minted at the token endpoint only');
  const { resource, scopes, userId, expiresIn, issuedTokenType } = request;
  await inLibraryWords(() => {
    requireWorkspace(resource, request.workspace);
    requireProof(deps, ctx, resource);
  });
  const token = newToken(deps, ctx, request);
  await bindToKey(ctx, token, request.requiredThumbprint);
  const { parent, grantId, workspace, claims, event } = request;
  work.derivation = { userId, parent, grantId, workspace, claims, event };
  work.claims.push(...(request.replayClaims ?? []));
  ctx.oidc.entity('AccessToken', token);
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: issuedTokenType,
    token_type: token.tokenType,
    expires_in: expiresIn,
    scope: formatScope(scopes),
  };
}

function newToken(deps: ProviderDeps, ctx: KoaContextWithOIDC, request: MintRequest): AccessToken {
  const { provider, client, params } = ctx.oidc;
  if (!client) throw new TypeError('the client has not authenticated');
  const { resource, scopes, userId, machineId, expiresIn } = request;
  const token = new provider.AccessToken({
    client,
    accountId: userId ?? machineId ?? client.clientId,
    grantId: '', // no family stands behind it: commit_issuance says whether it may exist
    expiresIn,
    gty: String(params?.grant_type),
    scope: formatScope(scopes),
  });
  token.resourceServer = new provider.ResourceServer(
    resource.uri,
    describeResource(deps, resource, expiresIn),
  );
  return token;
}

/** RFC 9449 §5; what was bound stays bound to the same key. */
async function bindToKey(
  ctx: KoaContextWithOIDC,
  token: AccessToken,
  required: string | undefined,
): Promise<void> {
  const proof = await checkProof(ctx);
  if (required !== undefined && proof?.thumbprint !== required) throw otherKey();
  await proof?.bind(token);
}

/** A proof by another key than the presented token is bound to, or none. */
export function otherKey(): OAuthError {
  return new OAuthError(
    'invalid_dpop_proof',
    'The presented token is bound to a key. Send a DPoP proof that is signed by the same key.',
  );
}
