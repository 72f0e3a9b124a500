import type { Database } from '../db/index.ts';
import { type Approval, approveGrant, type GrantRow } from './index.ts';

export const start = new Date('2026-03-01T12:00:00Z');

export function later(minutes: number): Date {
  return new Date(start.getTime() + minutes * 60_000);
}

/** Empties the tables and makes the people alice and bob, and the clients app and other. */
export async function makePeopleAndClients({ kysely }: Database): Promise<void> {
  for (const table of [
    'issuances',
    'artifacts',
    'families',
    'grants',
    'users',
    'clients',
  ] as const) {
    await kysely.deleteFrom(table).execute();
  }
  const at = { created_at: start, updated_at: start };
  const people = ['alice', 'bob'].map((id) => ({
    id,
    email: `${id}@example.com`,
    email_key: id,
    source: 'config' as const,
    ...at,
  }));
  await kysely.insertInto('users').values(people).execute();
  const clients = ['app', 'other'].map((client_id) => ({
    client_id,
    kind: 'dcr' as const,
    metadata: '{}',
    source: 'registration' as const,
    ...at,
  }));
  await kysely.insertInto('clients').values(clients).execute();
}

/** An approval by alice for the client app. */
export function approve({ kysely }: Database, changes: Partial<Approval> = {}): Promise<GrantRow> {
  return approveGrant(kysely, {
    userId: 'alice',
    client: { clientId: 'app', kind: 'dcr', digest: 'd1' },
    resource: 'https://rs1.test/mcp',
    workspaceId: '',
    scopes: ['read'],
    offeredScopes: ['read', 'write'],
    redirectUri: 'http://127.0.0.1:54321/cb',
    now: start,
    ...changes,
  });
}
