import { join } from 'node:path';
import { sql } from 'kysely';
import { beforeAll, expect, it, vi } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { createLogger } from '../http/index.ts';
import { openRooms, type Rooms } from '../rooms.ts';
import { run } from './index.ts';
import { createPlace, type Place } from './process.testing.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let place: Place;
let file = '';
beforeAll(async () => {
  place = createPlace({ database: 'migrated' });
  file = join(place.directory, 'config.yaml');
  place.write(
    'config.yaml',
    `storage: { pglite: { path: ${join(place.directory, 'data/authserver')} } }`,
  );
  expect((await command('workspace', 'create', 'acme')).code).toBe(0);
  expect((await command('key', 'rotate')).code).toBe(0);
  await inspect((rooms) => rooms.auditLog.seal('now'));
  return () => place[Symbol.asyncDispose]();
});

/** Runs a command in this process. */
async function command(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((part) => out.push(`${part}`) > 0),
    vi.spyOn(process.stderr, 'write').mockImplementation((part) => err.push(`${part}`) > 0),
  ];
  try {
    const code = await run([...args, '--config', file]);
    return { code, stdout: out.join(''), stderr: err.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

async function json(...args: string[]) {
  const { code, stdout } = await command(...args, '--json');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

async function inspect<T>(work: (rooms: Rooms) => Promise<T>): Promise<T> {
  const { config } = loadConfig({ file, env: {}, cwd: place.directory });
  const rooms = await openRooms(config, { log: createLogger({ level: 'silent' }) });
  try {
    return await work(rooms);
  } finally {
    await rooms.close();
  }
}

it('events are listed, shown and exported', async () => {
  const rows = await json('audit', 'list', '--type', 'workspace_created', 'key_published');
  expect(rows).toMatchObject([
    { type: 'key_published', actor_kind: 'cli' },
    { type: 'workspace_created', actor_kind: 'cli' },
    { type: 'key_published', actor_kind: 'system' },
  ]);
  const shown = await json('audit', 'show', rows[0].id);
  expect(shown).toMatchObject({ type: 'key_published', seal: { seq: expect.any(Number) } });
  const { stdout } = await command('audit', 'show', rows[0].id);
  expect(stdout).toMatch(/^id {2,}\d+-\d+\n/);
  const exported = await command('audit', 'export', '--type', 'workspace_created');
  expect(exported.stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(exported.stdout)).toMatchObject({ type: 'workspace_created' });
  const csv = await command('audit', 'export', '--format', 'csv', '--from', '2020-01-01');
  expect(csv.stdout.split('\r\n')[0]).toMatch(/^"id","at","type"/);
  expect(await json('audit', 'list', '--to', '2020-01-01T00:00:00Z')).toEqual([]);
});

it.each([
  [['audit', 'list', '--type', 'nonsense'], 2, /docs\/audit-events\.md/],
  [['audit', 'list', '--from', 'yesterday'], 2, /takes a time such as/],
  [['audit', 'list', '--limit', '0'], 2, /whole number/],
  [['audit', 'export', '--format', 'xml'], 2, /ndjson or csv/],
  [['audit', 'verify', '--head', 'x'], 2, /--head takes/],
  [['audit', 'show', 'x'], 1, /audit list shows the ids/],
  [['audit', 'dead-letters', 'retry', '1'], 1, /no dead letter/],
])('%j is refused with what to do', async (args, code, sentence) => {
  const answer = await command(...args);
  expect(answer).toMatchObject({ code, stderr: expect.stringMatching(sentence) });
});

it('verify says that all is well, then names the first event that is not, and exits with 1', async () => {
  const good = await command('audit', 'verify');
  expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/^The audit log is as it/) });
  const { head } = await json('audit', 'verify');
  const known = `${head.seq}:${head.hash}`;
  expect((await command('audit', 'verify', '--head', known)).code).toBe(0);
  expect((await command('audit', 'verify', '--head', `${head.seq}:${'0'.repeat(64)}`)).code).toBe(
    1,
  );
  const [event] = await json('audit', 'list', '--type', 'workspace_created');
  await inspect(({ db }) =>
    db.kysely.transaction().execute(async (trx) => {
      await sql`SET LOCAL session_replication_role = replica`.execute(trx);
      await sql`UPDATE audit_events SET actor_id = 'nobody' WHERE type = 'workspace_created'`.execute(
        trx,
      );
    }),
  );
  const bad = await command('audit', 'verify');
  expect(bad.code).toBe(1);
  expect(bad.stdout).toContain(`BROKEN: event ${event.id} was changed after it was sealed`);
  expect(await json('audit', 'dead-letters', 'list')).toEqual([]);
});
