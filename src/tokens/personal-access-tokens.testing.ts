import type { Database } from '../db/index.ts';
import type { Resource } from '../resources/index.ts';
import { aResource } from '../resources/resource.testing.ts';
import { type By, createTokens, type NewPersonalToken } from './index.ts';

export const start = new Date('2026-06-01T12:00:00Z');
export const day = 86_400;
export const boards = aResource({ uri: 'https://boards.test/mcp', tokenPrefix: 'cp' });

/** The time some seconds after the start. */
export function later(seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}

/** Something that somebody does so many seconds after the start. */
export function by(id: string, seconds = 0): By {
  return { actor: { kind: 'user', id }, meta: { at: later(seconds), ip: '192.0.2.1' } };
}

/** The room over a database that holds the people usr_alice and usr_bob and the resource boards. */
export async function personalTokens(db: Database) {
  const { kysely } = db;
  for (const table of ['issuances', 'users', 'resources'] as const) {
    await kysely.deleteFrom(table).execute();
  }
  const at = { created_at: start, updated_at: start };
  const people = ['alice', 'bob'].map((name) => ({
    id: `usr_${name}`,
    email: `${name}@example.test`,
    email_key: name,
    groups: name === 'alice' ? ['staff'] : [],
    source: 'config' as const,
    ...at,
  }));
  await kysely.insertInto('users').values(people).execute();
  await addResource(db, boards);
  const { personal, exchange, families } = createTokens(db, {
    tokens: { personal_access_max_ttl: 365 * day },
  });
  return {
    personal,
    exchange,
    families,
    create: (change: Partial<NewPersonalToken> = {}, who: By = by('usr_alice')) =>
      personal.create(
        { userId: 'usr_alice', resource: boards, scopes: ['read'], name: 'CI', ...change },
        who,
      ),
  };
}

async function addResource({ kysely }: Database, { uri, slug, displayName }: Resource) {
  const row = {
    ...{ uri, slug, display_name: displayName, scopes: '[]', access: '[]', claims: '{}' },
    ...{ aliases: [], clients: [], token_prefix: 'cp', exchange: null },
    ...({ token_format: 'opaque', dpop: 'supported', source: 'config' } as const),
  };
  await kysely
    .insertInto('resources')
    .values({ ...row, workspace_scoped: false, created_at: start, updated_at: start })
    .execute();
}
