import type { Database } from '../db/index.ts';
import { aResource } from '../resources/resource.testing.ts';
import { createTokens } from './index.ts';

export const start = new Date('2026-06-01T12:00:00Z');
export const files = aResource({
  uri: 'https://files.test/mcp',
  slug: 'files',
  workspaceScoped: true,
});
export const notes = aResource({
  uri: 'https://notes.test/mcp',
  slug: 'notes',
  workspaceScoped: true,
});
export const acme = '11111111-1111-4111-8111-111111111111';
export const beta = '22222222-2222-4222-8222-222222222222';

/** The time some seconds after the start. */
export function later(seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}

export const ada = { id: 'usr_ada' };
export const bob = { id: 'usr_bob' };

/** When and from where something is done. */
export const at = (seconds = 0) => ({ at: later(seconds), ip: '192.0.2.1' });

/** The room over a database: Ada is an admin of Acme and Beta, Bob a member of Acme, Eve of nothing. */
export async function workspaceCredentials(db: Database) {
  const { kysely } = db;
  for (const table of ['issuances', 'workspaces', 'users', 'resources'] as const) {
    await kysely.deleteFrom(table).execute();
  }
  const times = { created_at: start, updated_at: start };
  const people = ['ada', 'bob', 'eve'].map((name) => ({
    ...{ id: `usr_${name}`, email: `${name}@example.test`, email_key: name },
    ...{ source: 'config' as const, ...times },
  }));
  await kysely.insertInto('users').values(people).execute();
  const spaces = [
    { id: acme, slug: 'acme', name: 'Acme' },
    { id: beta, slug: 'beta', name: 'Beta' },
  ].map((one) => ({ ...one, source: 'config' as const, ...times }));
  await kysely.insertInto('workspaces').values(spaces).execute();
  const members = (
    [
      [acme, ada.id, 'admin'],
      [beta, ada.id, 'admin'],
      [acme, bob.id, 'member'],
    ] as const
  ).map(([workspace_id, user_id, role]) => ({ workspace_id, user_id, role }));
  await kysely
    .insertInto('workspace_members')
    .values(members.map((one) => ({ ...one, source: 'config' as const, created_at: start })))
    .execute();
  const shape = { scopes: '[]', access: '[]', claims: '{}', exchange: null } as const;
  const format = { token_format: 'opaque', dpop: 'supported', source: 'config' } as const;
  const rows = [files, notes].map(({ uri, slug }) => ({
    ...{ uri, slug, display_name: slug, aliases: [], clients: [], token_prefix: 'as' },
    ...{ ...shape, ...format, workspace_scoped: true, ...times },
  }));
  await kysely.insertInto('resources').values(rows).execute();
  const tokens = createTokens(db, { tokens: { personal_access_max_ttl: 86_400 } });
  const { credentials } = tokens;
  return {
    ...tokens,
    regenerate: (seconds = 0, workspaceId = acme, resource = files) =>
      credentials.regenerateDefault({ workspaceId, resource, by: ada, meta: at(seconds) }),
    create: (userId: string, label = 'Laptop', seconds = 0) =>
      credentials.create({
        ...{ workspaceId: acme, resource: files, userId, label, meta: at(seconds) },
      }),
  };
}
