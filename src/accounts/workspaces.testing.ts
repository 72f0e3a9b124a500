import type { Database } from '../db/index.ts';
import { createWorkspaces, type Workspaces } from './workspaces.ts';

export const start = new Date('2026-01-01T00:00:00Z');

export interface TestWorkspaces {
  workspaces: Workspaces;
  /** Members whose tokens were ended, as `user in workspace`. */
  ended: string[];
  meta: { at: Date };
}

/** Workspaces over a given database, in which the people `usr_ada` and `usr_bob` are. */
export async function testWorkspaces(db: Database): Promise<TestWorkspaces> {
  for (const table of ['workspaces', 'users'] as const) await db.kysely.deleteFrom(table).execute();
  const people = ['ada', 'bob'].map((name) => ({
    id: `usr_${name}`,
    email: `${name}@example.com`,
    email_key: `${name}@example.com`,
    source: 'config' as const,
    created_at: start,
    updated_at: start,
  }));
  await db.kysely.insertInto('users').values(people).execute();
  const ended: string[] = [];
  let seconds = 0;
  const workspaces = createWorkspaces({
    db,
    now: () => new Date(start.getTime() + ++seconds * 1000),
    endTokensOfMember: async (_trx, { userId, workspaceId }) => {
      ended.push(`${userId} in ${workspaceId}`);
      return 2;
    },
  });
  return { workspaces, ended, meta: { at: start } };
}
