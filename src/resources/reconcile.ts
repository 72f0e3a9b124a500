import type { Kysely } from 'kysely';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { openHook, sealHook } from './claims-hook.ts';
import {
  announceResources,
  insertResource,
  type SealedColumns,
  type StoredResource,
  selectResources,
  updateResource,
} from './queries.ts';
import {
  changesBetween,
  type DeclaredColumns,
  type DeclaredResource,
  planReconcile,
  type ReconcilePlan,
  type ResourceRow,
} from './reconcile-policy.ts';

/** Slugs of what happened to which resource. */
export interface ResourcesReport {
  created: string[];
  updated: string[];
  /** Declared once and no longer: left alone. */
  removedFromConfig: string[];
  /** Declared, but made elsewhere before: left alone. */
  foreign: string[];
}

const actor = { kind: 'system' } as const;

/**
 * Makes the declared resources and changes those that were declared differently before, all or
 * nothing, with their audit events. Disabled ones stay disabled; nothing is removed.
 *
 * @param builtin the resource that this server itself is; the report says nothing of it
 * @throws ResourceConflictError when two resources cannot be told apart
 */
export async function reconcileResources(
  { db, box, now }: { db: Database; box: SecretBox; now: () => Date },
  declared: readonly DeclaredResource[],
  meta: AuditMeta,
  builtin?: DeclaredResource,
): Promise<ResourcesReport> {
  const plan = await db.withLock('reconcile_resources', () =>
    db.kysely.transaction().execute(async (trx) => {
      const planned = planReconcile(
        declared,
        (await selectResources(trx)).map((row) => opened(box, row)),
        builtin,
      );
      if (planned.builtin) await storeBuiltin(trx, planned.builtin, { box, now, meta });
      for (const columns of planned.inserts) {
        await insertResource(trx, sealed(box, columns), { source: 'config', now: now() });
        const { uri, slug, token_format } = columns;
        const scopes = columns.scopes.map(({ name }) => name);
        const detail = { slug, scopes, source: 'config', token_format };
        await recordAudit(trx, { type: 'resource_created', actor, resource: uri, detail }, meta);
      }
      for (const update of planned.updates) {
        const { uri, slug } = update.columns;
        const columns = sealed(box, update.columns);
        await updateResource(trx, { uri: update.uri, columns }, now());
        const detail = { slug, changes: update.changes };
        await recordAudit(trx, { type: 'resource_updated', actor, resource: uri, detail }, meta);
      }
      const report = reportOf(planned);
      if (report.created.length + report.updated.length > 0) {
        const { created, updated, removedFromConfig: undeclared } = report;
        const detail = { noun: 'resources', created, updated, undeclared };
        await recordAudit(trx, { type: 'config_reconciled', actor, detail }, meta);
        await announceResources(trx);
      }
      return planned;
    }),
  );
  return reportOf(plan);
}

/** Follows the issuer and the version of this server. */
async function storeBuiltin(
  trx: Kysely<Tables>,
  { columns, row }: NonNullable<ReconcilePlan['builtin']>,
  { box, now, meta }: { box: SecretBox; now: () => Date; meta: AuditMeta },
): Promise<void> {
  const { uri, slug, token_format } = columns;
  if (row) {
    await updateResource(trx, { uri: row.uri, columns: sealed(box, columns) }, now());
    const detail = { slug, changes: changesBetween(row, columns) };
    await recordAudit(trx, { type: 'resource_updated', actor, resource: uri, detail }, meta);
  } else {
    await insertResource(trx, sealed(box, columns), { source: 'builtin', now: now() });
    const scopes = columns.scopes.map(({ name }) => name);
    const detail = { slug, scopes, source: 'builtin', token_format };
    await recordAudit(trx, { type: 'resource_created', actor, resource: uri, detail }, meta);
  }
  await announceResources(trx);
}

/** The row with the secret of its hook. */
export function opened(box: SecretBox, row: StoredResource): ResourceRow {
  return { ...row, claims_hook: row.claims_hook && openHook(box, row.uri, row.claims_hook) };
}

/** The columns as they are stored. */
export function sealed(box: SecretBox, columns: DeclaredColumns): SealedColumns {
  const { uri, claims_hook: hook } = columns;
  return { ...columns, claims_hook: hook && sealHook(box, uri, hook) };
}

function reportOf({
  inserts,
  updates,
  removedFromConfig,
  foreign,
}: ReconcilePlan): ResourcesReport {
  return {
    created: inserts.map(({ slug }) => slug),
    updated: updates.map(({ columns }) => columns.slug),
    removedFromConfig,
    foreign,
  };
}
