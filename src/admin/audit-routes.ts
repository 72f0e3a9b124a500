import type { z } from 'zod';
import {
  type AuditLog,
  eventKey,
  type ListedEvent,
  recordAudit,
  type SealOf,
  type VerifierState,
  wireEvent,
} from '../audit/index.ts';
import { cutPage, pageCursor } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { spanOf } from './audit-span.ts';
import { type AuditStreamDeps, auditStreams } from './audit-streams.ts';
import type { Authenticate } from './caller.ts';
import type { verification } from './contract/audit.ts';
import { audit } from './contract/index.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface AuditDeps extends AuditStreamDeps {
  auditLog: AuditLog;
}

/** What happened: to look at, to check, and what could not be delivered. */
export function auditRoutes(deps: AuditDeps, authenticate: Authenticate): ServedRoute[] {
  const { auditLog } = deps;
  return [
    fulfil(audit.list, async ({ query: { cursor, sort, from, to, ...query } }) => {
      const cursors = pageCursor(`audit ${sort}`);
      const after = cursor === undefined ? undefined : numbered(cursors.read(cursor));
      const found = await auditLog.list({ ...query, ...spanOf({ from, to }), sort, after });
      return {
        items: found.items.map(toWire),
        ...(found.next && { next_cursor: cursors.write(found.next) }),
      };
    }),

    fulfil(audit.verification, async () => verificationToWire(auditLog.verifier.state())),
    fulfil(audit.verify, async ({ body: { from, head: known } }, { actor, meta }) => {
      const event = { type: 'audit_verification_started', actor, detail: {} } as const;
      await recordAudit(deps.db.kysely, event, meta);
      const asked = { known, ...(from !== undefined && { from: new Date(from) }) };
      return verificationToWire(auditLog.verifier.start(asked));
    }),

    fulfil(audit.deadLetters, async ({ query: { limit, cursor } }) => {
      const cursors = pageCursor('audit dead letters');
      const after = cursor === undefined ? undefined : numbered(cursors.read(cursor));
      const letters = await auditLog.deadLetters(limit, after);
      const place = ({ failedAt: at, id }: (typeof letters)[number]) => ({ at, id });
      const { items, next } = cutPage(letters, limit, place);
      return {
        items: items.map(({ id, eventId, eventAt, type, reason, attempts, failedAt }) => ({
          id,
          event_id: eventKey({ number: eventId, micros: BigInt(eventAt.getTime()) * 1000n }),
          event_at: eventAt.toISOString(),
          ...{ type, reason, attempts },
          failed_at: failedAt.toISOString(),
        })),
        ...(next && { next_cursor: cursors.write(next) }),
      };
    }),

    fulfil(audit.retry, async ({ params: { id } }, { actor, meta }) => {
      if (!isNumber(id)) throw unknownId();
      const retried = await auditLog.retry(id, { actor, meta });
      if (!retried) throw unknownId();
      return {
        delivered: retried.delivered,
        reason: retried.delivered ? null : retried.reason,
      };
    }),

    ...auditStreams(deps, authenticate),

    fulfil(audit.get, async ({ params: { id } }) => {
      const found = await auditLog.find(id);
      if (!found) throw unknownId();
      return { ...toWire(found.event), seal: found.seal ? sealToWire(found.seal) : null };
    }),
  ];
}

/** A forged cursor must not reach the database as anything but a number (AD08). */
function numbered<P extends { id: string }>(place: P): P {
  if (isNumber(place.id)) return place;
  throw new OAuthError(
    'invalid_request',
    'cursor is not from a previous page of this list. Start without it.',
  );
}

function isNumber(id: string): boolean {
  return /^\d{1,18}$/.test(id);
}

function toWire(event: ListedEvent) {
  return { ...wireEvent(event), detail: jsonOf(event.detail), sealed: event.sealed };
}

type Json = z.core.util.JSONType;

/** What comes from a jsonb column can be nothing else. */
function jsonOf(detail: Record<string, unknown>): Record<string, Json> {
  return JSON.parse(JSON.stringify(detail));
}

function sealToWire({ seq, block, sealedAt, digest, signedAt }: SealOf) {
  return {
    ...{ seq, block, digest },
    sealed_at: sealedAt.toISOString(),
    signed_at: signedAt?.toISOString() ?? null,
  };
}

function verificationToWire(state: VerifierState): z.input<typeof verification> {
  const { broken } = state;
  return {
    status: state.status,
    started_at: state.startedAt?.toISOString() ?? null,
    finished_at: state.finishedAt?.toISOString() ?? null,
    events: state.events ?? 0,
    total: state.total ?? 0,
    checkpoints: state.checkpoints ?? 0,
    signed_until: state.signedUntil ?? null,
    unsealed: state.unsealed ?? 0,
    unsealed_since: state.unsealedSince?.toISOString() ?? null,
    broken: broken
      ? {
          kind: broken.kind,
          seq: broken.seq ?? null,
          event_id: broken.eventId ?? null,
          block: broken.block ?? null,
          message: broken.message,
        }
      : null,
    head: state.head ?? null,
    dropped_before: state.floor ?? null,
    message: state.message ?? null,
  };
}
