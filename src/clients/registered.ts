import { recordAudit } from '../audit/index.ts';
import type { Decision } from './policy.ts';
import type { By, Client } from './types.ts';

interface Registered {
  clientId: string;
  kind: Client['kind'];
  source: Client['source'];
  decision: Decision;
  resources?: readonly string[] | undefined;
}

/** Tells the audit trail of a client that became known, in the transaction that stores it. */
export async function recordRegistered(
  trx: Parameters<typeof recordAudit>[0],
  { clientId, kind, source, decision, resources }: Registered,
  { actor, meta }: By,
): Promise<void> {
  const { metadata, rules, scope } = decision;
  const detail = {
    kind,
    source,
    client_name: metadata.client_name,
    redirect_uris: metadata.redirect_uris,
    grant_types: metadata.grant_types,
    token_endpoint_auth_method: metadata.token_endpoint_auth_method,
    scope,
    resources,
    rules,
  };
  await recordAudit(trx, { type: 'client_registered', actor, clientId, detail }, meta);
}
