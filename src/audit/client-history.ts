import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Tables } from '../db/index.ts';
import type { Change } from './fields.ts';

const detail = z.object({
  changes: z.array(
    z.object({ field: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }),
  ),
});

/** What changed in the metadata document of a client and when, newest first. */
export async function documentChanges(
  db: Kysely<Tables>,
  { clientId, limit }: { clientId: string; limit: number },
): Promise<{ at: Date; changes: Change[] }[]> {
  const rows = await db
    .selectFrom('audit_events')
    .select(['at', 'detail'])
    .where('client_id', '=', clientId)
    .where('type', '=', 'client_document_changed')
    .orderBy('at', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ at: row.at, changes: detail.parse(row.detail).changes }));
}
