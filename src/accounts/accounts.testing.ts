import type { AuditMeta } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import type { PasswordHasher } from './passwords.ts';

export interface TestAccounts {
  accounts: Accounts;
  db: Database;
  meta: AuditMeta;
  clock: { now: Date; forward(seconds: number): void };
  /** Every hash that a password was verified against, in order. */
  verified: string[];
  /** Users whose tokens were ended. */
  tokensEnded: string[];
  auditTypes(): Promise<string[]>;
}

export const lockout = { failures: 3, window: 600, lockout: 900 };

/** Accounts over a given empty database, with a clock to turn and a hash that costs nothing. */
export function testAccounts(
  db: Database,
  { whileVerifying = async () => {} }: { whileVerifying?: () => Promise<unknown> } = {},
): TestAccounts {
  const clock = {
    now: new Date('2026-01-01T00:00:00Z'),
    forward(seconds: number) {
      clock.now = new Date(clock.now.getTime() + seconds * 1000);
    },
  };
  const verified: string[] = [];
  const tokensEnded: string[] = [];
  const hasher: PasswordHasher = {
    hash: async (password) => `cheap:${password}`,
    verify: async (hash, password) => {
      verified.push(hash);
      await whileVerifying();
      return hash === `cheap:${password}`;
    },
  };
  const endTokensOfUser = async (_trx: unknown, userId: string) => {
    tokensEnded.push(userId);
  };
  const deps = { db, now: () => clock.now, hasher, endTokensOfUser };
  return {
    accounts: createAccounts(deps, { lockout }),
    db,
    meta: { at: clock.now, ip: '192.0.2.1' },
    clock,
    verified,
    tokensEnded,
    async auditTypes() {
      const rows = await db.kysely
        .selectFrom('audit_events')
        .select('type')
        .orderBy('id')
        .execute();
      return rows.map((row) => row.type);
    },
  };
}

export const goodPassword = 'correct horse battery';

/** Empties what tests write; audit events stay, being append-only. */
export async function emptyAccounts(db: Database): Promise<void> {
  for (const table of ['sessions', 'users', 'login_attempts', 'one_time_links'] as const) {
    await db.kysely.deleteFrom(table).execute();
  }
}
