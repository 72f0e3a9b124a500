import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Browser, readForm } from './browser.testing.ts';
import { authorizeUrl, good } from './flow.testing.ts';
import {
  answerOf,
  isConsent,
  isSignedIn,
  isSignIn,
  type Page,
  press,
  signedIn,
  startConfigured,
  typed,
} from './people.testing.ts';
import { alice, bob, rs1, type TestServer } from './server.testing.ts';

/** Three failures per account, fifteen per address. */
const configured = (server: string) => (place: { url: string; directory: string }) =>
  `
server: { issuer: "${place.url}"${server} }
storage: { pglite: { path: "${place.directory}/db" } }
rate_limit: { requests_per_second: 100000, burst: 100000, auth_fail_max: 3, auth_fail_window: 10m, auth_lockout: 15m }
resources:
  - { slug: rs1, uri: "${rs1}", display_name: First server, scopes: [{ name: "mcp:read", description: Read }] }
clients:
  - { client_id: PUB, client_name: Public client, application_type: native, redirect_uris: ["http://127.0.0.1:7777/cb"] }
users:
  - { email: ${alice.email}, password: "${alice.password}" }
  - { email: ${bob.email}, password: "${bob.password}" }
`;

let server: TestServer;
beforeAll(async () => {
  server = await startConfigured(configured(''));
});
beforeEach(async () => {
  await server.db.kysely.deleteFrom('login_attempts').execute();
});
afterAll(() => server.close());

const wrong = (person: { email: string }) => ({
  email: person.email,
  password: 'not the password',
});
const nobody = { email: 'nobo@example.test', password: 'not the password' };

/** A browser at the sign-in page of an authorization. */
async function waiting(changes: Record<string, string> = {}) {
  const browser = server.browser();
  const page = await browser.open(authorizeUrl(server, good(changes)));
  return { browser, page };
}

async function attempt(
  person: typeof alice,
  headers?: Record<string, string>,
  on: TestServer = server,
): Promise<Page & { browser: Browser }> {
  const browser = on.browser();
  const page = await browser.open(authorizeUrl(on, good()));
  return { ...(await press(browser, page, typed(person), headers)), browser };
}

/** A page without what differs from request to request, and without the e-mail that was typed. */
const lasting = (html: string, { email }: { email: string }) =>
  html
    .replaceAll(email, 'EMAIL')
    .replace(/name="csrf" value="[^"]*"/, 'CSRF')
    .replace(/\/login\/[\w-]+/, '/login/UID')
    .replace(/trace <code>\w+/, 'TRACE');

const headersOf = ({ response }: Page) =>
  [...response.headers].filter(
    ([name]) => !['date', 'content-length', 'retry-after'].includes(name),
  );

describe('the sign-in page', () => {
  it('has one form with username, password and a hidden csrf, and says which app waits', async () => {
    const { page } = await waiting();
    expect(page.response.status).toBe(200);
    expect(page.html.match(/<form/g)).toHaveLength(1);
    const inputs = [...page.html.matchAll(/<input[^>]*name="(\w+)"/g)].map(([, name]) => name);
    expect(inputs).toEqual(['csrf', 'username', 'password']);
    expect(page.html).toContain('Public client');
    expect(page.html).toContain('First server');
  });

  it('fills in the client’s login_hint', async () => {
    const { page } = await waiting({ login_hint: alice.email });
    expect(page.html).toContain(`value="${alice.email}"`);
  });

  it('answers with 303, never with a redirect that repeats the password (CN13, T9)', async () => {
    const { browser, page } = await waiting();
    const { action, fields } = readForm(page.html);
    const answer = await browser.send(action, {
      method: 'POST',
      body: new URLSearchParams([...fields, ...typed(alice)]),
    });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(
      /^(http:\/\/localhost:\d+)?\/oauth\/authorize\//,
    );
    const account = server.browser();
    const form = readForm((await account.open(`${server.url}/account`)).html);
    const own = await account.send(form.action, {
      method: 'POST',
      body: new URLSearchParams([...form.fields, ...typed(alice)]),
    });
    expect(own.status).toBe(303);
    expect(own.headers.get('location')).toBe('/account');
  });

  it.each(['https://evil.test', '//evil.test', '/\\evil.test', 'javascript:alert(1)'])(
    'goes nowhere else because a parameter says %s (RU22)',
    async (target) => {
      const names = ['return_to', 'returnTo', 'returnUrl', 'next', 'continue', 'redirect', 'rd'];
      const added = names.map((name): [string, string] => [name, target]);
      const { browser, page } = await waiting();
      const { action, fields } = readForm(page.html);
      const url = `${action}?${new URLSearchParams(added)}`;
      const next = await browser.submit(url, [...fields, ...added, ...typed(alice)]);
      expect(isConsent(next)).toBe(true);
      const account = server.browser();
      const own = await account.open(`${server.url}/account/sign-in?${new URLSearchParams(added)}`);
      const home = await press(account, own, [...added, ...typed(alice)]);
      expect(new URL(home.url).pathname).toBe('/account');
    },
  );

  it('does not open, nor sign in, once it is used or in another browser', async () => {
    const { browser, page } = await waiting();
    const { action } = readForm(page.html);
    expect((await server.browser().open(action)).response.status).toBe(400);
    await press(browser, page, typed(alice));
    const again = await browser.open(action);
    expect(again.response.status).toBe(400);
    expect(again.html).toContain('Go back to the app and start again');
  });
});

describe('a forged sign-in (T7)', () => {
  it.each([
    ['without csrf', { csrf: '' }, {}],
    ['with a wrong csrf', { csrf: 'A'.repeat(43) }, {}],
    ['from another origin', {}, { origin: 'https://evil.test' }],
    ['from a null origin', {}, { origin: 'null' }],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('%s MUST be refused', async (_what, changes, headers) => {
    for (const start of [authorizeUrl(server, good()), `${server.url}/account/sign-in`]) {
      const browser = server.browser();
      const { action, fields } = readForm((await browser.open(start)).html);
      const sent = { ...Object.fromEntries([...fields, ...typed(alice)]), ...changes };
      const answer = await browser.submit(action, Object.entries(sent), headers);
      expect(answer.response.status).toBe(403);
      expect(await isSignedIn(server, browser)).toBe(false);
    }
  });

  it('with the form of another browser MUST be refused: nobody is signed in as the attacker', async () => {
    const { page } = await waiting();
    const victim = server.browser();
    await victim.open(authorizeUrl(server, good()));
    expect((await press(victim, page, typed(bob))).response.status).toBe(403);
    expect((await press(server.browser(), page, typed(bob))).response.status).toBe(403);
    expect(await isSignedIn(server, victim)).toBe(false);
  });
});

describe('a wrong sign-in (T25)', () => {
  it('MUST look the same for a known and an unknown account', async () => {
    const known = await attempt(wrong(alice));
    const unknown = await attempt(nobody);
    expect(known.response.status).toBe(400);
    expect(unknown.response.status).toBe(400);
    expect(isSignIn(known)).toBe(true);
    expect(known.html).toContain('That e-mail and password do not belong together');
    expect(lasting(unknown.html, nobody)).toBe(lasting(known.html, alice));
    expect(headersOf(unknown)).toEqual(headersOf(known));
  });

  it('MUST look the same for a disabled account with its right password', async () => {
    const { accounts } = server.app.rooms;
    const carol = { email: 'carol@example.test', password: 'correct horse carol' };
    const { id } = await accounts.create({ ...carol, source: 'cli' }, { at: server.now() });
    await accounts.disable(id, { at: server.now() });
    const disabled = await attempt(carol);
    const unknown = await attempt(nobody);
    expect(disabled.response.status).toBe(400);
    expect(lasting(disabled.html, carol)).toBe(lasting(unknown.html, nobody));
  });

  it('keeps the e-mail in the form, never the password, and then goes on', async () => {
    const failed = await attempt(wrong(alice));
    expect(failed.html).toContain(`value="${alice.email}"`);
    expect(failed.html).not.toContain('not the password');
    expect(isConsent(await press(failed.browser, failed, typed(alice)))).toBe(true);
    expect(server.logged()).not.toContain('not the password');
    expect(server.logged()).not.toContain(alice.password);
  });

  it('does not sign out who was signed in', async () => {
    const browser = await signedIn(server);
    const page = await browser.open(authorizeUrl(server, good({ prompt: 'login' })));
    await press(browser, page, typed(wrong(bob)));
    expect(await isSignedIn(server, browser)).toBe(true);
  });
});

describe('the lockout of an account', () => {
  it.each([
    ['a known', alice],
    ['an unknown', nobody],
  ])(
    'comes after three failures at %s account, with 429 and Retry-After',
    async (_what, person) => {
      for (let n = 0; n < 3; n += 1)
        expect((await attempt(wrong(person))).response.status).toBe(400);
      const locked = await attempt(wrong(person));
      expect(locked.response.status).toBe(429);
      const wait = Number(locked.response.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(14 * 60);
      expect(wait).toBeLessThanOrEqual(15 * 60);
      expect(locked.html).toMatch(/Too many attempts\. Wait 1[45] minutes, then try again\./);
      expect(isSignIn(locked)).toBe(true);
    },
  );

  it('MUST look the same for a known and an unknown account', async () => {
    const pages: string[] = [];
    for (const person of [alice, nobody]) {
      for (let n = 0; n < 3; n += 1) await attempt(wrong(person));
      pages.push(lasting((await attempt(wrong(person))).html, person));
    }
    expect(pages[0]).toBe(pages[1]);
  });

  it('MUST hold against the right password, on both sign-in pages, and end by itself', async () => {
    for (let n = 0; n < 3; n += 1) await attempt(wrong(alice));
    const right = await attempt(alice);
    expect(right.response.status).toBe(429);
    expect(await isSignedIn(server, right.browser)).toBe(false);
    const browser = server.browser();
    const own = await press(browser, await browser.open(`${server.url}/account`), typed(alice));
    expect(own.response.status).toBe(429);
    expect(isConsent(await attempt(bob))).toBe(true);
    server.advance(15 * 60 + 1);
    expect(isConsent(await attempt(alice))).toBe(true);
  });

  it('is counted anew after a success', async () => {
    for (let n = 0; n < 2; n += 1) await attempt(wrong(alice));
    expect(isConsent(await attempt(alice))).toBe(true);
    for (let n = 0; n < 2; n += 1) await attempt(wrong(alice));
    expect(isConsent(await attempt(alice))).toBe(true);
  });

  it('MUST NOT be escaped by guessing in parallel, nor by spelling the e-mail otherwise', async () => {
    const spellings = ['ALICE@example.test', ' alice@EXAMPLE.test ', 'ａlice@example.test'];
    const statuses = await Promise.all(
      [...spellings, ...spellings, alice.email].map(
        async (email) => (await attempt({ email, password: 'not the password' })).response.status,
      ),
    );
    expect(statuses.filter((status) => status === 400)).toHaveLength(3);
    expect(statuses.filter((status) => status === 429)).toHaveLength(4);
  });
});

describe('the lockout of an address', () => {
  const guess = (n: number) => ({ email: `user${n}@example.test`, password: 'Winter2026!' });

  it('MUST stop one password tried at many accounts (BF02)', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 17; n += 1) statuses.push((await attempt(guess(n))).response.status);
    expect(statuses.slice(0, 15)).toEqual(Array(15).fill(400));
    expect(statuses.slice(15)).toEqual([429, 429]);
    expect((await attempt(alice)).response.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('MUST NOT be escaped by X-Forwarded-For that no trusted proxy sent (BF03)', async () => {
    const forged = (n: number) => ({
      'x-forwarded-for': `203.0.113.${n}`,
      'x-real-ip': `203.0.113.${n}`,
      forwarded: `for=203.0.113.${n}`,
    });
    for (let n = 0; n < 15; n += 1) await attempt(guess(n), forged(n));
    expect((await attempt(guess(16), forged(16))).response.status).toBe(429);
  });

  it('MUST count an IPv6 /64 and its spellings once, and other networks apart (BF03)', async () => {
    const proxied = await startConfigured(configured(', trusted_proxies: ["127.0.0.1", "::1"]'));
    const from = (ip: string) => ({ 'x-forwarded-for': `198.51.100.9, ${ip}` });
    const spellings = ['2001:db8:0:1::1', '2001:0db8:0000:0001:0:0:0:2', '2001:DB8:0:1:ffff::3'];
    for (let n = 0; n < 15; n += 1) {
      await attempt(guess(n), from(spellings[n % 3] ?? ''), proxied);
    }
    const statusOf = async (ip: string) =>
      (await attempt(guess(99), from(ip), proxied)).response.status;
    expect(await statusOf('2001:db8:0:1:a:b:c:d')).toBe(429);
    expect(await statusOf('2001:db8:0:2::1')).toBe(400);
    expect(await statusOf('203.0.113.1')).toBe(400);
    await proxied.close();
  });
});

describe('strange passwords (BF07)', () => {
  async function timed(password: string) {
    const { browser, page } = await waiting();
    const started = performance.now();
    const answer = await press(browser, page, typed({ email: alice.email, password }));
    return { status: answer.response.status, ms: performance.now() - started };
  }

  it.each([
    ['1 MB', 'x'.repeat(1_000_000), 413],
    ['20 KB', 'x'.repeat(20_000), 400],
    ['NUL', 'a\0b', 400],
    ['nothing', '', 400],
    ['markup', '"><svg onload=alert(1)>{{7*7}}$', 400],
    ['SQL', "' or 1=1--", 400],
  ])('of %s is refused within a second', async (_what, password, status) => {
    const answer = await timed(password);
    expect(answer.status).toBe(status);
    expect(answer.ms).toBeLessThan(1000);
  });

  it('takes every normalisation form of the right one', async () => {
    const { accounts } = server.app.rooms;
    const email = 'dora@example.test';
    const password = 'Übermäßig ﬁne Å';
    await accounts.create({ email, password, source: 'cli' }, { at: server.now() });
    for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) {
      const answer = await attempt({ email, password: password.normalize(form) });
      expect(isConsent(answer)).toBe(true);
    }
    const close = await attempt({ email, password: 'Ubermaßig fine A' });
    expect(close.response.status).toBe(400);
  });

  it.each([
    ['a repeated field', 'username=a&username=b&password=c', 400],
    ['invalid UTF-8', 'username=%ff&password=x', 400],
    ['%zz', 'username=%zz&password=x', 400],
    ['names in brackets', 'username[]=a&password[a]=b', 400],
    ['no fields', '', 400],
    ['two thousand fields', 'a=1&'.repeat(2000), 400],
  ])('answers %s without a 5xx', async (_what, body, status) => {
    const { browser, page } = await waiting();
    const { action, fields } = readForm(page.html);
    const answer = await browser.send(action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `${new URLSearchParams(fields)}&${body}`,
    });
    expect(answer.status).toBe(status);
    expect(await isSignedIn(server, browser)).toBe(false);
  });

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
    'answers %s with 415',
    async (type) => {
      const { browser, page } = await waiting();
      const { action, fields } = readForm(page.html);
      const body = JSON.stringify(Object.fromEntries([...fields, ...typed(alice)]));
      const headers = { 'content-type': type };
      expect((await browser.send(action, { method: 'POST', headers, body })).status).toBe(415);
    },
  );
});

it('the state comes back unchanged after the sign-in', async () => {
  const state = 'a+b %20&=äöü"\'<>';
  const { browser, page } = await waiting({ state });
  const consent = await press(browser, page, typed(alice));
  const answer = answerOf(await press(browser, consent, [['decision', 'deny']]));
  expect(answer.get('state')).toBe(state);
});
