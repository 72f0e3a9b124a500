import { type Kysely, sql } from 'kysely';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { type SealedColumn, sealedColumns, shortLived } from './sealed-columns.ts';
import { type SecretBox, SecretBoxError } from './secret-box.ts';

export interface Reencrypted {
  /** Values that are sealed under the current key now. */
  resealed: number;
  /** Values under a key that was not given, or damaged; they stay as they are. */
  unreadable: number;
  /** Short-lived rows that were removed instead. */
  removed: number;
}

const batch = 200;

/**
 * Seals everything in the database under the current key that was sealed under an older one. Batch by batch:
 * broken off, it goes on where it stopped. No server may run meanwhile that knows the old key only.
 *
 * @param box opens under old keys too
 */
export async function reencrypt(
  { kysely }: Database,
  box: SecretBox,
  meta: AuditMeta,
): Promise<Reencrypted> {
  const done: Reencrypted = { resealed: 0, unreadable: 0, removed: 0 };
  const current = `${box.seal('', '').split('.', 2).join('.')}.`;
  for (const column of sealedColumns) {
    let after: Row | undefined;
    do {
      after = await kysely
        .transaction()
        .execute((trx) => resealSome(trx, { column, box, current, after }, done));
    } while (after);
  }
  for (const { table, column } of shortLived) {
    const { rows } = await sql`
      DELETE FROM ${sql.table(table)}
       WHERE NOT starts_with(${sql.ref(column)}, ${current}) RETURNING 1`.execute(kysely);
    done.removed += rows.length;
  }
  const event = { type: 'data_reencrypted', actor: { kind: 'cli' }, detail: done } as const;
  await recordAudit(kysely, event, meta);
  return done;
}

type Row = Readonly<Record<string, unknown>>;

/** One batch. @returns its last row, where there may be more */
async function resealSome(
  trx: Kysely<Tables>,
  at: { column: SealedColumn; box: SecretBox; current: string; after: Row | undefined },
  done: Reencrypted,
): Promise<Row | undefined> {
  const { column, box } = at;
  const rows = await selectOld(trx, at);
  for (const row of rows) {
    const resealed = reseal(box, String(row.sealed), column.context(row));
    if (resealed === undefined) done.unreadable += 1;
    else {
      await store(trx, column, row, resealed);
      done.resealed += 1;
    }
  }
  return rows.length < batch ? undefined : rows.at(-1);
}

function reseal(box: SecretBox, sealed: string, context: string): string | undefined {
  try {
    return box.seal(box.open(sealed, context), context);
  } catch (error) {
    if (error instanceof SecretBoxError) return undefined;
    throw error;
  }
}

async function selectOld(
  trx: Kysely<Tables>,
  { column, current, after }: { column: SealedColumn; current: string; after: Row | undefined },
): Promise<Row[]> {
  const key = sql.join(column.key.map((name) => sql.ref(name)));
  const names = [...column.key, ...(column.reads ?? [])].map((name) => sql.ref(name));
  const value = sealedValue(column);
  const later = after && sql`AND (${key}) > (${sql.join(column.key.map((name) => after[name]))})`;
  const { rows } = await sql<Row>`
    SELECT ${sql.join(names)}, ${value} AS sealed FROM ${sql.table(column.table)}
     WHERE ${value} IS NOT NULL AND NOT starts_with(${value}, ${current}) ${later ?? sql``}
     ORDER BY ${key} LIMIT ${batch} FOR UPDATE`.execute(trx);
  return rows;
}

async function store(
  trx: Kysely<Tables>,
  column: SealedColumn,
  row: Row,
  sealed: string,
): Promise<void> {
  const same = column.key.map((name) => sql`${sql.ref(name)} = ${row[name]}`);
  const target = sql.ref(column.column);
  const value =
    column.member === undefined
      ? sql`${sealed}`
      : sql`jsonb_set(${target}, ARRAY[${column.member}::text], to_jsonb(${sealed}::text))`;
  await sql`
    UPDATE ${sql.table(column.table)} SET ${target} = ${value}
     WHERE ${sql.join(same, sql` AND `)}`.execute(trx);
}

function sealedValue({ column, member }: SealedColumn) {
  return member === undefined ? sql.ref(column) : sql`(${sql.ref(column)} ->> ${sql.lit(member)})`;
}
