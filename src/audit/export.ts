import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';
import { eventKey } from './event-key.ts';
import type { EventFilters } from './filters.ts';
import { type ListedEvent, listEvents } from './listing.ts';

export type ExportFormat = 'ndjson' | 'csv';

export const exportTypes = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8; header=present',
} as const;

/** An event as it leaves the server. */
export function wireEvent(event: ListedEvent) {
  const { number, micros, at, txn, sealed, detail, ...rest } = event;
  return { id: eventKey({ number, micros }), at: at.toISOString(), ...rest, detail };
}

export type WireEvent = ReturnType<typeof wireEvent>;

const batch = 500;

/** Events oldest first, a few hundred at a time: memory stays flat whatever there is. */
export async function* readEvents(
  db: Kysely<Tables>,
  filters: EventFilters,
): AsyncGenerator<ListedEvent[]> {
  let after: Awaited<ReturnType<typeof listEvents>>['next'];
  do {
    const page = await listEvents(db, { ...filters, sort: 'at', limit: batch, after });
    if (page.items.length > 0) yield page.items;
    after = page.next;
  } while (after);
}

/** The text of an export, piece by piece. */
export async function* exportEvents(
  db: Kysely<Tables>,
  format: ExportFormat,
  filters: EventFilters,
): AsyncGenerator<string> {
  if (format === 'csv') yield csvLine([...csvColumns]);
  for await (const events of readEvents(db, filters)) {
    const lines = events.map((event) => {
      const row = wireEvent(event);
      return format === 'csv' ? csvRow(row) : `${JSON.stringify(row)}\n`;
    });
    yield lines.join('');
  }
}

const csvColumns = [
  ...['id', 'at', 'type', 'actor_kind', 'actor_id', 'client_id', 'user_id', 'username'],
  ...['resource', 'ip', 'user_agent', 'trace_id', 'detail'],
] as const;

function csvRow(row: WireEvent): string {
  const values = new Map<string, unknown>(Object.entries(row));
  return csvLine(
    csvColumns.map((name) => {
      const value = values.get(name) ?? '';
      return typeof value === 'string' ? value : JSON.stringify(value);
    }),
  );
}

/** RFC 4180, every field quoted. */
function csvLine(values: readonly string[]): string {
  return `${values.map((value) => `"${harmless(value).replaceAll('"', '""')}"`).join(',')}\r\n`;
}

/**
 * Attack: a client's name that a spreadsheet takes for a formula (CWE-1236). An apostrophe before it makes
 * text of it; the wide forms are taken for formulas by some.
 */
function harmless(value: string): string {
  return /^\s*[=+\-@\t\r\n|＝＋－＠]/.test(value) ? `'${value}` : value;
}
