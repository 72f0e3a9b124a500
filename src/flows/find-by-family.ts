import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/** The attempt that an authorization came from; undefined where its record is gone. */
export async function findFlowOf(
  db: Kysely<Tables>,
  familyId: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('flows')
    .select('id')
    .where('family_id', '=', familyId)
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}
