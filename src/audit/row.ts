import type { Insertable } from 'kysely';
import type { AuditEventsTable } from '../db/index.ts';
import type { AuditEvent, AuditMeta } from './events.ts';

/** Characters kept of each text; what clients and browsers send must not fill the log. */
const longest = { userAgent: 256, name: 256, identifier: 2048, address: 64, detail: 1024 };
const mostItems = 100;
const deepest = 6;

/**
 * The row of an event, for callers that insert it together with other rows in one statement.
 * Texts are cut and cleaned, so that nothing that a client sent can make the INSERT fail.
 */
export function auditRow(event: AuditEvent, meta: AuditMeta): Insertable<AuditEventsTable> {
  return {
    at: meta.at,
    type: event.type,
    actor_kind: event.actor.kind,
    actor_id: column(event.actor.id, longest.identifier),
    client_id: column(event.clientId, longest.identifier),
    user_id: column(event.userId, longest.name),
    resource: column(event.resource, longest.identifier),
    ip: column(meta.ip, longest.address),
    user_agent: column(meta.userAgent, longest.userAgent),
    trace_id: column(meta.traceId, longest.address),
    detail: JSON.stringify(storable(event.detail, 0)),
  };
}

function column(value: string | undefined, length: number): string | null {
  return value === undefined ? null : cleaned(value, length);
}

/** Postgres refuses NUL in text (22021) and NUL or lone surrogates in jsonb (22P05). */
function cleaned(value: string, length: number): string {
  const stored = value.replaceAll('\0', '');
  const cut = stored.length > length ? `${stored.slice(0, length - 1)}…` : stored;
  return cut.toWellFormed();
}

function storable(value: unknown, depth: number, length = longest.detail): unknown {
  if (typeof value === 'string') return cleaned(value, length);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= deepest) return '…';
  if (Array.isArray(value)) return storableList(value, depth);
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, mostItems)
      .map(([name, member]) => [
        cleaned(name, longest.name),
        storable(member, depth + 1, name.endsWith('name') ? longest.name : longest.detail),
      ]),
  );
}

function storableList(values: readonly unknown[], depth: number): unknown[] {
  const kept = values.slice(0, mostItems).map((value) => storable(value, depth + 1));
  return values.length > mostItems ? [...kept, `… ${values.length - mostItems} more`] : kept;
}
