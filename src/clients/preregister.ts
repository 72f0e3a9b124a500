import type { Insertable } from 'kysely';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import { type ClientsTable, type Database, hashId } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { metadataChanges } from './changes.ts';
import { isDocumentUrl } from './document-url.ts';
import { difference } from './edit.ts';
import { type Decision, decidePreregistered } from './policy.ts';
import { insertClient, listDeclared, lockClient, updateClient } from './queries.ts';
import { needsSecret } from './register.ts';
import { recordRegistered } from './registered.ts';
import { clientOf } from './rows.ts';
import { newSecret } from './secrets.ts';
import type { By, Client, ClientsConfig } from './types.ts';

/** How long a replaced secret is accepted. */
const secretOverlapMs = 86_400_000;

/** A client as an operator writes it: RFC 7591 names, plus its limits. */
export interface DeclaredClient {
  client_id: string;
  client_secret?: string | undefined;
  resources?: readonly string[] | undefined;
  scope?: string | undefined;
  [member: string]: unknown;
}

export interface ReconcileReport {
  created: string[];
  updated: string[];
  unchanged: string[];
  /** Ids that clients from elsewhere (admin UI, command line) have; left alone. */
  conflicts: string[];
  /** Rows from an earlier configuration that it no longer declares; left alone. */
  undeclared: string[];
}

export interface PreregistrationDeps {
  db: Database;
  now: () => Date;
  changed: (clientId: string) => Promise<void>;
}

type Source = 'config' | 'admin' | 'cli';
type Trx = Parameters<typeof lockClient>[0];

/** Clients that operators make: from the configuration, the admin API and the command line. */
export function createPreregistration(deps: PreregistrationDeps, config: ClientsConfig) {
  const { db, now } = deps;

  /**
   * Makes a client. Where it authenticates with a secret and none is given, one is made.
   *
   * @returns the client and, once, its new secret
   * @throws OAuthError invalid_client_metadata or invalid_redirect_uri; also where the id is taken
   */
  async function create(
    declared: DeclaredClient,
    source: Exclude<Source, 'config'>,
    by: By,
  ): Promise<{ client: Client; clientSecret?: string }> {
    const { row, decision, clientSecret } = newRow(declared, source, config, now());
    const client = await db.kysely.transaction().execute(async (trx) => {
      if (await insertClient(trx, row)) {
        await recordRegistered(trx, registered(row, decision), by);
        return findLocked(trx, row.client_id);
      }
      throw new OAuthError('invalid_client_metadata', 'client_id is taken', { status: 409 });
    });
    await deps.changed(row.client_id);
    return { client, ...(clientSecret === undefined ? {} : { clientSecret }) };
  }

  /**
   * Gives a client a new secret; the one before it stays good for a day, or until {@link endSecretOverlap},
   * so that deployments can change over.
   *
   * @param old `end`: the one before it ends at once
   * @returns undefined where the client does not exist or has no secret
   */
  async function rotateSecret(
    clientId: string,
    { actor, meta }: By,
    old: 'overlap' | 'end' = 'overlap',
  ): Promise<string | undefined> {
    const secret = newSecret('cs');
    const rotated = await db.kysely.transaction().execute(async (trx) => {
      const row = await lockClient(trx, clientId);
      if (!row || !needsSecret(clientOf(row).metadata)) return false;
      const kept = old === 'overlap' ? row.secret_hashes.slice(0, 1) : [];
      const secret_hashes = [hashId(secret), ...kept];
      const old_secret_until = new Date(now().getTime() + kept.length * secretOverlapMs);
      await updateClient(trx, clientId, { secret_hashes, old_secret_until, updated_at: now() });
      const event = { type: 'client_secret_rotated', actor, clientId } as const;
      await recordAudit(trx, { ...event, detail: { old_secret_until } }, meta);
      return true;
    });
    await deps.changed(clientId);
    return rotated ? secret : undefined;
  }

  /** From now on only the newest secret is good. */
  async function endSecretOverlap(clientId: string, { actor, meta }: By): Promise<void> {
    await db.kysely.transaction().execute(async (trx) => {
      const row = await lockClient(trx, clientId);
      if (!row || row.secret_hashes.length < 2) return;
      const at = now();
      const secret_hashes = row.secret_hashes.slice(0, 1);
      await updateClient(trx, clientId, { secret_hashes, updated_at: at });
      const detail = { old_secret_until: at };
      await recordAudit(trx, { type: 'client_secret_rotated', actor, clientId, detail }, meta);
    });
    await deps.changed(clientId);
  }

  /**
   * Makes the clients that the configuration declares and changes those that it declared differently
   * before; a changed secret replaces the old one at once. Nothing made elsewhere is touched, nothing is
   * removed, a suspended client stays suspended.
   */
  async function reconcile(
    declared: readonly DeclaredClient[],
    meta: AuditMeta,
  ): Promise<ReconcileReport> {
    return db.withLock('reconcile_clients', async () => {
      const report: ReconcileReport = {
        created: [],
        updated: [],
        unchanged: [],
        conflicts: [],
        undeclared: [],
      };
      for (const one of declared) report[await reconcileOne(one, meta)].push(one.client_id);
      const ids = new Set(declared.map((one) => one.client_id));
      report.undeclared = (await listDeclared(db.kysely)).filter((id) => !ids.has(id));
      await recordReconciled(db.kysely, report, meta);
      return report;
    });
  }

  async function reconcileOne(declared: DeclaredClient, meta: AuditMeta) {
    const by: By = { actor: { kind: 'system' }, meta };
    const { row, decision } = newRow(declared, 'config', config, now());
    const outcome = await db.kysely.transaction().execute(async (trx) => {
      if (await insertClient(trx, row)) {
        await recordRegistered(trx, registered(row, decision), by);
        return 'created';
      }
      const before = await findLocked(trx, row.client_id);
      if (before.source !== 'config') return 'conflicts';
      return (await applyDeclared(trx, before, row, by)) ? 'updated' : 'unchanged';
    });
    if (outcome === 'created' || outcome === 'updated') await deps.changed(row.client_id);
    return outcome;
  }

  return { create, rotateSecret, endSecretOverlap, reconcile };
}

type NewRow = ReturnType<typeof newRow>['row'];

function newRow(declared: DeclaredClient, source: Source, config: ClientsConfig, at: Date) {
  const { client_id, client_secret, resources, ...body } = declared;
  checkClientId(client_id);
  const impliedMethod = client_secret === undefined ? undefined : 'client_secret_basic';
  const decision = decidePreregistered(
    { token_endpoint_auth_method: impliedMethod, ...body },
    config,
  );
  const { metadata } = decision;
  // A configured secret is the operator's to give: making one that nobody sees would lock the client out.
  if (source === 'config' && needsSecret(metadata) && client_secret === undefined) {
    throw new OAuthError('invalid_client_metadata', `client_secret of ${client_id} is missing`);
  }
  const made = needsSecret(metadata) && client_secret === undefined ? newSecret('cs') : undefined;
  const secret = needsSecret(metadata) ? (client_secret ?? made) : undefined;
  const row = {
    client_id,
    kind: 'preregistered',
    client_name: metadata.client_name ?? null,
    metadata: JSON.stringify(metadata),
    secret_hashes: secret === undefined ? [] : [hashId(secret)],
    resources: resources ? [...resources] : null,
    scope: decision.scope ?? null,
    rules: decision.rules,
    source,
    created_at: at,
    updated_at: at,
  } satisfies Insertable<ClientsTable>;
  return { row, decision, clientSecret: made };
}

function registered(row: NewRow, decision: Decision) {
  const { client_id: clientId, source } = row;
  return {
    clientId,
    kind: 'preregistered',
    source,
    decision,
    resources: row.resources ?? undefined,
  } as const;
}

/** RFC 6749 Appendix A.1, less what Basic cannot carry; and never what means a person or a document. */
function checkClientId(clientId: string): void {
  if (
    /^(?![.]{1,2}$)[\x21-\x7e]{1,255}$/.test(clientId) && // dots alone would be another path
    !clientId.startsWith('usr_') &&
    !isDocumentUrl(clientId)
  ) {
    return;
  }
  throw new OAuthError(
    'invalid_client_metadata',
    'client_id must be up to 255 printable characters, no URL, and not begin with usr_',
  );
}

async function findLocked(trx: Trx, clientId: string): Promise<Client> {
  const row = await lockClient(trx, clientId);
  if (!row) throw new Error('a client that was just there is gone');
  return clientOf(row);
}

/** @returns whether anything changed */
async function applyDeclared(trx: Trx, before: Client, row: NewRow, by: By): Promise<boolean> {
  const { secret_hashes, resources, scope, rules, metadata, client_name, updated_at } = row;
  const after = { ...before, metadata: JSON.parse(metadata) };
  const changes = [
    ...metadataChanges(before.metadata, after.metadata),
    ...difference('resources', before.resources ?? null, resources),
    ...difference('scope', before.scope ?? null, scope),
  ];
  const sameSecret = JSON.stringify(before.secretHashes) === JSON.stringify(secret_hashes);
  if (changes.length === 0 && sameSecret) return false;
  const { clientId } = before;
  const change = { secret_hashes, resources, scope, rules, metadata, client_name, updated_at };
  await updateClient(trx, clientId, change);
  const secretChange = sameSecret ? [] : [{ field: 'client_secret' }];
  const detail = { changes: [...changes, ...secretChange] };
  await recordAudit(trx, { type: 'client_updated', actor: by.actor, clientId, detail }, by.meta);
  return true;
}

async function recordReconciled(trx: Trx, report: ReconcileReport, meta: AuditMeta): Promise<void> {
  const { created, updated, undeclared } = report;
  if (created.length + updated.length === 0) return;
  const detail = { noun: 'clients', created, updated, undeclared };
  await recordAudit(trx, { type: 'config_reconciled', actor: { kind: 'system' }, detail }, meta);
}
