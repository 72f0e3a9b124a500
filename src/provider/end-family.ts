import { type AuditMeta, auditRow } from '../audit/index.ts';
import type { Tokens } from '../tokens/index.ts';
import { currentContext, currentState } from './request-state.ts';

/**
 * Ends a token family because the library revokes it. On the token endpoint that is part of the unit
 * of work; elsewhere (RFC 7009) it is one statement with its audit event. The library asks once for each
 * of its models: only the first time counts.
 */
export async function endFamily(
  familyId: string,
  { tokens, now, auditMeta }: { tokens: Tokens; now: () => Date; auditMeta: () => AuditMeta },
): Promise<void> {
  const state = currentState();
  if (state?.token) {
    if (state.token.mode === 'reused') state.token.endFamily = familyId; // a lost race ends nothing
    return;
  }
  if (state?.endedFamily === familyId) return;
  if (state) state.endedFamily = familyId;
  const event = revocation(familyId);
  await tokens.exchange.refuse(
    { claims: [], endFamily: familyId, events: event ? [auditRow(event, auditMeta())] : [] },
    now(),
  );
}

function revocation(familyId: string) {
  const oidc = currentContext()?.oidc;
  const clientId = oidc?.client?.clientId;
  const token = oidc?.entities.RefreshToken ?? oidc?.entities.AccessToken;
  if (!clientId) return undefined;
  return {
    type: 'token_revoked' as const,
    actor: { kind: 'client' as const, id: clientId },
    clientId,
    userId: token?.accountId,
    detail: { reason: 'revocation_request', family_id: familyId },
  };
}
