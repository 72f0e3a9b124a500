import { type ColumnType, type Generated, type Kysely, sql } from 'kysely';
import type { Adapter, AdapterPayload } from 'oidc-provider';

/** The table that everybody makes for the library: whatever it hands over, as JSON. */
export interface NaiveTables {
  oidc_payloads: {
    id: string;
    type: string;
    payload: ColumnType<AdapterPayload, string, string>;
    grant_id: string | null;
    user_code: string | null;
    uid: string | null;
    expires_at: Date | null;
    consumed_at: Generated<Date | null>;
  };
}

type Db = Kysely<NaiveTables>;

/** Creates the table and the indexes that the adapter's queries need. */
export async function createTable(db: Db): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS oidc_payloads (
    id text NOT NULL, type text NOT NULL, payload jsonb NOT NULL, grant_id text, user_code text,
    uid text, expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (id, type)
  )`.execute(db);
  await sql`CREATE INDEX IF NOT EXISTS oidc_payloads_grant ON oidc_payloads (grant_id)`.execute(db);
  await sql`CREATE INDEX IF NOT EXISTS oidc_payloads_uid ON oidc_payloads (uid)`.execute(db);
  await sql`CREATE INDEX IF NOT EXISTS oidc_payloads_code ON oidc_payloads (user_code)`.execute(db);
}

/**
 * The adapter that everybody writes, after the examples of oidc-provider: a query for each call.
 * Its single use is find → check → consume, so parallel redemptions of one code can succeed together.
 */
export function createNaiveAdapter(db: Db): (name: string) => Adapter {
  return (type) => {
    const find = async (column: 'id' | 'uid' | 'user_code', value: string) => {
      const row = await db
        .selectFrom('oidc_payloads')
        .selectAll()
        .where(column, '=', value)
        .where('type', '=', type)
        .executeTakeFirst();
      if (!row || (row.expires_at && row.expires_at < new Date())) return undefined;
      return { ...row.payload, ...(row.consumed_at ? { consumed: true } : {}) };
    };
    return {
      find: (id) => find('id', id),
      findByUid: (uid) => find('uid', uid),
      findByUserCode: (code) => find('user_code', code),
      async upsert(id, payload, expiresIn) {
        const row = {
          payload: JSON.stringify(payload),
          grant_id: payload.grantId ?? null,
          user_code: payload.userCode ?? null,
          uid: payload.uid ?? null,
          expires_at: expiresIn ? new Date(Date.now() + expiresIn * 1000) : null,
        };
        await db
          .insertInto('oidc_payloads')
          .values({ id, type, ...row })
          .onConflict((conflict) => conflict.columns(['id', 'type']).doUpdateSet(row))
          .execute();
      },
      async consume(id) {
        await db
          .updateTable('oidc_payloads')
          .set({ consumed_at: new Date() })
          .where('id', '=', id)
          .where('type', '=', type)
          .execute();
      },
      async destroy(id) {
        await db
          .deleteFrom('oidc_payloads')
          .where('id', '=', id)
          .where('type', '=', type)
          .execute();
      },
      async revokeByGrantId(grantId) {
        await db.deleteFrom('oidc_payloads').where('grant_id', '=', grantId).execute();
      },
    };
  };
}
