import type { Kysely } from 'kysely';
import type { BaseLogger } from 'pino';
import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { type TrustedIssuer, toIssuer } from './trusted-issuer-row.ts';
import { createTrustChanges } from './trusted-issuers-changes.ts';
import { type DeclaredIssuer, planTrust, type TrustPlan } from './trusted-issuers-policy.ts';
import {
  announceTrustedIssuers,
  insertTrustedIssuer,
  listsOf,
  selectTrustedIssuers,
  switchTrustedIssuer,
  trustedIssuersChannel,
  updateTrustedIssuer,
} from './trusted-issuers-queries.ts';

/** Issuers to which what happened. */
export interface TrustReport {
  created: string[];
  updated: string[];
  /** Declared once and no longer: left alone, and still trusted unless disabled. */
  removedFromConfig: string[];
  /** Declared, but made elsewhere before: left alone. */
  foreign: string[];
}

export interface TrustedIssuersDeps {
  db: Database;
  now: () => Date;
  log: Pick<BaseLogger, 'error'>;
  /** Our own issuer, which is never trusted so. */
  issuer: string;
}

export type TrustedIssuers = Awaited<ReturnType<typeof createTrustedIssuers>>;

/** The trusted issuers, in memory, following changes that this or another replica makes. */
export async function createTrustedIssuers({ db, now, log, issuer: own }: TrustedIssuersDeps) {
  let issuers: TrustedIssuer[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** One after the other: an older read must not overwrite a newer one. */
  function reload(): Promise<void> {
    const result = queue.then(async () => {
      if (!closed) issuers = (await selectTrustedIssuers(db.kysely)).map(toIssuer);
    });
    queue = result.catch(() => {});
    return result;
  }

  const stopListening = await db.listen(trustedIssuersChannel, () => {
    reload().catch((err) => log.error({ err }, 'the trusted issuers could not be read again'));
  });
  await reload();
  const changes = createTrustChanges({ db, now, issuer: own });
  const one = (iss: string) => issuers.find(({ issuer }) => issuer === iss);
  return {
    /** @throws OAuthError invalid_request, 409 when there is one with that `iss` */
    async create(...input: Parameters<typeof changes.create>) {
      await changes.create(...input);
      await reload();
      return one(input[0].issuer);
    },
    /** @returns undefined when it is not known @throws OAuthError invalid_request */
    async update(...input: Parameters<typeof changes.update>) {
      await changes.update(...input);
      await reload();
      return one(input[0]);
    },
    /**
     * @returns what it was; undefined when it is not known
     * @throws OAuthError 409 for one that the configuration would make again
     */
    async remove(...input: Parameters<typeof changes.remove>) {
      const before = one(input[0]);
      const removed = await changes.remove(...input);
      await reload();
      return removed ? before : undefined;
    },
    /** All of them, disabled ones too, oldest first. */
    all: (): TrustedIssuer[] => [...issuers],
    /** The enabled issuer with this `iss`, byte for byte. */
    find: (iss: string): TrustedIssuer | undefined =>
      issuers.find(({ issuer, enabled }) => enabled && issuer === iss),
    /** See {@link reconcileTrust}. */
    async reconcile(declared: readonly DeclaredIssuer[], meta: AuditMeta): Promise<TrustReport> {
      const report = await reconcileTrust({ db, now }, declared, meta);
      await reload();
      return report;
    },
    /**
     * Ends or restores the trust in an issuer; tokens that it has bought live out their time.
     *
     * @returns false when it is not known
     */
    async setEnabled(issuer: string, enabled: boolean, by: { actor: Actor; meta: AuditMeta }) {
      if (!issuers.some((one) => one.issuer === issuer)) return false;
      await db.kysely.transaction().execute(async (trx) => {
        if (!(await switchTrustedIssuer(trx, { issuer, enabled, now: now() }))) return;
        const changes = [{ field: 'enabled', from: !enabled, to: enabled }];
        const event = { actor: by.actor, detail: { issuer, changes } };
        await recordAudit(trx, { type: 'trusted_issuer_updated', ...event }, by.meta);
        await announceTrustedIssuers(trx);
      });
      await reload();
      return true;
    },
    /** Call it before the database is closed. */
    async close(): Promise<void> {
      closed = true;
      await stopListening();
      await queue;
    },
  };
}

const actor = { kind: 'system' } as const;

/**
 * Trusts the declared issuers, and changes those that were declared differently before, all or nothing,
 * with their audit events. Disabled ones stay disabled; nothing is removed.
 */
function reconcileTrust(
  { db, now }: Pick<TrustedIssuersDeps, 'db' | 'now'>,
  declared: readonly DeclaredIssuer[],
  meta: AuditMeta,
): Promise<TrustReport> {
  return db.withLock('reconcile_trusted_issuers', () =>
    db.kysely.transaction().execute(async (trx) => {
      const plan = planTrust(declared, await selectTrustedIssuers(trx));
      await apply(trx, plan, { now: now(), meta });
      return reportOf(plan);
    }),
  );
}

async function apply(
  trx: Kysely<Tables>,
  plan: TrustPlan,
  { now, meta }: { now: Date; meta: AuditMeta },
): Promise<void> {
  for (const columns of plan.inserts) {
    await insertTrustedIssuer(trx, columns, { source: 'config', now });
    const { issuer, subject } = columns;
    const detail = { issuer, subject, source: 'config', ...listsOf(columns) };
    await recordAudit(trx, { type: 'trusted_issuer_created', actor, detail }, meta);
  }
  for (const { columns, changes } of plan.updates) {
    await updateTrustedIssuer(trx, columns, now);
    const detail = { issuer: columns.issuer, changes };
    await recordAudit(trx, { type: 'trusted_issuer_updated', actor, detail }, meta);
  }
  const { created, updated, removedFromConfig: undeclared } = reportOf(plan);
  if (created.length + updated.length === 0) return;
  const detail = { noun: 'trusted_issuers', created, updated, undeclared };
  await recordAudit(trx, { type: 'config_reconciled', actor, detail }, meta);
  await announceTrustedIssuers(trx);
}

function reportOf({ inserts, updates, removedFromConfig, foreign }: TrustPlan): TrustReport {
  return {
    created: inserts.map(({ issuer }) => issuer),
    updated: updates.map(({ columns }) => columns.issuer),
    removedFromConfig,
    foreign,
  };
}
