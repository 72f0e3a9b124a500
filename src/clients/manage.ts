import { type AuditMeta, recordAudit } from '../audit/index.ts';
import { type Database, hashId } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { metadataChanges } from './changes.ts';
import { logRules } from './compatibility.ts';
import { decideRegistration } from './policy.ts';
import { deleteClient, lockManagedClient, updateClient } from './queries.ts';
import { needsSecret, type RegistrationResponse, registrationResponse } from './register.ts';
import { clientOf } from './rows.ts';
import { isClientId, newSecret } from './secrets.ts';
import type { Client, ClientsConfig, Log } from './types.ts';

export interface ManagementDeps {
  db: Database;
  now: () => Date;
  log: Log;
  changed: (clientId: string) => Promise<void>;
  /** Ends what the client holds, in the transaction that removes it. */
  endTokensOfClient: (trx: Trx, clientId: string, now: Date) => Promise<unknown>;
}

type Trx = Parameters<typeof lockManagedClient>[0];

/**
 * Management of a self-registered client by its registration access token (RFC 7592). The token manages
 * this client only, and cannot undo what an operator did: a suspended client stays as it is.
 */
export function createManagement(deps: ManagementDeps, config: ClientsConfig) {
  const { db, now } = deps;

  /** RFC 7592 §2.1. The secret is not in the answer: only its hash is stored. */
  async function read(clientId: string, token: string | undefined): Promise<RegistrationResponse> {
    const client = await db.kysely.transaction().execute((trx) => authorized(trx, clientId, token));
    return registrationResponse({ ...client, registrationToken: token }, config);
  }

  /** RFC 7592 §2.2: replaces all metadata; the whole request is judged like a new registration. */
  async function update(
    clientId: string,
    token: string | undefined,
    body: unknown,
    meta: AuditMeta,
  ): Promise<RegistrationResponse> {
    const { answer, rules } = await db.kysely.transaction().execute(async (trx) => {
      const client = await authorized(trx, clientId, token);
      checkSameClient(body, clientId);
      const { metadata, rules } = decideRegistration(body, config);
      const { hashes, secret } = secretsFor(client, needsSecret(metadata));
      await updateClient(trx, clientId, {
        client_name: metadata.client_name ?? null,
        metadata: JSON.stringify(metadata),
        secret_hashes: hashes,
        rules,
        updated_at: now(),
      });
      await recordUpdate(trx, client, metadata, meta);
      return { answer: { ...client, metadata, secret, registrationToken: token }, rules };
    });
    await deps.changed(clientId);
    logRules(deps.log, { clientId, rules, traceId: meta.traceId });
    return registrationResponse(answer, config);
  }

  /** RFC 7592 §2.3: the client and everything granted to it ends. */
  async function remove(
    clientId: string,
    token: string | undefined,
    meta: AuditMeta,
  ): Promise<void> {
    await db.kysely.transaction().execute(async (trx) => {
      const client = await authorized(trx, clientId, token);
      await deps.endTokensOfClient(trx, clientId, now());
      await deleteClient(trx, clientId);
      const detail = {
        kind: client.kind,
        client_name: client.clientName,
        reason: 'client request',
      };
      const actor = { kind: 'client', id: clientId } as const;
      await recordAudit(trx, { type: 'client_removed', actor, clientId, detail }, meta);
    });
    await deps.changed(clientId);
  }

  return { read, update, remove };
}

/** RFC 7592 §2: an unknown client and a wrong token are the same answer, so that ids cannot be probed. */
async function authorized(trx: Trx, clientId: string, token: string | undefined): Promise<Client> {
  const row =
    token && isClientId(clientId) ? await lockManagedClient(trx, clientId, token) : undefined;
  if (!row) {
    throw new OAuthError('invalid_token', 'The registration access token is not of this client', {
      headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
    });
  }
  if (row.status === 'active') return clientOf(row);
  throw new OAuthError('access_denied', 'This client was suspended by the operator', {
    status: 403,
  });
}

function checkSameClient(body: unknown, clientId: string): void {
  const own =
    typeof body === 'object' && body !== null && 'client_id' in body ? body.client_id : undefined;
  if (own === clientId) return;
  if (own === undefined)
    throw new OAuthError('invalid_request', 'client_id is missing in the body');
  throw new OAuthError('access_denied', 'client_id in the body is not that of this client', {
    status: 403,
  });
}

/** A client keeps its secret; what it proposes as one is ignored. */
function secretsFor(client: Client, needed: boolean): { hashes: string[]; secret?: string } {
  if (!needed) return { hashes: [] };
  if (client.secretHashes.length > 0) return { hashes: client.secretHashes };
  const secret = newSecret('cs');
  return { hashes: [hashId(secret)], secret };
}

async function recordUpdate(
  trx: Trx,
  before: Client,
  metadata: Client['metadata'],
  meta: AuditMeta,
): Promise<void> {
  const { clientId } = before;
  const changes = metadataChanges(before.metadata, metadata);
  if (changes.length === 0) return;
  const actor = { kind: 'client', id: clientId } as const;
  await recordAudit(trx, { type: 'client_updated', actor, clientId, detail: { changes } }, meta);
}
