import { z } from 'zod';
import type { Database } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { listClients } from './queries.ts';
import { clientOf } from './rows.ts';
import type { Client } from './types.ts';

export interface ListRequest {
  kind?: Client['kind'] | undefined;
  status?: Client['status'] | undefined;
  /** Case-insensitive prefix of id, name or document host. */
  q?: string | undefined;
  /** From the previous page. */
  cursor?: string | undefined;
  /** 1 to 200; default 50. */
  limit?: number | undefined;
}

const cursorSchema = z.tuple([z.iso.datetime(), z.string().max(2048)]);

/** One page of clients, newest first. @throws OAuthError invalid_request where the cursor is not ours */
export async function listPage(
  db: Database,
  { cursor, limit = 50, q, ...filter }: ListRequest,
): Promise<{ items: Client[]; next_cursor?: string }> {
  const size = Math.min(200, Math.max(1, Math.trunc(limit)));
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const prefix = q?.slice(0, 200).replaceAll('\0', '').toWellFormed();
  const rows = await listClients(db.kysely, { ...filter, q: prefix, after, limit: size + 1 });
  const items = rows.slice(0, size).map(clientOf);
  const last = items.at(-1);
  if (rows.length <= size || !last) return { items };
  const position = JSON.stringify([last.createdAt.toISOString(), last.clientId]);
  return { items, next_cursor: Buffer.from(position).toString('base64url') };
}

function readCursor(cursor: string): { createdAt: Date; clientId: string } {
  try {
    const text = Buffer.from(cursor, 'base64url').toString('utf8');
    const [createdAt, clientId] = cursorSchema.parse(JSON.parse(text));
    if (clientId.includes('\0')) throw new TypeError('NUL');
    return { createdAt: new Date(createdAt), clientId };
  } catch (cause) {
    throw new OAuthError('invalid_request', 'cursor is not from a previous page', { cause });
  }
}
