import { createHash, randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { createWorkspaces } from '../accounts/index.ts';
import type { Database } from '../db/index.ts';
import { createGuardedRequest } from '../http/index.ts';
import { createSecretBox } from '../keys/index.ts';
import type { McpServer } from './server.ts';
import { createUpstream } from './upstream.ts';

export const ourselves = 'http://localhost:4444';
export const ada = 'usr_ada';
export const bob = 'usr_bob';

/** A browser in which somebody is signed in. */
export function browserOf(name: string) {
  const hash = createHash('sha256').update(name).digest('base64url');
  return { mark: hash, sessionUid: `session of ${name}` };
}

export type TestUpstream = Awaited<ReturnType<typeof testUpstream>>;

/** Two workspaces, ada and bob in the first one, and the rooms with a clock that the test moves. */
export async function testUpstream(
  db: Database,
  {
    key = randomBytes(32),
    timeoutMs = 1000,
    issuer = ourselves,
    fresh = true,
  }: { key?: Buffer; timeoutMs?: number; issuer?: string; fresh?: boolean } = {},
) {
  let offset = 0;
  const now = () => new Date(Date.now() + offset * 1000);
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const endTokensOfMember = async () => 0;
  const workspaces = createWorkspaces({ db, now, endTokensOfMember });
  const upstream = createUpstream({
    ...{ db, now, log, workspaces, issuer },
    box: createSecretBox(key),
    development: true,
    iconKey: Buffer.alloc(32),
    waysOut: { authorizationServers: createGuardedRequest({ timeoutMs, now }) },
  });
  if (fresh) await seed(db, now());
  const meta = () => ({ at: now() });
  const who = { actor: { kind: 'user', id: ada } as const, meta: meta() };

  return {
    ...upstream,
    workspaces,
    meta,
    advance(seconds: number) {
      offset += seconds;
    },
    logged: () => lines.join(''),
    /** Registers an OAuth server in the first workspace, and enables it. */
    async add(url: string, more: object = {}): Promise<McpServer> {
      const input = { name: 'Tools', url, authType: 'oauth' as const, ...more };
      const made = await upstream.servers.create(
        { workspaceId: 'ws_one', userId: ada, input },
        who,
      );
      return upstream.servers.ready(made, 'enable', who);
    },
    audited: (type: string) =>
      db.kysely
        .selectFrom('audit_events')
        .selectAll()
        .where('type', '=', type)
        .orderBy('id')
        .execute(),
  };
}

async function seed(db: Database, at: Date): Promise<void> {
  for (const table of ['workspaces', 'users', 'upstream_revocations'] as const) {
    await db.kysely.deleteFrom(table).execute();
  }
  const people = ['ada', 'bob'].map((name) => ({
    id: `usr_${name}`,
    email: `${name}@example.com`,
    email_key: `${name}@example.com`,
    source: 'config' as const,
    ...{ created_at: at, updated_at: at },
  }));
  await db.kysely.insertInto('users').values(people).execute();
  const places = ['one', 'two'].map((slug) => ({
    ...{ id: `ws_${slug}`, slug, name: slug, source: 'config' as const },
    ...{ created_at: at, updated_at: at },
  }));
  await db.kysely.insertInto('workspaces').values(places).execute();
  const members = [ada, bob].map((user_id) => ({
    ...{ workspace_id: 'ws_one', user_id, role: 'member' as const, source: 'config' as const },
    created_at: at,
  }));
  await db.kysely.insertInto('workspace_members').values(members).execute();
}
