import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { basic, isActive } from './answers.testing.ts';
import { type Browser, readForm } from './browser.testing.ts';
import { authorizeUrl, good, refresh, type Tokens, tokens } from './flow.testing.ts';
import { isConsent, press, selfRegistered, signedIn } from './people.testing.ts';
import { alice, bob, rs1, rs2, startServer, type TestServer, webSecret } from './server.testing.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
beforeEach(async () => {
  await server.db.kysely.deleteFrom('grants').execute();
});
afterAll(() => server.close());

const second = { scope: 'two:use', resource: rs2 };
const open = (browser: Browser) => browser.open(`${server.url}/account`);

/** Each connected app: its heading, and the form that ends it. */
function appsOn(html: string) {
  return [...html.matchAll(/<li class="app">(.*?)<\/li>/gs)].map(([, item = '']) => ({
    text: item.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' '),
    ...readForm(item),
  }));
}

async function grantOf(email: string): Promise<string> {
  const row = await server.db.kysely
    .selectFrom('grants')
    .innerJoin('users', 'users.id', 'grants.user_id')
    .select('grants.id')
    .where('users.email', '=', email)
    .executeTakeFirstOrThrow();
  return row.id;
}

const works = async ({ access_token }: Tokens) => isActive(server, access_token, webSecret);

describe('the account page', () => {
  it('asks to sign in first, and comes back', async () => {
    const browser = server.browser();
    const page = await open(browser);
    expect(new URL(page.url).pathname).toBe('/account/sign-in');
    const home = await press(browser, page, [
      ['username', alice.email],
      ['password', alice.password],
    ]);
    expect(new URL(home.url).pathname).toBe('/account');
    expect(home.html).toContain(alice.email);
    expect(new URL((await browser.open(page.url)).url).pathname).toBe('/account');
  });

  it('says that no app is connected', async () => {
    expect((await open(await signedIn(server))).html).toContain('No app is connected');
  });

  it('lists each app with how it is known, where, what it may do, and when', async () => {
    const browser = await signedIn(server);
    const callback = 'https://client.test/cb';
    const client_id = await selfRegistered(server, {
      client_name: 'Stranger',
      redirect_uris: [callback],
    });
    await tokens(server, good({ scope: 'mcp:read mcp:write' }), { browser });
    await tokens(server, good({ client_id, redirect_uri: callback, ...second }), { browser });
    const apps = appsOn((await open(browser)).html);
    expect(apps).toHaveLength(2);
    const [stranger, known] = apps;
    for (const shown of [
      'Stranger',
      'Self-registered, unverified',
      'Second server',
      rs2,
      'two:use',
    ])
      expect(stranger?.text).toContain(shown);
    for (const shown of [
      'Public client',
      'Registered by an operator',
      'First server',
      rs1,
      'Read things',
      'mcp:read',
      'Change things',
      'mcp:write',
      'just now',
    ])
      expect(known?.text).toContain(shown);
  });

  it('shows what was ticked, not what was asked for', async () => {
    const browser = await signedIn(server);
    const page = await browser.open(authorizeUrl(server, good({ scope: 'mcp:read mcp:write' })));
    const { action, fields } = readForm(page.html);
    await browser.submit(action, [
      ...fields.filter(([, value]) => value !== 'mcp:write'),
      ['decision', 'approve'],
    ]);
    const [app] = appsOn((await open(browser)).html);
    expect(app?.text).toContain('mcp:read');
    expect(app?.text).not.toContain('mcp:write');
  });

  it('shows nobody else’s apps', async () => {
    await tokens(server, good(), { person: bob });
    expect(appsOn((await open(await signedIn(server))).html)).toEqual([]);
  });
});

describe('disconnecting an app', () => {
  it('MUST end its tokens within a second, and those of nothing else', async () => {
    const browser = await signedIn(server);
    const ended = await tokens(server, good(), { browser });
    const endedToo = await tokens(server, good(), { browser });
    const elsewhere = await tokens(server, good(second), { browser });
    const ofBob = await tokens(server, good(), { person: bob });
    expect([await works(ended), await works(endedToo), await works(ofBob)]).toEqual([
      true,
      true,
      true,
    ]);

    const started = performance.now();
    const app = appsOn((await open(browser)).html).find(({ text }) => text.includes(rs1));
    const home = await browser.submit(app?.action ?? '', app?.fields ?? []);
    expect(new URL(home.url).pathname).toBe('/account');
    expect(await works(ended)).toBe(false);
    expect(await works(endedToo)).toBe(false);
    for (const { refresh_token } of [ended, endedToo]) {
      const refused = await refresh(server, refresh_token);
      expect(refused.status).toBe(400);
      expect(JSON.parse(await refused.text())).toMatchObject({ error: 'invalid_grant' });
    }
    expect(performance.now() - started).toBeLessThan(1000);

    expect(appsOn(home.html).map(({ text }) => text.includes(rs2))).toEqual([true]);
    expect(await works(ofBob)).toBe(true);
    expect((await refresh(server, elsewhere.refresh_token)).status).toBe(200);
    expect(isConsent(await browser.open(authorizeUrl(server, good())))).toBe(true);
  });

  it('also ends a code that is on its way', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    const flow = good();
    const { url } = await browser.open(authorizeUrl(server, flow));
    const [app] = appsOn((await open(browser)).html);
    await browser.submit(app?.action ?? '', app?.fields ?? []);
    const late = await server.post('/oauth/token', {
      grant_type: 'authorization_code',
      client_id: 'PUB',
      code: new URL(url).searchParams.get('code') ?? '',
      redirect_uri: String(flow.params.redirect_uri),
      code_verifier: flow.verifier,
    });
    expect(late.status).toBe(400);
  });

  it('is recorded', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    const grant = await grantOf(alice.email);
    const [app] = appsOn((await open(browser)).html);
    await browser.submit(app?.action ?? '', app?.fields ?? []);
    const events = await server.db.kysely
      .selectFrom('audit_events')
      .select(['actor_kind', 'client_id', 'resource', 'detail'])
      .where('type', '=', 'consent_revoked')
      .orderBy('id')
      .execute();
    expect(events.at(-1)).toMatchObject({
      actor_kind: 'user',
      client_id: 'PUB',
      resource: rs1,
      detail: { grant_id: grant },
    });
  });

  it('MUST NOT reach the grant of somebody else, nor tell that it exists (AD07)', async () => {
    const victim = await tokens(server, good(), { person: bob });
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    const [app] = appsOn((await open(browser)).html);
    const answers: string[] = [];
    for (const grant of [await grantOf(bob.email), 'gr_unknown', '', "' or 1=1--"]) {
      const fields = (app?.fields ?? []).filter(([name]) => name !== 'grant');
      const answer = await browser.submit(app?.action ?? '', [...fields, ['grant', grant]]);
      expect(answer.response.status).toBe(404);
      answers.push(answer.html.replace(/trace <code>\w+|<code>\w{10}<\/code>/g, 'TRACE'));
    }
    expect(new Set(answers).size).toBe(1);
    expect(await works(victim)).toBe(true);
    expect((await refresh(server, victim.refresh_token)).status).toBe(200);
  });

  it.each([
    ['without csrf', { csrf: '' }, {}],
    ['with a wrong csrf', { csrf: 'A'.repeat(43) }, {}],
    ['from another origin', {}, { origin: 'https://evil.test' }],
    ['from a null origin', {}, { origin: 'null' }],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('%s MUST be refused (T7)', async (_what, changes, headers) => {
    const browser = await signedIn(server);
    const mine = await tokens(server, good(), { browser });
    const [app] = appsOn((await open(browser)).html);
    const sent = { ...Object.fromEntries(app?.fields ?? []), ...changes };
    const answer = await browser.submit(app?.action ?? '', Object.entries(sent), headers);
    expect(answer.response.status).toBe(403);
    expect(await works(mine)).toBe(true);
  });

  it('needs a sign-in', async () => {
    const browser = await signedIn(server);
    const mine = await tokens(server, good(), { browser });
    const [app] = appsOn((await open(browser)).html);
    for (const name of ['session', 'session.sig']) browser.jar.delete(name);
    const page = await browser.submit(app?.action ?? '', app?.fields ?? []);
    expect(new URL(page.url).pathname).toBe('/account/sign-in');
    expect(await works(mine)).toBe(true);
  });

  it('is not done by a link', async () => {
    const browser = await signedIn(server);
    const mine = await tokens(server, good(), { browser });
    const [app] = appsOn((await open(browser)).html);
    const query = new URLSearchParams(app?.fields ?? []);
    expect((await browser.send(`${app?.action}?${query}`)).status).toBe(405);
    expect(await works(mine)).toBe(true);
  });
});

it('a disabled person’s tokens end at once', async () => {
  const browser = await signedIn(server, bob);
  const mine = await tokens(server, good(), { browser });
  const { id } = await server.db.kysely
    .selectFrom('users')
    .select('id')
    .where('email', '=', bob.email)
    .executeTakeFirstOrThrow();
  await server.app.rooms.accounts.disable(id, { at: server.now() });
  expect(await works(mine)).toBe(false);
  expect((await refresh(server, mine.refresh_token)).status).toBe(400);
  await server.app.rooms.accounts.enable(id, { at: server.now() });
  expect(await works(mine)).toBe(false);
});

it('a client cannot use the page’s session as a credential', async () => {
  const browser = await signedIn(server);
  const answer = await browser.send(`${server.url}/oauth/introspect`, {
    method: 'POST',
    body: new URLSearchParams({ token: browser.jar.get('session') ?? '' }),
    headers: basic('RS1', webSecret),
  });
  expect(await answer.text()).toBe('{"active":false}');
});
