import type { Kysely } from 'kysely';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Tables } from '../db/index.ts';
import { type IdentityProvider, toProvider } from './identity-provider-row.ts';
import {
  createdDetail,
  createProviderChanges,
  type IdentityProvidersDeps,
} from './identity-providers-changes.ts';
import {
  type DeclaredProvider,
  type ProviderColumns,
  type ProvidersPlan,
  planProviders,
} from './identity-providers-policy.ts';
import {
  announceProviders,
  identityProvidersChannel,
  insertProvider,
  selectProviders,
  updateProvider,
} from './identity-providers-queries.ts';
import { sealedRow, storedProvider } from './identity-providers-secrets.ts';

/** Slugs of what happened to which. */
export interface ProvidersReport {
  created: string[];
  updated: string[];
  /** Declared once and no longer: left alone, and still used unless disabled. */
  removedFromConfig: string[];
  /** Declared, but made elsewhere before: left alone. */
  foreign: string[];
}

export type IdentityProviders = Awaited<ReturnType<typeof createIdentityProviders>>;

/** The identity providers, in memory, following changes that this or another replica makes. */
export async function createIdentityProviders(deps: IdentityProvidersDeps) {
  const { db, log } = deps;
  let providers: IdentityProvider[] = [];
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** One after the other: an older read must not overwrite a newer one. */
  function reload(): Promise<void> {
    const result = queue.then(async () => {
      if (!closed) providers = (await selectProviders(db.kysely)).map(toProvider);
    });
    queue = result.catch(() => {});
    return result;
  }

  const bySlug = (slug: string) => providers.find((one) => one.slug === slug);
  async function after<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    await reload();
    return result;
  }

  const stopListening = await db.listen(identityProvidersChannel, () => {
    reload().catch((err) => log.error({ err }, 'the identity providers could not be read again'));
  });
  await reload();
  const changes = createProviderChanges(deps);
  return {
    /** All of them, disabled ones too, by slug. */
    all: (): IdentityProvider[] => [...providers],
    /** An enabled one. */
    find: (slug: string): IdentityProvider | undefined =>
      providers.find((one) => one.enabled && one.slug === slug),
    /** What the sign-in page offers. */
    buttons: (): { slug: string; name: string }[] =>
      providers
        .filter(({ enabled }) => enabled)
        .map(({ slug, display_name: name }) => ({ slug, name })),
    /** See {@link reconcileProviders}. */
    reconcile: (declared: readonly DeclaredProvider[], meta: AuditMeta): Promise<ProvidersReport> =>
      after(reconcileProviders(deps, declared, meta)),
    /** @throws OAuthError invalid_request, 409 when the slug is taken */
    async create(...input: Parameters<typeof changes.create>) {
      await after(changes.create(...input));
      return bySlug(input[0].slug);
    },
    /** @returns undefined when there is none with that slug @throws OAuthError invalid_request */
    async update(...input: Parameters<typeof changes.update>) {
      await after(changes.update(...input));
      return bySlug(input[0]);
    },
    /** @returns undefined when there is none @throws OAuthError 409 for the last way to sign in */
    async setEnabled(...input: Parameters<typeof changes.setEnabled>) {
      await after(changes.setEnabled(...input));
      return bySlug(input[0]);
    },
    /** @returns what it was @throws OAuthError 409 where the configuration would make it again */
    async remove(...input: Parameters<typeof changes.remove>) {
      const before = bySlug(input[0]);
      return (await after(changes.remove(...input))) ? before : undefined;
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
 * Makes the declared providers and changes those that were declared differently before, all or nothing,
 * with their audit events. Disabled ones stay disabled; nothing is removed.
 */
function reconcileProviders(
  { db, box, now }: Pick<IdentityProvidersDeps, 'db' | 'box' | 'now'>,
  declared: readonly DeclaredProvider[],
  meta: AuditMeta,
): Promise<ProvidersReport> {
  return db.withLock('reconcile_identity_providers', () =>
    db.kysely.transaction().execute(async (trx) => {
      const rows = await selectProviders(trx);
      const plan = planProviders(
        declared,
        rows.map((row) => ({ ...storedProvider(box, row), source: row.source })),
      );
      const seal = (columns: ProviderColumns) => sealedRow(box, columns);
      await apply(trx, plan, { seal, now: now(), meta });
      return reportOf(plan);
    }),
  );
}

async function apply(
  trx: Kysely<Tables>,
  plan: ProvidersPlan,
  by: {
    seal: (columns: ProviderColumns) => ReturnType<typeof sealedRow>;
    now: Date;
    meta: AuditMeta;
  },
): Promise<void> {
  const { seal, now, meta } = by;
  for (const columns of plan.inserts) {
    await insertProvider(trx, seal(columns), { source: 'config', now });
    const detail = createdDetail(columns, 'config');
    await recordAudit(trx, { type: 'identity_provider_created', actor, detail }, meta);
  }
  for (const { columns, changes } of plan.updates) {
    await updateProvider(trx, seal(columns), now);
    const detail = { slug: columns.slug, changes };
    await recordAudit(trx, { type: 'identity_provider_updated', actor, detail }, meta);
  }
  const { created, updated, removedFromConfig: undeclared } = reportOf(plan);
  if (created.length + updated.length === 0) return;
  const detail = { noun: 'identity_providers', created, updated, undeclared };
  await recordAudit(trx, { type: 'config_reconciled', actor, detail }, meta);
  await announceProviders(trx);
}

function reportOf({
  inserts,
  updates,
  removedFromConfig,
  foreign,
}: ProvidersPlan): ProvidersReport {
  return {
    created: inserts.map(({ slug }) => slug),
    updated: updates.map(({ columns }) => columns.slug),
    removedFromConfig,
    foreign,
  };
}
