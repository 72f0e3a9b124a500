import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emptyAccounts } from '../accounts/accounts.testing.ts';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import { type Answer, type TestAdmin, testAdmin } from './admin.testing.ts';
import { setupUrl } from './index.ts';

const password = 'correct horse battery';
let db: Database;
let admin: TestAdmin;
beforeAll(async () => {
  db = await testDatabase();
  admin = await testAdmin(db);
});
beforeEach(() => emptyAccounts(db));
afterAll(async () => {
  await admin.close();
  await db.close();
});

/** A browser with the form open: its cookie and its CSRF token. */
async function openForm() {
  const answer = await admin.send('/admin/setup');
  const cookie = (answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
  const csrf = /name="csrf" value="([^"]+)"/.exec(answer.body)?.[1] ?? '';
  return { answer, cookie, csrf };
}

async function linkToken(): Promise<string> {
  const link = await admin.accounts.setup.open({ at: new Date() });
  return link?.token ?? '';
}

async function post(
  fields: Record<string, string>,
  {
    headers = {},
    form,
  }: { headers?: Record<string, string>; form?: { cookie: string; csrf: string } } = {},
): Promise<Answer> {
  const { cookie, csrf } = form ?? (await openForm());
  const person = { email: 'root@example.com', name: 'Root', password, csrf, ...fields };
  return admin.send('/admin/setup', {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      cookie,
      origin: admin.origin,
      'sec-fetch-site': 'same-origin',
      accept: 'text/html',
      ...headers,
    },
    body: new URLSearchParams(person).toString(),
  });
}

const owners = () =>
  db.kysely.selectFrom('users').select(['email', 'name']).where('role', '=', 'owner').execute();

describe('the first-owner link', () => {
  it('carries its token in the fragment, on the admin listener', () => {
    expect(setupUrl('http://127.0.0.1:9001', 'TOKEN')).toBe(
      'http://127.0.0.1:9001/admin/setup#TOKEN',
    );
  });

  it('makes the owner with 303, says what to do next, and then works no more', async () => {
    const token = await linkToken();
    const made = await post({ token });
    expect(made).toMatchObject({ status: 303, headers: { location: '/admin/setup/done' } });
    expect(await owners()).toEqual([{ email: 'root@example.com', name: 'Root' }]);

    const done = await admin.send('/admin/setup/done');
    expect(done.status).toBe(200);
    expect(done.body).toContain('You are the owner');
    expect(done.body).toContain('href="https://auth.example.com/account/"');
    expect(done.body).toContain('href="/admin/ui/"');

    expect(await admin.send('/admin/setup')).toMatchObject({ status: 410 });
  });

  it('MUST refuse after setup and make one owner of two at once (BF08)', async () => {
    const form = await openForm();
    const tokens = [await linkToken(), await linkToken(), await linkToken()];
    const answers = await Promise.all(
      tokens.slice(1).map((token, n) => post({ token, email: `root${n}@example.com` }, { form })),
    );
    expect(answers.map(({ status }) => status).sort()).not.toEqual([303, 303]);
    expect(await owners()).toHaveLength(1);
    const late = await post({ token: tokens[0] ?? '', email: 'late@example.com' }, { form });
    expect(late.status).toBe(410);
    expect(await owners()).toHaveLength(1);
  });

  it('MUST be refused when guessed, without saying more than for an expired one', async () => {
    const answer = await post({ token: 'guess' });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('This link does not work');
    expect(answer.body).toContain('name="token"');
    expect(answer.body).not.toContain('guess');
    expect(await owners()).toEqual([]);
  });

  it('may be pasted whole into the field, for browsers without JavaScript', async () => {
    const token = await linkToken();
    expect(await post({ token: ` ${setupUrl(admin.origin, token)} ` })).toMatchObject({
      status: 303,
    });
  });

  it('is not asked to be finished before it was used', async () => {
    expect(await admin.send('/admin/setup/done')).toMatchObject({
      status: 302,
      headers: { location: '/admin/setup' },
    });
  });
});

describe('the setup form', () => {
  it('comes with one script of ours and nothing else that runs', async () => {
    const { answer } = await openForm();
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    const [[, src = ''] = [], ...others] = answer.body.matchAll(/<script src="([^"]*)" defer>/g);
    expect(src).toMatch(/^\/assets\/one-time-link\.js\?v=/);
    expect(others).toEqual([]);
    const script = await admin.send(src);
    expect(script).toMatchObject({ status: 200 });
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.body).toContain('location.hash');
  });

  it('has the fields email, name, password and token, the token to see without JavaScript', async () => {
    const { answer } = await openForm();
    for (const name of ['email', 'name', 'password', 'token', 'csrf']) {
      expect(answer.body).toContain(`name="${name}"`);
    }
    expect(answer.body).toMatch(/name="token" type="text"/);
  });

  it('comes back with what was typed, but for the password, when something is wrong', async () => {
    const token = await linkToken();
    const answer = await post({
      token,
      name: '"><img src=x onerror=alert(1)>',
      password: 'too short',
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('value="root@example.com"');
    expect(answer.body).toContain(`type="hidden" name="token" value="${token}"`);
    expect(answer.body).toContain('The password needs 10 characters or more.');
    expect(answer.body).not.toContain('too short');
    expect(answer.body).not.toContain('<img');
    expect(await post({ token })).toMatchObject({ status: 303 });
  });

  it.each([
    ['without a CSRF token', { csrf: '' }, {}],
    ['with another CSRF token', { csrf: 'x'.repeat(43) }, {}],
    ['without the cookie', {}, { cookie: '' }],
    ['from another origin', {}, { origin: 'https://evil.test' }],
    ['from a null origin', {}, { origin: 'null' }],
    ['cross-site', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('MUST be refused with 403 %s (T7)', async (_what, fields, headers) => {
    const token = await linkToken();
    const answer = await post({ token, ...fields }, { headers });
    expect(answer.status).toBe(403);
    expect(await owners()).toEqual([]);
  });

  it('takes every name of this computer, each as its own origin', async () => {
    const token = await linkToken();
    const form = await openForm();
    const headers = { host: 'localhost:9001', origin: 'http://localhost:9001' };
    expect(await post({ token }, { form, headers })).toMatchObject({ status: 303 });
  });

  it.each([
    ['JSON', 'application/json', '{}', 415],
    ['10 MB', 'application/x-www-form-urlencoded', `token=${'x'.repeat(10_000_000)}`, 413],
    ['NUL', 'application/x-www-form-urlencoded', 'token=%00', 400],
    ['invalid UTF-8', 'application/x-www-form-urlencoded', 'token=%ff', 400],
    ['%zz', 'application/x-www-form-urlencoded', 'token=%zz', 400],
  ])('answers %s without a 5xx', async (_what, type, body, status) => {
    const headers = { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) };
    const answer = await admin.send('/admin/setup', { method: 'POST', headers, body });
    expect(answer.status).toBe(status);
  });

  it('answers a repeated field with 400', async () => {
    const { cookie, csrf } = await openForm();
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
    const body = `csrf=${csrf}&email=a%40x.test&email=b%40x.test&token=t&password=p`;
    const answer = await admin.send('/admin/setup', { method: 'POST', headers, body });
    expect(answer.status).toBe(400);
  });
});
