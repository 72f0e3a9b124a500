import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuditEvent } from '../../audit/index.ts';
import type { AcceptedAssertion, Issuance } from '../../tokens/index.ts';
import type { ProviderDeps } from '../deps.ts';
import { inLibraryWords } from '../errors.ts';
import { checkProof } from '../internals.ts';
import { knownClient } from '../known-client.ts';
import { mintToken } from '../mint.ts';
import { lifetimeFor, requireProof } from '../resource-indicators.ts';

export const parameters = ['assertion', 'resource', 'scope'] as const;
export const repeatable = ['resource'] as const;

/**
 * An identity assertion as an authorization grant (RFC 7523 §2.1, ID-JAG draft §4.4): an access token, never
 * a refresh token. It lives as long as any of its resource; the assertion's `exp` only says until when it
 * can be presented.
 */
export function handler(deps: ProviderDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const client = await knownClient(deps.clients, ctx.oidc.client?.clientId ?? '');
    if (!client) throw new TypeError('the client has not authenticated');
    const { assertion, resource, scope } = ctx.oidc.params ?? {};
    const proof = await checkProof(ctx);
    const accepted = await inLibraryWords(() =>
      deps.assertions.accept({
        assertion: text(assertion),
        client,
        resources: [resource].flat().filter((one) => typeof one === 'string'),
        scope: text(scope),
        jkt: proof?.thumbprint,
        beforePerson: (target) => requireProof(deps, ctx, target),
        meta: deps.auditMeta(),
      }),
    );
    await mintToken(deps, ctx, {
      resource: accepted.resource,
      scopes: accepted.scopes,
      userId: accepted.user.id,
      workspace: accepted.workspace,
      expiresIn: lifetimeFor(deps.config, accepted.resource, { machine: false }),
      replayClaims: [accepted.claim],
      event: (issuance) => issuedFor(accepted, issuance),
    });
  };
}

function issuedFor({ issuer, jtiHash }: AcceptedAssertion, issuance: Issuance): AuditEvent {
  const { client_id, sub, resource, grant_type, token_type, scope, jti, expires_at } = issuance;
  const clientId = client_id ?? undefined;
  return {
    type: 'token_issued',
    actor: { kind: 'client', id: clientId },
    ...{ clientId, userId: sub, resource },
    detail: {
      ...{ grant_type, token_type, scope, jti, expires_at },
      assertion_issuer: issuer,
      assertion_jti_hash: jtiHash,
      workspace_id: issuance.workspace_id ?? undefined,
    },
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
