import type { Kysely } from 'kysely';
import type { BaseLogger } from 'pino';
import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { type IdentityProvider, toProvider } from './identity-provider-row.ts';
import {
  changedProvider,
  checkProvider,
  type ProviderChange,
  type ProviderColumns,
  providerChanges,
} from './identity-providers-policy.ts';
import {
  announceProviders,
  deleteProvider,
  insertProvider,
  lockProvider,
  lockProviders,
  selectProviders,
  switchProvider,
  updateProvider,
} from './identity-providers-queries.ts';
import { sealedRow, storedProvider } from './identity-providers-secrets.ts';

export interface IdentityProvidersDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  log: Pick<BaseLogger, 'error'>;
  /** Our own issuer. */
  issuer: string;
  /** `session.local_sign_in`: without it the last provider is the last way in. */
  localSignIn: boolean;
}

/** Who changes something, and when and from where. */
export interface ChangedBy {
  actor: Actor;
  meta: AuditMeta;
  /** Looks at the row as it is, locked; throws where the change was meant for another. */
  check?: (provider: IdentityProvider) => void;
}

type NewProvider = ProviderChange & { slug: string; issuer: string; client_id: string };

/** What an owner changes while the server runs: each in one transaction with its audit event. */
export function createProviderChanges({
  db,
  box,
  now,
  issuer,
  localSignIn,
}: IdentityProvidersDeps) {
  const transaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>) =>
    db.kysely.transaction().execute(work);

  async function requireAnotherWay(trx: Kysely<Tables>, slug: string): Promise<void> {
    if (localSignIn) return;
    const others = (await selectProviders(trx)).filter((one) => one.enabled && one.slug !== slug);
    if (others.length > 0) return;
    throw conflict('This is the last way to sign in, as session.local_sign_in is off.');
  }

  return {
    create: (input: NewProvider, { actor, meta }: ChangedBy): Promise<void> => {
      const { slug, issuer: theirs, client_id } = input;
      const columns = changedProvider({ slug, issuer: theirs, client_id }, input);
      checkProvider(columns, issuer);
      return transaction(async (trx) => {
        if (
          !(await insertProvider(trx, sealedRow(box, columns), { source: 'admin', now: now() }))
        ) {
          throw conflict(
            'There is an identity provider with this slug. Change it, or take another.',
          );
        }
        const detail = createdDetail(columns, 'admin');
        await recordAudit(trx, { type: 'identity_provider_created', actor, detail }, meta);
        await announceProviders(trx);
      });
    },

    update: (
      slug: string,
      change: ProviderChange,
      { actor, meta, check }: ChangedBy,
    ): Promise<void> =>
      transaction(async (trx) => {
        const row = await lockProvider(trx, slug);
        if (!row) return;
        check?.(toProvider(row));
        const before = storedProvider(box, row);
        const columns = changedProvider(before, change);
        checkProvider(columns, issuer);
        const changes = providerChanges(before, columns);
        if (changes.length === 0) return;
        await updateProvider(trx, sealedRow(box, columns), now());
        const detail = { slug, changes };
        await recordAudit(trx, { type: 'identity_provider_updated', actor, detail }, meta);
        await announceProviders(trx);
      }),

    setEnabled: (slug: string, enabled: boolean, { actor, meta }: ChangedBy): Promise<void> =>
      transaction(async (trx) => {
        await lockProviders(trx);
        const row = await lockProvider(trx, slug);
        if (!row || row.enabled === enabled) return;
        if (!enabled) await requireAnotherWay(trx, slug);
        await switchProvider(trx, { slug, enabled, now: now() });
        const changes = [{ field: 'enabled', from: !enabled, to: enabled }];
        const detail = { slug, changes };
        await recordAudit(trx, { type: 'identity_provider_updated', actor, detail }, meta);
        await announceProviders(trx);
      }),

    remove: (slug: string, { actor, meta, check }: ChangedBy): Promise<boolean> =>
      transaction(async (trx) => {
        await lockProviders(trx);
        const row = await lockProvider(trx, slug);
        if (!row) return false;
        check?.(toProvider(row));
        if (row.source === 'config') throw declared();
        await requireAnotherWay(trx, slug);
        await deleteProvider(trx, slug);
        const detail = { slug, issuer: row.issuer };
        await recordAudit(trx, { type: 'identity_provider_removed', actor, detail }, meta);
        await announceProviders(trx);
        return true;
      }),
  };
}

/** For the audit log; without the secret. */
export function createdDetail(columns: ProviderColumns, source: 'config' | 'admin') {
  const { slug, issuer, client_id, display_name, settings } = columns;
  const pairs = (record: Record<string, string>) =>
    Object.entries(record).map(([there, here]) => `${there}=${here}`);
  return {
    ...{ slug, issuer, client_id, display_name, ...settings },
    roles: pairs(settings.roles),
    groups: pairs(settings.groups),
    source,
  };
}

function declared(): OAuthError {
  return conflict(
    'The configuration declares this identity provider and would make it again. Disable it here, or remove it there first.',
  );
}

function conflict(sentence: string): OAuthError {
  return new OAuthError('invalid_request', sentence, { status: 409 });
}
