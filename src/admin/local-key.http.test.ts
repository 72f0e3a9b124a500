import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { type TestAdmin, testAdmin } from './admin.testing.ts';
import { makeLocalKey, readLocalKey } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'authserver-key-'));
const file = join(directory, 'admin.key');
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

let db: Database;
let admin: TestAdmin;
let local: ReturnType<typeof makeLocalKey>;
beforeAll(async () => {
  db = await testDatabase();
  local = makeLocalKey(directory, 'http://localhost:9001');
  admin = await testAdmin(db, { localKey: local.key, trustedProxies: ['127.0.0.1'] });
});
afterAll(async () => {
  await admin.close();
  await db.close();
  rmSync(directory, { recursive: true });
});

describe('the key in the data directory', () => {
  it('is in a file that nobody else can read, with the address of the listener', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readLocalKey(directory)).toEqual({ url: 'http://localhost:9001', key: local.key });
  });

  it('is an owner’s, and what is done with it is recorded as done at the command line', async () => {
    const session = await admin.send('/admin/api/session', { headers: bearer(local.key) });
    expect(JSON.parse(session.body)).toMatchObject({ kind: 'local_key', role: 'owner' });
    const made = await admin.send('/admin/api/users', {
      method: 'POST',
      headers: {
        ...bearer(local.key),
        'content-type': 'application/json',
        'x-authserver-system-user': 'Zo%C3%AB',
      },
      body: '{"email":"cli@example.test"}',
    });
    expect(made.status).toBe(201);
    const events = await db.kysely
      .selectFrom('audit_events')
      .select(['actor_kind', 'actor_id'])
      .where('type', '=', 'user_created')
      .execute();
    expect(events).toEqual([{ actor_kind: 'cli', actor_id: 'Zoë' }]);
  });

  it('MUST NOT be taken from another computer, also behind a proxy on this one', async () => {
    const headers = { ...bearer(local.key), 'x-forwarded-for': '192.0.2.1' };
    expect(await admin.send('/admin/api/session', { headers })).toMatchObject({ status: 401 });
  });

  it('MUST NOT be good for anything at a server that has another', async () => {
    const other = await testAdmin(db, { localKey: 'k'.repeat(43) });
    const none = await testAdmin(db);
    for (const server of [other, none]) {
      const answer = await server.send('/admin/api/session', { headers: bearer(local.key) });
      expect(answer.status).toBe(401);
      await server.close();
    }
  });

  it('is removed at the end, unless another server has put its own there', () => {
    const second = makeLocalKey(directory, 'http://localhost:9002');
    local.remove();
    expect(readLocalKey(directory)?.key).toBe(second.key);
    second.remove();
    expect(readLocalKey(directory)).toBeUndefined();
  });

  it.each([
    ['others can read', `{"url":"http://localhost:9001","key":"${'k'.repeat(43)}"}`, 0o644],
    ['is half of one', '{"url":"http://local', 0o600],
    ['has no key', '{"url":"http://localhost:9001"}', 0o600],
  ])('is none where the file %s', (_what, text, mode) => {
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode });
    expect(readLocalKey(directory)).toBeUndefined();
  });
});
