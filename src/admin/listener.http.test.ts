import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { type TestAdmin, testAdmin } from './admin.testing.ts';

const apiKey = 'a-key-of-sixteen-characters-or-more';
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const paths = [
  '/health',
  '/ready',
  '/livez',
  '/metrics',
  '/admin/setup',
  '/admin/setup/done',
  '/assets/one-time-link.js',
  '/assets/pages.css',
  '/',
];

let db: Database;
let admin: TestAdmin;
beforeAll(async () => {
  db = await testDatabase();
  admin = await testAdmin(db, { apiKey, externalUrl: 'https://admin.example.com' });
});
afterAll(async () => {
  await admin.close();
  await db.close();
});

describe('the Host of a request (DNS rebinding)', () => {
  it.each(paths)('MUST be known on %s, whatever else is sent', async (path) => {
    const host = 'evil.test:9001';
    const forwarded = { 'x-forwarded-host': 'localhost', ...bearer(apiKey).headers };
    const answer = await admin.send(path, { headers: { host, ...forwarded } });
    expect(answer.status).toBe(421);
    expect(JSON.parse(answer.body)).toMatchObject({
      error: 'invalid_request',
      trace_id: expect.stringMatching(/^[0-9A-Z]{10}$/),
    });
    expect(answer.body).not.toContain('evil.test');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each(['localhost:9001', '127.0.0.1', '[::1]:9001', 'admin.example.com'])(
    'may be %s',
    async (host) => {
      expect(await admin.send('/livez', { headers: { host } })).toMatchObject({ status: 200 });
    },
  );

  it('never becomes a link or an asset address of a page', async () => {
    const headers = { host: 'localhost:1', 'x-forwarded-host': 'evil.test', accept: 'text/html' };
    const { body } = await admin.send('/admin/setup', { headers });
    expect(body).not.toContain('evil.test');
    expect(body).toContain('href="/assets/pages.css');
  });
});

describe('health', () => {
  it('answers ready and live', async () => {
    for (const path of ['/health', '/ready', '/livez']) {
      const answer = await admin.send(path);
      expect(answer).toMatchObject({ status: 200, body: '{"status":"ok"}' });
      expect(answer.headers['cache-control']).toBe('no-store');
    }
  });

  it('MUST answer 503 with a reason and Retry-After when it is not ready, and still be live', async () => {
    const health = async () => ({ ready: false, reason: 'database' }) as const;
    const broken = await testAdmin(db, { health });
    const answer = await broken.send('/ready');
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(JSON.parse(answer.body)).toEqual({ status: 'unavailable', reason: 'database' });
    expect(await broken.send('/livez')).toMatchObject({ status: 200 });
    await broken.close();
  });
});

describe('metrics', () => {
  it('MUST require the API key', async () => {
    const answer = await admin.send('/metrics', bearer(apiKey));
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.body).toContain('authserver_');
  });

  it.each([
    ['nothing', {}],
    ['another key', bearer(`${apiKey}x`)],
    ['a prefix of it', bearer(apiKey.slice(0, -1))],
    ['an empty one', bearer('')],
    ['Basic', { headers: { authorization: `Basic ${apiKey}` } }],
  ])('answers 401 with a challenge to %s', async (_what, sent) => {
    const answer = await admin.send('/metrics', sent);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(answer.body).not.toContain(apiKey);
  });

  it('MUST be closed to everybody while no key is configured', async () => {
    const keyless = await testAdmin(db);
    for (const key of ['', 'undefined', 'null', apiKey]) {
      expect(await keyless.send('/metrics', bearer(key))).toMatchObject({ status: 401 });
    }
    await keyless.close();
  });

  it('are absent when they are switched off', async () => {
    const off = await testAdmin(db, { apiKey, metricsEnabled: false });
    expect(await off.send('/metrics', bearer(apiKey))).toMatchObject({ status: 404 });
    await off.close();
  });
});

describe('other paths and methods', () => {
  it.each([
    '/adminx',
    '/admin/uix',
    '/ADMIN/setup',
    '/admin/setup/',
    '//admin/setup',
    '/admin/../metrics',
    '/metrics;x=1',
    '/%6detrics',
    '/admin/assets/../setup.ts',
    '/%00',
    '/%zz',
  ])('answer 404 or 400 to %s', async (path) => {
    const { status } = await admin.send(path, bearer(apiKey));
    expect([400, 404]).toContain(status);
  });

  it.each(['PUT', 'DELETE', 'PROPFIND', 'TRACE', 'POST'])(
    'refuse %s with 405 or 404',
    async (method) => {
      for (const path of ['/metrics', '/livez', '/assets/one-time-link.js']) {
        const { status } = await admin.send(path, { method, ...bearer(apiKey) });
        expect([404, 405]).toContain(status);
      }
    },
  );
});
