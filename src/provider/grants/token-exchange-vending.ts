import type { KoaContextWithOIDC } from 'oidc-provider';
import { formatScope, OAuthError, tokenTypes } from '../../oauth/index.ts';
import { isPerson, keyToProve } from '../../tokens/index.ts';
import type { ProviderDeps, VendingRequest } from '../deps.ts';
import { checkProof } from '../internals.ts';
import { otherKey } from '../mint.ts';
import { noteUse } from '../personal-token-use.ts';
import { stateOf } from '../request-state.ts';
import { claimNow } from '../token-endpoint.ts';
import type { ExchangeParties } from './token-exchange-parties.ts';
import type { ExchangeAsked } from './token-exchange-request.ts';

/**
 * Token exchange for another MCP server: hands on the token that the member has there. What proves the
 * request is used up first: a replayed assertion or proof gets nothing.
 *
 * @returns false where one of our own resources is asked for, which is the usual case
 * @throws OAuthError invalid_target, invalid_scope, consent_required …; invalid_dpop_proof
 */
export async function handOn(
  deps: ProviderDeps,
  ctx: KoaContextWithOIDC,
  asked: ExchangeAsked & ExchangeParties,
): Promise<boolean> {
  const { subject, actor } = asked;
  const request = foreignRequest(deps, asked);
  if (!request || !(await deps.vending.isMeant(request))) return false;
  if (!isPerson(subject)) {
    throw new OAuthError(
      'invalid_target',
      'Members connect MCP servers, and no user stands behind the subject_token.',
      { detail: { reason: 'machine' } },
    );
  }
  const work = stateOf(ctx).token;
  if (!work) throw new TypeError('tokens are handed on at the token endpoint only');
  await requireKey(ctx, keyToProve([subject, ...(actor ? [actor] : [])]));
  await claimNow(work, { ...deps, exchange: deps.tokens.exchange });
  const vended = await deps.vending.vend(request, deps.auditMeta());
  noteUse(deps, subject);
  work.handedOn = true;
  ctx.body = {
    access_token: vended.accessToken,
    issued_token_type: tokenTypes.accessToken,
    token_type: 'Bearer',
    ...(vended.expiresIn !== undefined && { expires_in: vended.expiresIn }),
    scope: formatScope(vended.scopes),
  };
  return true;
}

/** @returns undefined where everything that is named is a resource of ours, or nothing is */
function foreignRequest(
  { resources }: ProviderDeps,
  { request, caller, subject }: ExchangeAsked & ExchangeParties,
): VendingRequest | undefined {
  const isOurs = (name: string) =>
    resources.resolve(name) !== undefined || resources.bySlug(name) !== undefined;
  const foreign = (names: readonly string[]) => names.filter((name) => name && !isOurs(name));
  const audience = foreign(request.audience);
  const resource = foreign(request.resource);
  if (audience.length + resource.length === 0) return undefined;
  const workspaceId = subject.workspace_id || undefined;
  return {
    clientId: caller.clientId,
    subject: { jti: subject.jti, userId: subject.sub, workspaceId },
    // All that is named: together with one of ours it is no one target.
    ...{ audience: request.audience, resource: request.resource, scope: request.scope },
  };
}

/** A subject that is bound to a key is exchanged with a proof of it, or not at all (TX03). */
async function requireKey(ctx: KoaContextWithOIDC, required: string | undefined): Promise<void> {
  const proof = await checkProof(ctx);
  if (required !== undefined && proof?.thumbprint !== required) throw otherKey();
  await proof?.use();
}
