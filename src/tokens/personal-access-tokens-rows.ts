import { z } from 'zod';
import { OAuthError } from '../oauth/index.ts';
import type { PersonalTokenRow, Position } from './personal-access-tokens-queries.ts';

/** A named token that a person made for themselves. Never holds its value. */
export interface PersonalToken {
  /** `jti` of its issuance record: the hash of its value, which is no secret. */
  id: string;
  userId: string;
  email: string;
  name: string;
  /** URI of the one resource that it is for. */
  resource: string;
  /** The workspace that it is for, where the resource is workspace-scoped. */
  workspace?: { id: string; name: string };
  scopes: string[];
  createdAt: Date;
  expiresAt: Date;
  revokedAt?: Date;
  /** To the minute: when somebody last asked about it (introspection) or exchanged it. */
  lastUsedAt?: Date;
  /** Address of who asked, which is a resource server or a gateway, not the person. */
  lastUsedFrom?: string;
  status: 'active' | 'expired' | 'revoked';
}

const cursorSchema = z.tuple([z.iso.datetime(), z.string().max(100)]);

export function toPersonalToken(row: PersonalTokenRow, now: Date): PersonalToken {
  return {
    id: row.jti,
    userId: row.user_id,
    email: row.email,
    name: row.name,
    resource: row.resource,
    ...(row.workspace_id !== null && {
      workspace: { id: row.workspace_id, name: row.workspace_name ?? row.workspace_id },
    }),
    scopes: row.scope.split(' '),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.revoked_at !== null && { revokedAt: row.revoked_at }),
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
    ...(row.last_used_from !== null && { lastUsedFrom: row.last_used_from }),
    status: statusOf(row, now),
  };
}

function statusOf({ revoked_at, expires_at }: PersonalTokenRow, now: Date) {
  if (revoked_at !== null) return 'revoked';
  return expires_at > now ? 'active' : 'expired';
}

/** Where the page after this token begins. */
export function writeCursor({ createdAt, id }: PersonalToken): string {
  return Buffer.from(JSON.stringify([createdAt.toISOString(), id])).toString('base64url');
}

/** @throws OAuthError invalid_request */
export function readCursor(cursor: string): Position {
  try {
    const text = Buffer.from(cursor, 'base64url').toString('utf8');
    const [createdAt, jti] = cursorSchema.parse(JSON.parse(text));
    if (jti.includes('\0')) throw new TypeError('NUL');
    return { createdAt: new Date(createdAt), jti };
  } catch (cause) {
    throw new OAuthError('invalid_request', 'cursor is not from a previous page', { cause });
  }
}
