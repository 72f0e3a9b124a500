import { type AuditMeta, auditRow } from '../audit/index.ts';
import type { IssuedToken, Tokens } from '../tokens/index.ts';
import { currentContext, currentState } from './request-state.ts';

interface EndDeps {
  tokens: Tokens;
  now: () => Date;
  auditMeta: () => AuditMeta;
}

/**
 * Ends a token family because the library revokes it. On the token endpoint that is part of the unit
 * of work; elsewhere (RFC 7009) it is one statement with its audit event. The library asks once for each
 * of its models: only the first time counts.
 */
export async function endFamily(
  familyId: string,
  { tokens, now, auditMeta }: EndDeps,
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
  const userId =
    currentState()?.presented?.issued?.sub ??
    currentContext()?.oidc.entities.RefreshToken?.accountId;
  return revokedBy(userId, { family_id: familyId });
}

function revokedBy(userId: string | undefined, ended: { family_id?: string; jti?: string }) {
  const clientId = currentContext()?.oidc.client?.clientId;
  if (!clientId) return undefined;
  return {
    type: 'token_revoked' as const,
    actor: { kind: 'client' as const, id: clientId },
    clientId,
    userId,
    detail: { reason: 'revocation_request', ...ended },
  };
}

/**
 * Ends a presented access token (RFC 7009): with it the family that it belongs to, or, where no family
 * stands behind it, it and what was exchanged from it.
 */
export async function endPresented(issued: IssuedToken, deps: EndDeps): Promise<void> {
  if (issued.family_id) return endFamily(issued.family_id, deps);
  if (issued.credential_id) return endCredential(issued.credential_id, deps);
  const userId = issued.sub === issued.client_id ? undefined : issued.sub;
  const event = revokedBy(userId, { jti: issued.jti });
  const events = event ? [auditRow(event, deps.auditMeta())] : [];
  await deps.tokens.exchange.end(issued.jti, events, deps.now());
}

/** The resource server reports it as leaked. */
async function endCredential(id: string, { tokens, auditMeta }: EndDeps): Promise<void> {
  const clientId = currentContext()?.oidc.client?.clientId;
  const actor = { kind: 'client' as const, id: clientId };
  await tokens.credentials.end(id, {
    reason: 'revocation_request',
    meta: { ...auditMeta(), actor },
  });
}
