import type { Kysely } from 'kysely';
import { type Database, statement, type Tables } from '../db/index.ts';

export interface NewFamily {
  id: string;
  grantId: string;
  clientId: string;
  userId: string;
  payload: Record<string, unknown>;
  expiresAt: Date;
}

const find = statement(
  'find_family',
  'SELECT payload FROM families WHERE id = $1 AND revoked_at IS NULL AND expires_at > $2',
);
/** Token families: one authorization each, the unit that reuse and RFC 7009 revocation end. */
export function createFamilies(db: Database) {
  return {
    /** Inserts the family of an approved authorization, in the transaction of its approval. */
    async start(trx: Kysely<Tables>, family: NewFamily, now: Date): Promise<void> {
      await trx
        .insertInto('families')
        .values({
          id: family.id,
          grant_id: family.grantId,
          client_id: family.clientId,
          user_id: family.userId,
          payload: JSON.stringify(family.payload),
          expires_at: family.expiresAt,
          created_at: now,
        })
        .execute();
    },
    async find(id: string, now: Date): Promise<Record<string, unknown> | undefined> {
      const [row] = await db.run<{ payload: Record<string, unknown> }>(find, [id, now]);
      return row?.payload;
    },
    /**
     * Ends everything that was issued to a person or a client, in the transaction that disables or removes
     * it: families, and the tokens that have none. They stay dead when it is enabled again.
     */
    async endAllOf(
      trx: Kysely<Tables>,
      owner: { user_id: string } | { client_id: string },
      now: Date,
    ): Promise<void> {
      const [family, token, id] =
        'user_id' in owner
          ? (['user_id', 'sub', owner.user_id] as const)
          : (['client_id', 'client_id', owner.client_id] as const);
      await trx
        .updateTable('families')
        .set({ revoked_at: now })
        .where(family, '=', id)
        .where('revoked_at', 'is', null)
        .execute();
      await trx
        .updateTable('issuances')
        .set({ revoked_at: now })
        .where(token, '=', id)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', now)
        .execute();
    },
  };
}

export type Families = ReturnType<typeof createFamilies>;
