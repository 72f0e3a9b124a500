import { randomInt } from 'node:crypto';
import type { Actor, AuditMeta } from '../audit/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { UserRow } from './queries.ts';

export type Role = 'viewer' | 'operator' | 'owner';

/** A person with an account. */
export interface User {
  /** `usr_…`: the `sub` of tokens; no client_id may look like it. */
  id: string;
  email: string;
  name?: string;
  role?: Role;
  groups: string[];
  status: 'active' | 'disabled';
  /** Who made the account; what the configuration made, it also changes. */
  source: 'config' | 'admin' | 'cli' | 'setup' | 'issuer';
  createdAt: Date;
  lastLoginAt?: Date;
}

/** When, from where and by whom something is changed; without an actor it is the server itself. */
export interface ChangeMeta extends AuditMeta {
  readonly actor?: Actor;
}

export function actorOf(meta: ChangeMeta): Actor {
  return meta.actor ?? { kind: 'system' };
}

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    email: row.email,
    ...(row.name !== null && { name: row.name }),
    ...(row.role !== null && { role: row.role }),
    groups: row.groups,
    status: row.status,
    source: row.source,
    createdAt: row.created_at,
    ...(row.last_login_at !== null && { lastLoginAt: row.last_login_at }),
  };
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function newUserId(): string {
  return `usr_${Array.from({ length: 20 }, () => base62[randomInt(base62.length)]).join('')}`;
}

/** What a form or an API call has to correct. */
export type RefusedField = 'email' | 'password' | 'name' | 'role' | 'status' | 'token' | 'identity';

/** A change to an account that is refused, with the field to correct and a sentence to show beside it. */
export class AccountRefusal extends OAuthError {
  readonly field: RefusedField;

  constructor(field: RefusedField, sentence: string, status: 400 | 404 | 409 = 400) {
    super('invalid_request', sentence, { status, detail: { field } });
    this.field = field;
  }
}
