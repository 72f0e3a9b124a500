import type { Kysely } from 'kysely';
import type { Actor, AuditEvent } from '../audit/index.ts';
import type { Tables } from '../db/index.ts';
import { kindOfGrant } from './workspace-credentials-policy.ts';
import { selectEnded } from './workspace-credentials-queries.ts';
import type { CredentialConnector } from './workspace-credentials-rows.ts';

/** `regenerated`: another default took its place. */
export type EndReason = 'regenerated' | 'member' | 'operator' | 'revocation_request';

interface Made {
  jti: string;
  grant_type: string;
  sub: string;
  resource: string;
  scope: string;
  workspace_id: string;
}

/** What the audit log tells of a new credential; never its value. */
export function credentialCreated(
  { grant_type, sub: userId, resource, ...issued }: Made,
  {
    id,
    label,
    connector,
  }: { id: string; label: string; connector?: CredentialConnector | undefined },
  actor: Actor,
): AuditEvent {
  return {
    type: 'credential_created',
    ...{ actor, userId, resource },
    detail: {
      ...{ ...issued, credential_id: id, kind: kindOfGrant(grant_type), label },
      ...{ connector_kind: connector?.kind, connector_id: connector?.id },
    },
  };
}

/** What the audit log tells of a credential that ends, in the transaction that ends it. */
export async function credentialRevoked(
  trx: Kysely<Tables>,
  { jti, actor, reason }: { jti: string; actor: Actor; reason: EndReason },
): Promise<AuditEvent> {
  const { sub: userId, resource, grant_type, workspace_id, id } = await selectEnded(trx, jti);
  return {
    type: 'credential_revoked',
    ...{ actor, userId, resource, ...(actor.kind === 'client' && { clientId: actor.id }) },
    detail: {
      ...{ workspace_id: workspace_id ?? '', credential_id: id ?? '' },
      ...{ kind: kindOfGrant(grant_type), jti, reason },
    },
  };
}
