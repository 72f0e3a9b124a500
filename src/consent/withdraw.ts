import type { Kysely } from 'kysely';
import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { revokeGrant } from './revoke.ts';

export interface WithdrawalDeps {
  db: Database;
  /**
   * Marks what was issued under a grant and exchanged from that, inside the given transaction; the room that
   * owns issued tokens gives it.
   */
  endIssuedUnder: (trx: Kysely<Tables>, which: { grantId: string; now: Date }) => Promise<void>;
}

export interface Withdrawal {
  actor: Actor;
  meta: AuditMeta;
  /** For the audit log: `operator`, `account page` … */
  reason: string;
}

export type Withdrawals = ReturnType<typeof createWithdrawals>;

/** How a grant is taken back, whoever does it: the person on the account page, or an operator. */
export function createWithdrawals({ db, endIssuedUnder }: WithdrawalDeps) {
  /**
   * Withdraws grants and ends every token under them, in one transaction with their audit events. Repeating
   * it ends nothing more and leaves no second event. Does NOT check whose they are.
   *
   * @returns ids of those that ended just now
   */
  async function withdraw(grantIds: readonly string[], by: Withdrawal): Promise<string[]> {
    const inOrder = [...new Set(grantIds)].sort(); // two who withdraw the same ones never wait for each other
    return db.kysely.transaction().execute(async (trx) => {
      const ended: string[] = [];
      for (const grantId of inOrder) {
        if (await withdrawOne(trx, grantId, by)) ended.push(grantId);
      }
      return ended;
    });
  }

  async function withdrawOne(trx: Kysely<Tables>, grantId: string, by: Withdrawal) {
    const { actor, meta, reason } = by;
    const { grants, families } = await revokeGrant(trx, { grantId, now: meta.at });
    await endIssuedUnder(trx, { grantId, now: meta.at });
    for (const { userId, clientId, resource } of grants) {
      const detail = { grant_id: grantId, reason, families };
      const event = { actor, userId, clientId, resource, detail };
      await recordAudit(trx, { type: 'consent_revoked', ...event }, meta);
    }
    return grants.length > 0;
  }

  return { withdraw };
}
