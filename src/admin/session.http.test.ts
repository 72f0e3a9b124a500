import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashId } from '../db/index.ts';
import { apiKey, bearer, startApi, type TestApi } from './api.testing.ts';
import { apiKeys, users as userContract } from './contract/index.ts';
import { cookiesOf, openSignIn, signInAs, submitSignIn } from './sign-in.testing.ts';

const password = 'a long enough password';
const people = {
  owner: { email: 'owner@example.test', password },
  viewer: { email: 'viewer@example.test', password },
  nobody: { email: 'nobody@example.test', password },
};

let api: TestApi;
const idOf = new Map<string, string>();
beforeAll(async () => {
  api = await startApi();
  const { accounts } = api.server.app.rooms;
  const meta = { at: api.server.now() };
  for (const [name, person] of Object.entries(people)) {
    const role = name === 'owner' || name === 'viewer' ? name : undefined;
    const { id } = await accounts.create({ ...person, role, source: 'admin' }, meta);
    idOf.set(name, id);
  }
});
afterAll(() => api.close());

const who = (cookie: string) => api.send('/admin/api/session', { headers: { cookie } });
const id = (name: string) => idOf.get(name) ?? '';

describe('signing in', () => {
  it('leads to the console, and tells there who is signed in and what they may', async () => {
    const { cookie, csrf } = await signInAs(api.send, people.viewer);
    const answer = await who(cookie);
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(JSON.parse(answer.body)).toEqual({
      kind: 'session',
      user: { id: id('viewer'), email: people.viewer.email, name: null },
      role: 'viewer',
      workspaces: [],
      csrf,
      expires_at: expect.any(String),
      ends_at: expect.any(String),
    });
    const [{ detail, ip } = {}] = (await api.audited('admin_session_started')).slice(-1);
    expect(detail).toMatchObject({ method: 'password', role: 'viewer' });
    expect(ip).toBeTruthy();
  });

  it('MUST make a new session id, whatever the browser had before (SE01)', async () => {
    const planted = 'authserver_admin=planted-by-somebody-else';
    const first = cookiesOf(await submitSignIn(api.send, people.viewer, { cookie: planted }));
    expect(first).toContain('authserver_admin=');
    expect(first).not.toContain('planted');
    expect(await who(planted)).toMatchObject({ status: 401 });
    const second = cookiesOf(await submitSignIn(api.send, people.owner, { cookie: '' }));
    expect(second).not.toBe(first);
  });

  it('MUST end the session that the browser had (SE01)', async () => {
    const { cookie } = await signInAs(api.send, people.viewer);
    const form = await openSignIn(api.send);
    const answer = await api.send('/admin/sign-in', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: `${form.cookie}; ${cookie}`,
      },
      body: new URLSearchParams({
        csrf: form.csrf,
        username: people.owner.email,
        password,
      }).toString(),
    });
    expect(answer.status).toBe(303);
    expect(await who(cookie)).toMatchObject({ status: 401 });
    expect(await who(cookiesOf(answer))).toMatchObject({ status: 200 });
  });

  it('MUST keep its cookie from scripts and other sites (SE02)', async () => {
    const answer = await submitSignIn(api.send, people.viewer);
    const [line = ''] = [answer.headers['set-cookie'] ?? []].flat().slice(-1);
    const [pair, ...attributes] = line.split('; ');
    expect(pair).toMatch(/^authserver_admin=[\w-]{43}$/);
    expect(attributes.toSorted()).toEqual([
      'HttpOnly',
      'Max-Age=43200',
      'Path=/',
      'SameSite=Strict',
    ]);
  });

  it('says the same to an unknown address and a wrong password, and nothing about roles (T25)', async () => {
    const bodies = await Promise.all(
      [
        { email: 'unknown@example.test', password },
        { ...people.nobody, password: 'a wrong password' },
        { ...people.owner, password: 'a wrong password' },
      ].map(async (typed) => {
        const { status, body } = await submitSignIn(api.send, typed);
        expect(status).toBe(400);
        return body
          .replaceAll(/value="[^"]*"|[0-9A-Z]{10}/g, '')
          .replaceAll(typed.email, '')
          .trim();
      }),
    );
    expect(new Set(bodies).size).toBe(1);
    expect(bodies[0]).not.toContain('administration');
  });

  it('MUST NOT let in who has no role, and says so once the password was right', async () => {
    const answer = await submitSignIn(api.send, people.nobody);
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('This account has no part in the administration.');
    expect(answer.body).not.toContain(password);
    expect(cookiesOf(answer)).not.toContain('authserver_admin=');
    expect(await api.audited('admin_sign_in_refused')).toMatchObject([{ user_id: id('nobody') }]);
  });

  it('MUST be sent from its own form in its own browser (CN03, AD04)', async () => {
    const form = await openSignIn(api.send);
    const good = { csrf: form.csrf, username: people.owner.email, password };
    const send = (fields: Record<string, string>, headers: Record<string, string>) =>
      api.send('/admin/sign-in', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(fields).toString(),
      });
    for (const [fields, headers] of [
      [{ ...good, csrf: 'x' }, { cookie: form.cookie }],
      [good, {}],
      [good, { cookie: form.cookie, origin: 'https://evil.test' }],
      [good, { cookie: form.cookie, 'sec-fetch-site': 'cross-site' }],
    ] as const) {
      const answer = await send(fields, headers);
      expect(answer.status).toBe(403);
      expect(cookiesOf(answer)).not.toContain('authserver_admin=');
    }
  });

  it.each([
    ['/admin/ui/clients?q=a#b', '/admin/ui/clients?q=a#b'],
    ['/admin/ui/', '/admin/ui/'],
    ['https://evil.test', '/admin/ui/'],
    ['//evil.test', '/admin/ui/'],
    ['/\\evil.test', '/admin/ui/'],
    ['/admin/ui/../../evil', '/admin/ui/'],
    ['/admin/ui/%2e%2e/api/x', '/admin/ui/'],
    ['/admin/ui\\..\\..', '/admin/ui/'],
    ['/admin/uix', '/admin/ui/'],
    ['javascript:alert(1)', '/admin/ui/'],
    ['/admin/ui/\r\nSet-Cookie: a=b', '/admin/ui/'],
    ['', '/admin/ui/'],
  ])('MUST stay in the console afterwards (RU22): %s', async (asked, expected) => {
    const query = `?return_to=${encodeURIComponent(asked)}&next=https://evil.test&continue=//evil.test`;
    const answer = await submitSignIn(api.send, people.viewer, { query });
    expect(answer).toMatchObject({ status: 303, headers: { location: expected } });
    // Whoever is signed in is led on at once.
    const again = await api.send(`/admin/sign-in${query}`, {
      headers: { cookie: cookiesOf(answer) },
    });
    expect(again).toMatchObject({ status: 303, headers: { location: expected } });
  });

  it('has a page that nothing runs on, whatever the address says', async () => {
    const { page } = await openSignIn(api.send, '', '?return_to=%22%3E%3Cscript%3E');
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'/);
    expect(page.headers['content-security-policy']).not.toContain('script-src');
    expect(page.body).not.toContain('<script');
    expect(page.headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store' });
  });
});

describe('a session', () => {
  it('MUST end when nothing is done for admin.session_idle, and lives on while something is', async () => {
    const { cookie } = await signInAs(api.send, people.viewer);
    for (let minutes = 0; minutes < 60; minutes += 20) {
      api.server.advance(20 * 60);
      expect(await who(cookie)).toMatchObject({ status: 200 });
    }
    api.server.advance(30 * 60 + 1);
    expect(await who(cookie)).toMatchObject({ status: 401 });
  });

  it('MUST end after admin.session_max_age whatever is done', async () => {
    const { cookie } = await signInAs(api.send, people.viewer);
    for (let minutes = 0; minutes < 12 * 60 - 25; minutes += 25) {
      expect(await who(cookie)).toMatchObject({ status: 200 });
      api.server.advance(25 * 60);
    }
    api.server.advance(25 * 60);
    expect(await who(cookie)).toMatchObject({ status: 401 });
  });

  it('is written to at most once a minute', async () => {
    const { cookie } = await signInAs(api.send, people.viewer);
    const seen = () =>
      api.server.db.kysely
        .selectFrom('admin_sessions')
        .select('last_seen_at')
        .orderBy('created_at', 'desc')
        .executeTakeFirstOrThrow();
    const before = await seen();
    api.server.advance(30);
    await who(cookie);
    expect(await seen()).toEqual(before);
    api.server.advance(31);
    await who(cookie);
    expect(await seen()).not.toEqual(before);
  });

  it('MUST follow the role of its person at once, and end with the last one', async () => {
    const { accounts, adminSessions } = api.server.app.rooms;
    const meta = { at: api.server.now() };
    const { cookie } = await signInAs(api.send, people.viewer);
    await accounts.update(id('viewer'), { role: 'operator' }, meta);
    expect(JSON.parse((await who(cookie)).body)).toMatchObject({ role: 'operator' });
    const session = hashId(cookie.split('=')[1] ?? '');
    expect(await adminSessions.roleIn(session)).toBe('operator');
    await accounts.update(id('viewer'), { role: null }, meta);
    expect(await who(cookie)).toMatchObject({ status: 401 });
    expect(await adminSessions.roleIn(session)).toBeUndefined(); // the live view of the audit log ends
    await accounts.update(id('viewer'), { role: 'viewer' }, meta);
  });

  it.each([
    ['the password is changed', () => accounts().setPassword(id('viewer'), password, now())],
    [
      'somebody signs them out everywhere',
      () => accounts().sessions.endAllFor(id('viewer'), now()),
    ],
    [
      'the account is disabled, for good',
      async () => {
        await accounts().disable(id('viewer'), now());
        await accounts().enable(id('viewer'), now());
      },
    ],
  ])('MUST end when %s', async (_what, work) => {
    const { cookie } = await signInAs(api.send, people.viewer);
    await work();
    expect(await who(cookie)).toMatchObject({ status: 401 });
  });

  it('ends when its person signs out, by API or by form, and leaves an audit event', async () => {
    const api1 = await signInAs(api.send, people.viewer);
    const headers = { cookie: api1.cookie, 'x-csrf-token': api1.csrf };
    const answer = await api.send('/admin/api/session', { method: 'DELETE', headers });
    expect(answer).toMatchObject({ status: 200, body: '{"signed_out":true}' });
    expect(await who(api1.cookie)).toMatchObject({ status: 401 });

    const { cookie, csrf } = await signInAs(api.send, people.viewer);
    const form = { 'content-type': 'application/x-www-form-urlencoded', cookie };
    const signOut = (body: string) =>
      api.send('/admin/sign-out', { method: 'POST', headers: form, body });
    expect(await signOut('csrf=wrong')).toMatchObject({ status: 403 });
    expect(await signOut(`csrf=${csrf}`)).toMatchObject({
      status: 303,
      headers: { location: '/admin/sign-in' },
    });
    expect(await who(cookie)).toMatchObject({ status: 401 });
    expect((await api.audited('user_logout')).length).toBeGreaterThanOrEqual(2);
  });

  it('is no session of the account pages, nor theirs one of the administration', async () => {
    const { cookie } = await signInAs(api.send, people.owner);
    const own = await fetch(`${api.server.url}/account`, {
      headers: { cookie },
      redirect: 'manual',
    });
    expect(own.status).toBe(303);
    expect(await who(cookie.replace('authserver_admin', '_session'))).toMatchObject({
      status: 401,
    });
  });

  it.each([
    ['malformed', 'authserver_admin="a b";; =; authserver_admin'],
    ['oversized', `authserver_admin=${'x'.repeat(7000)}`],
    ['duplicate', 'authserver_admin=a; authserver_admin=b'],
    ['many', Array.from({ length: 100 }, (_, index) => `c${index}=1`).join('; ')],
    ['the secure name on http', '__Host-authserver_admin=x'],
  ])('is nobody’s where the cookie is %s (SE04)', async (_what, cookie) => {
    expect(await who(cookie)).toMatchObject({ status: 401 });
  });
});

function accounts() {
  return api.server.app.rooms.accounts;
}

function now() {
  return { at: api.server.now() };
}

describe('keys', () => {
  it('that are wrong are refused with 429 after a while, also the right one that somebody chose; a key of ours goes on', async () => {
    const made = await api.client.call(apiKeys.create, { body: { name: 'ci', role: 'viewer' } });
    const statuses = new Set<number>();
    for (let tries = 0; tries < 60; tries += 1) {
      const answer = await api.send('/metrics', { headers: bearer(`wrong-${tries}`) });
      statuses.add(answer.status);
      if (answer.status !== 429) continue;
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      break;
    }
    expect([...statuses]).toEqual([401, 429]);
    expect(await api.send('/metrics', { headers: bearer(apiKey) })).toMatchObject({ status: 429 });
    expect(await api.send('/metrics', { headers: bearer(made.key) })).toMatchObject({
      status: 200,
    });
    expect(await api.audited('user_locked_out')).toMatchObject([
      { detail: { what: 'address', guessed: 'api_key' } },
    ]);
    api.server.advance(16 * 60);
    expect(await api.send('/metrics', { headers: bearer(apiKey) })).toMatchObject({ status: 200 });
  });

  it('tell what they are, and have no session', async () => {
    const { json } = await api.get('/admin/api/session');
    expect(json).toEqual({
      ...{ kind: 'admin_key', user: null, role: 'owner', workspaces: [] },
      ...{ csrf: null, expires_at: null, ends_at: null },
    });
    const answer = await api.send('/admin/api/session', {
      method: 'DELETE',
      headers: bearer(apiKey),
    });
    expect(answer).toMatchObject({ status: 200, body: '{"signed_out":false}' });
  });

  it('MUST do no more than whoever made them may do now, also by a key that a key made', async () => {
    const meta = now();
    const person = { email: 'maker@example.test', password: 'a long enough password' };
    const { id } = await accounts().create({ ...person, role: 'owner', source: 'admin' }, meta);
    const { cookie, csrf } = await signInAs(api.send, person);
    const make = async (headers: Record<string, string>): Promise<string> => {
      const answer = await api.send('/admin/api/api-keys', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ name: 'of a person', role: 'owner' }),
      });
      return JSON.parse(answer.body).key;
    };
    const first = await make({ cookie, 'x-csrf-token': csrf });
    const second = await make(bearer(first));
    const roles = async () =>
      Promise.all(
        [first, second].map(async (key) => {
          const answer = await api.send('/admin/api/session', { headers: bearer(key) });
          return JSON.parse(answer.body).role ?? answer.status;
        }),
      );
    expect(await roles()).toEqual(['owner', 'owner']);
    await accounts().update(id, { role: 'viewer' }, meta);
    expect(await roles()).toEqual(['viewer', 'viewer']);
    await accounts().disable(id, meta);
    expect(await roles()).toEqual([401, 401]);
  });

  it('note their last use, at most once a minute, with the address', async () => {
    const { key, id: keyId } = await api.client.call(apiKeys.create, {
      body: { name: 'noted', role: 'viewer' },
    });
    const used = () => api.client.call(apiKeys.get, { params: { id: keyId } });
    expect(await used()).toMatchObject({ last_used_at: null, last_used_from: null });
    await api.send('/metrics', { headers: bearer(key) });
    const first = await used();
    expect(first).toMatchObject({ last_used_from: '127.0.0.1' });
    api.server.advance(30);
    await api.send('/metrics', { headers: bearer(key) });
    expect((await used()).last_used_at).toBe(first.last_used_at);
    api.server.advance(31);
    await api.send('/metrics', { headers: bearer(key) });
    expect((await used()).last_used_at).not.toBe(first.last_used_at);
  });
});

it('an https listener has the cookie with the __Host- prefix and Secure (SE02)', async () => {
  const https = await startApi({ admin: ', external_url: "https://admin.example.test"' });
  try {
    await https.client.call(userContract.create, {
      body: { ...people.owner, role: 'owner', password },
    });
    const send: typeof https.send = (path, sent = {}) =>
      https.send(path, { ...sent, headers: { ...sent.headers, host: 'admin.example.test' } });
    const answer = await submitSignIn(send, people.owner);
    const lines = [answer.headers['set-cookie'] ?? []].flat();
    const line = lines.find((one) => one.startsWith('__Host-authserver_admin=')) ?? '';
    expect(line).toContain('; Secure');
    expect(line).not.toContain('Domain');
    expect(answer.headers['strict-transport-security']).toBeTruthy();
  } finally {
    await https.close();
  }
});
