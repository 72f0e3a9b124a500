import { PassThrough, Readable } from 'node:stream';
import type { Context } from 'koa';
import type { createAdminSessions } from '../accounts/index.ts';
import {
  type AuditLog,
  exportTypes,
  type ListedEvent,
  recordAudit,
  wireEvent,
} from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { spanOf } from './audit-span.ts';
import type { Authenticate, By } from './caller.ts';
import { audit } from './contract/index.ts';
import { permits } from './policy.ts';
import { fulfilDownload, fulfilStream, type ServedRoute } from './served-route.ts';

export interface AuditStreamDeps {
  db: Database;
  auditLog: AuditLog;
  adminSessions: Pick<ReturnType<typeof createAdminSessions>, 'roleIn'>;
}

/** All in milliseconds. */
const heartbeat = 10_000;
/** Then the browser comes again by itself, and is asked anew who it is. */
const longest = 10 * 60_000;
/** Bytes that a follower may be behind before it is let go. */
const mostBehind = 1024 * 1024;

/** Downloads and live view. Both leave a trace: who took the log away is worth knowing. */
export function auditStreams(deps: AuditStreamDeps, authenticate: Authenticate): ServedRoute[] {
  const { auditLog } = deps;
  return [
    fulfilDownload(audit.export, async ({ query: { format, ...query } }, by) => {
      const { from, to, ...filters } = query;
      await recordAccess(deps, format, query, by);
      const day = by.meta.at.toISOString().slice(0, 10);
      const events = auditLog.export(format, { ...filters, ...spanOf({ from, to }) });
      const name = `audit-${day}.${format}`;
      return { name, type: exportTypes[format], body: Readable.from(events) };
    }),

    fulfilStream(audit.tail, async ({ query }, by, ctx) => {
      const stream = new PassThrough();
      const stop = await auditLog.follow(query, (event) => tell(stream, event));
      if (!stop) throw tooMany();
      stream.once('close', stop);
      try {
        await recordAccess(deps, 'live', query, by);
        open(ctx, stream, () => stillIn(deps, authenticate, ctx, by));
      } catch (error) {
        stream.destroy();
        throw error;
      }
    }),
  ];
}

async function recordAccess(
  { db }: AuditStreamDeps,
  format: 'ndjson' | 'csv' | 'live',
  query: Record<string, unknown>,
  { actor, meta }: By,
): Promise<void> {
  const filters = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`);
  await recordAudit(
    db.kysely,
    { type: 'audit_exported', actor, detail: { format, filters } },
    meta,
  );
}

/** Server-Sent Events (HTML §9.2), until either side ends it or who follows may no longer. */
function open(ctx: Context, stream: PassThrough, mayStay: () => Promise<boolean>): void {
  ctx.type = 'text/event-stream';
  ctx.set('Cache-Control', 'no-store');
  ctx.set('X-Accel-Buffering', 'no');
  ctx.body = stream;
  stream.write('retry: 3000\n\n');
  const ends = setTimeout(() => stream.end(), longest);
  const beats = setInterval(async () => {
    if (await mayStay()) stream.write(': here\n\n');
    else stream.end();
  }, heartbeat);
  const stop = () => {
    clearTimeout(ends);
    clearInterval(beats);
  };
  stream.once('close', stop);
  ctx.res.once('close', () => stream.destroy());
}

function tell(stream: PassThrough, event: ListedEvent): void {
  if (stream.destroyed || stream.writableEnded) return;
  const id = `${event.txn}-${event.number}`;
  const data = JSON.stringify({ ...wireEvent(event), sealed: event.sealed });
  stream.write(`id: ${id}\nevent: audit\ndata: ${data}\n\n`);
  if (stream.writableLength > mostBehind) stream.destroy();
}

/** Whoever signed out, or whose role or key was taken away, follows no longer. */
async function stillIn(
  { adminSessions }: AuditStreamDeps,
  authenticate: Authenticate,
  ctx: Context,
  by: By,
): Promise<boolean> {
  try {
    if (by.signedIn) {
      const role = await adminSessions.roleIn(by.signedIn.session.id);
      return role !== undefined && permits(role, audit.tail.permission);
    }
    await authenticate(ctx);
    return true;
  } catch {
    return false;
  }
}

function tooMany(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'As many follow the audit log as may at the same time. Close another live view, or try again.',
    { status: 503, headers: { 'Retry-After': '30' } },
  );
}
