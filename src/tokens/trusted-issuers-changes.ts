import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import { readKeySet } from '../clients/index.ts';
import type { Database } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { type TrustedIssuer, toIssuer } from './trusted-issuer-row.ts';
import {
  changedTrust,
  changesBetween,
  checkTrust,
  type TrustChange,
} from './trusted-issuers-policy.ts';
import {
  announceTrustedIssuers,
  deleteTrustedIssuer,
  insertTrustedIssuer,
  listsOf,
  lockTrustedIssuer,
  type TrustColumns,
  updateTrustedIssuer,
} from './trusted-issuers-queries.ts';

export interface By {
  actor: Actor;
  meta: AuditMeta;
  /** Looks at the row as it is, locked; throws where the change was meant for another. */
  check?: (issuer: TrustedIssuer) => void;
}

interface Deps {
  db: Database;
  now: () => Date;
  issuer: string;
}

/** What an owner changes while the server runs: each in one transaction with its audit event. */
export function createTrustChanges({ db, now, issuer: own }: Deps) {
  function requireUsable(columns: TrustColumns): void {
    checkTrust(columns, own);
    if (columns.jwks) checkKeys(columns.jwks);
  }

  return {
    async create(issuer: TrustChange & { issuer: string }, { actor, meta }: By): Promise<void> {
      const columns = changedTrust({ ...nothing, issuer: issuer.issuer }, issuer);
      requireUsable(columns);
      await db.kysely.transaction().execute(async (trx) => {
        if (!(await insertTrustedIssuer(trx, columns, { source: 'admin', now: now() }))) {
          throw new OAuthError('invalid_request', 'This issuer is trusted already. Change it.', {
            status: 409,
          });
        }
        const { subject } = columns;
        const detail = { issuer: columns.issuer, subject, source: 'admin', ...listsOf(columns) };
        await recordAudit(trx, { type: 'trusted_issuer_created', actor, detail }, meta);
        await announceTrustedIssuers(trx);
      });
    },

    update: (issuer: string, change: TrustChange, { actor, meta, check }: By): Promise<boolean> =>
      db.kysely.transaction().execute(async (trx) => {
        const row = await lockTrustedIssuer(trx, issuer);
        if (!row) return false;
        check?.(toIssuer(row));
        const columns = changedTrust(row, change);
        requireUsable(columns);
        const changes = changesBetween(row, columns);
        if (changes.length === 0) return true;
        await updateTrustedIssuer(trx, columns, now());
        const detail = { issuer, changes };
        await recordAudit(trx, { type: 'trusted_issuer_updated', actor, detail }, meta);
        await announceTrustedIssuers(trx);
        return true;
      }),

    remove: (issuer: string, { actor, meta, check }: By): Promise<boolean> =>
      db.kysely.transaction().execute(async (trx) => {
        const row = await lockTrustedIssuer(trx, issuer);
        if (!row) return false;
        check?.(toIssuer(row));
        if (row.source === 'config') throw declared();
        await deleteTrustedIssuer(trx, issuer);
        await recordAudit(trx, { type: 'trusted_issuer_removed', actor, detail: { issuer } }, meta);
        await announceTrustedIssuers(trx);
        return true;
      }),
  };
}

const nothing = {
  ...{ jwks_uri: null, jwks: null, clients: null, resources: null, scopes: null },
  subject: 'automatic',
} as const;

function checkKeys(jwks: { keys: Record<string, unknown>[] }): void {
  try {
    readKeySet(jwks, { keys: 50, kibibytes: 128 });
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : 'is not a JSON Web Key Set';
    throw new OAuthError('invalid_request', `jwks ${problem}.`, { cause });
  }
}

function declared(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'The configuration declares this issuer and would make it again. Disable it here, or remove it there first.',
    { status: 409 },
  );
}
