import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { hashId } from '../db/index.ts';
import { basic, isActive } from './answers.testing.ts';
import { type Browser, readForm } from './browser.testing.ts';
import { type Page, press, signedIn, typed } from './people.testing.ts';
import { alice, bob, rs1, rs2, startServer, type TestServer, webSecret } from './server.testing.ts';
import { ofRequests } from './statements.testing.ts';

const day = 86_400;
const shapes = `
  - slug: bound
    uri: https://bound.test/mcp
    display_name: Bound server
    dpop: required
    scopes: [{ name: "bound:use", description: Use the bound server }]
  - slug: spaces
    uri: https://spaces.test/mcp
    display_name: Server with workspaces
    workspace_scoped: true
    scopes: [{ name: "space:use", description: Use a workspace }]
  - slug: limited
    uri: https://limited.test/mcp
    display_name: Limited server
    scopes: [{ name: "l:read", description: Read }, { name: "l:admin", description: Everything }]
    access: [{ users: ["${alice.email}"], scopes: ["l:read"] }]`;

let server: TestServer;
const statements: string[] = [];
beforeAll(async () => {
  const db = await testDatabase({ onQuery: ({ name }) => statements.push(name) });
  server = await startServer({ db, resources: shapes });
  await server.app.scheduler.stop(); // its statements would be counted too
});
beforeEach(async () => {
  await server.db.kysely.deleteFrom('issuances').execute();
});
afterAll(() => server.close());

const openForm = (browser: Browser, slug = 'rs1') =>
  browser.open(`${server.url}/account/tokens/new?resource=${slug}`);

/** Fills in the form as a person does; `fields` beside what the page sends by itself. */
function fillIn(fields: Record<string, string> = {}): [string, string][] {
  const filled = { name: 'CI', scope: 'mcp:read', expires: String(30 * day), ...fields };
  return Object.entries(filled);
}

/** The value that a page shows. */
function valueOn({ html }: Page): string | undefined {
  return /<textarea id="token"[^>]*>([^<]*)<\/textarea>/.exec(html)?.[1];
}

/** Makes a token on the account page. */
async function made(browser: Browser, fields: Record<string, string> = {}, slug = 'rs1') {
  const page = await press(browser, await openForm(browser, slug), fillIn(fields));
  const value = valueOn(page);
  if (!value) throw new Error(`no token: ${page.response.status} ${page.html.slice(0, 3000)}`);
  return { page, value };
}

/** Each token on the account page: its text, and the form that ends it. */
async function tokensOn(browser: Browser) {
  const { html } = await browser.open(`${server.url}/account`);
  return [...html.matchAll(/<li class="app token">(.*?)<\/li>/gs)].map(([, item = '']) => ({
    text: item.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' '),
    ...readForm(item),
  }));
}

const countTokens = async () =>
  (await server.db.kysely.selectFrom('personal_access_tokens').select('jti').execute()).length;

const active = (value: string) => isActive(server, value, webSecret);

describe('making a token', () => {
  it('goes from the account page over resource, name, scopes and expiry to the value', async () => {
    const browser = await signedIn(server);
    const home = await browser.open(`${server.url}/account`);
    expect(home.html).toContain('There is no token.');
    expect(home.html).toMatch(/<a class="button" href="[^"]*\/account\/tokens\/new">/);
    const choice = await browser.open(`${server.url}/account/tokens/new`);
    expect([...choice.html.matchAll(/name="resource" value="(\w+)"/g)].map(([, s]) => s)).toEqual([
      'rs1',
      'rs2',
      'limited',
      'api',
    ]);
    const { page, value } = await made(browser, { name: 'My  laptop', scope: 'mcp:write' });
    expect(value).toMatch(/^as_pat_[0-9A-Za-z]{49}$/);
    expect(page.response.status).toBe(200);
    expect(page.html).toContain('My laptop');
    const [token] = await tokensOn(browser);
    for (const shown of ['My laptop', 'First server', rs1, 'mcp:write', 'in 30 days', 'never']) {
      expect(token?.text).toContain(shown);
    }
  });

  it('the value MUST be shown once only, and be in no address, cookie, table or log line', async () => {
    const browser = await signedIn(server);
    const { page, value } = await made(browser);
    expect(page.response.headers.get('cache-control')).toBe('no-store');
    expect(page.response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.url).not.toContain(value);
    expect([...browser.jar.values()].join()).not.toContain(value);
    expect((await browser.open(`${server.url}/account`)).html).not.toContain(value);
    expect(server.logged()).not.toContain(value);
    const rows = await Promise.all(
      (['issuances', 'personal_access_tokens', 'audit_events', 'replay_claims'] as const).map(
        (table) => server.db.kysely.selectFrom(table).selectAll().execute(),
      ),
    );
    expect(JSON.stringify(rows)).not.toContain(value);
    expect(JSON.stringify(rows)).toContain(hashId(value));
  });

  it('a form that is sent again, as a reload does, MUST NOT make a second token', async () => {
    const browser = await signedIn(server);
    const form = readForm((await openForm(browser)).html);
    const send = () => browser.submit(form.action, [...form.fields, ...fillIn()]);
    expect(valueOn(await send())).toBeDefined();
    const again = await send();
    expect(new URL(again.url).pathname).toBe('/account');
    expect(valueOn(again)).toBeUndefined();
    expect(await countTokens()).toBe(1);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no name', { name: ' ' }, 'Give the token a name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'Shorten the name'],
    ['an unknown scope', { scope: 'mcp:admin' }, 'has no scope mcp:admin'],
    ['another server’s scope', { scope: 'two:use' }, 'has no scope two:use'],
    ['no expiry at all', { expires: '' }, 'Choose an expiry'],
    ['an endless one', { expires: 'Infinity' }, 'Choose an expiry'],
    ['one beyond the maximum', { expires: String(366 * day) }, 'Choose an expiry'],
  ])('%s is refused with the form as it was', async (_what, fields, sentence) => {
    const browser = await signedIn(server);
    const page = await press(browser, await openForm(browser), fillIn(fields));
    expect(page.response.status).toBe(400);
    expect(page.html).toMatch(new RegExp(`role="alert" id="problem">.*${sentence}`));
    expect(valueOn(page)).toBeUndefined();
    expect(await countTokens()).toBe(0);
    const repaired = await press(browser, page, [
      ['name', 'CI'],
      ...(page.html.includes('value="mcp:read" checked')
        ? []
        : [['scope', 'mcp:read'] satisfies [string, string]]),
      ['expires', String(30 * day)],
    ]);
    expect(valueOn(repaired)).toBeDefined();
  });

  it('no box ticked shows the form again', async () => {
    const browser = await signedIn(server);
    const fields = fillIn().filter(([name]) => name !== 'scope');
    const page = await press(browser, await openForm(browser), fields);
    expect(page.html).toContain('Choose at least one thing');
    expect(await countTokens()).toBe(0);
  });

  it('a scope above the ceiling is not offered, and MUST be refused when posted by hand (TK12)', async () => {
    const browser = await signedIn(server);
    const form = await openForm(browser, 'limited');
    expect(form.html).not.toContain('l:admin');
    const page = await press(browser, form, [
      ['name', 'CI'],
      ['scope', 'l:admin'],
      ['expires', '86400'],
    ]);
    expect(page.response.status).toBe(400);
    expect(page.html).toContain('may not use l:admin');
    expect(await countTokens()).toBe(0);
  });

  it.each(['bound', 'spaces', 'limited', 'nowhere'])(
    'for %s, which takes none of bob, a posted form is refused',
    async (slug) => {
      const browser = await signedIn(server, bob);
      const form = readForm((await openForm(browser)).html);
      const fields = form.fields.filter(([name]) => name !== 'resource');
      const page = await browser.submit(form.action, [
        ...fields,
        ...fillIn(),
        ['resource', slug],
        ['scope', 'bound:use'],
      ]);
      expect(page.response.status).toBe(404);
      expect(await countTokens()).toBe(0);
    },
  );

  it.each([
    ['without csrf', { csrf: '' }, {}],
    ['with the csrf of the account page', 'account', {}],
    ['from another origin', {}, { origin: 'https://evil.test' }],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ] as const)('%s MUST be refused (T7)', async (_what, changes, headers) => {
    const browser = await signedIn(server);
    const home = readForm((await browser.open(`${server.url}/account`)).html);
    const form = readForm((await openForm(browser)).html);
    const changed = changes === 'account' ? Object.fromEntries(home.fields) : changes;
    const sent = { ...Object.fromEntries([...form.fields, ...fillIn()]), ...changed };
    const page = await browser.submit(form.action, Object.entries(sent), headers);
    expect(page.response.status).toBe(403);
    expect(await countTokens()).toBe(0);
  });

  it('needs a sign-in, which comes first', async () => {
    const browser = await signedIn(server);
    const form = await openForm(browser);
    for (const name of ['session', 'session.sig']) browser.jar.delete(name);
    const page = await press(browser, form, fillIn());
    expect(new URL(page.url).pathname).toBe('/account/sign-in');
    expect(new URL((await openForm(browser)).url).pathname).toBe('/account/sign-in');
    expect(await countTokens()).toBe(0);
  });

  it('a link to the form leads there after the sign-in', async () => {
    const browser = server.browser();
    const page = await press(browser, await openForm(browser), typed(alice));
    expect(page.url).toBe(`${server.url}/account/tokens/new?resource=rs1`);
  });

  it('is not done by a link, nor by a form without its hidden fields', async () => {
    const browser = await signedIn(server);
    const form = readForm((await openForm(browser)).html);
    const query = new URLSearchParams([...form.fields, ...fillIn()]);
    await browser.send(`${form.action}?${query}`);
    const fields = form.fields.filter(([name]) => name !== 'once');
    const page = await browser.submit(form.action, [...fields, ...fillIn()]);
    expect(page.response.status).toBe(400);
    expect(await countTokens()).toBe(0);
  });

  it('stops at 100 live ones', async () => {
    const browser = await signedIn(server);
    const form = await openForm(browser);
    const { personal } = server.app.rooms.tokens;
    const { id = '' } = await alicesRow();
    const resource = server.app.rooms.resources.bySlug('rs2');
    if (!resource) throw new Error('rs2 is gone');
    const token = { userId: id, resource, scopes: ['two:use'], name: 'x' };
    const by = { actor: { kind: 'user' as const, id }, meta: { at: server.now() } };
    for (let count = 0; count < 100; count++) await personal.create(token, by);
    const page = await press(browser, form, fillIn());
    expect(page.response.status).toBe(409);
    expect(page.html).toContain('Revoke one first');
  });
});

const alicesRow = () =>
  server.db.kysely
    .selectFrom('users')
    .select('id')
    .where('email', '=', alice.email)
    .executeTakeFirstOrThrow();

describe('revoking a token', () => {
  it('ends it at once, and no other', async () => {
    const browser = await signedIn(server);
    const { value: keeper } = await made(browser, { name: 'keeper' });
    const { value } = await made(browser, { name: 'leaked' });
    expect([await active(value), await active(keeper)]).toEqual([true, true]);
    const token = (await tokensOn(browser)).find(({ text }) => text.includes('leaked'));
    const home = await browser.submit(token?.action ?? '', token?.fields ?? []);
    expect(new URL(home.url).pathname).toBe('/account');
    expect([await active(value), await active(keeper)]).toEqual([false, true]);
    expect((await tokensOn(browser)).map(({ text }) => text.includes('keeper'))).toEqual([true]);
    const event = await server.db.kysely
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', 'token_revoked')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({
      actor_kind: 'user',
      resource: rs1,
      detail: { reason: 'account_page', jti: hashId(value) },
    });
  });

  it('MUST NOT reach somebody else’s token, nor tell that it exists (AD07)', async () => {
    const { value } = await made(await signedIn(server, bob));
    const browser = await signedIn(server);
    await made(browser, { name: 'mine' });
    const [mine] = await tokensOn(browser);
    const answers: string[] = [];
    for (const id of [hashId(value), 'unknown', '', "' or 1=1--"]) {
      const fields = (mine?.fields ?? []).filter(([name]) => name !== 'token');
      const answer = await browser.submit(mine?.action ?? '', [...fields, ['token', id]]);
      expect(answer.response.status).toBe(404);
      answers.push(answer.html.replace(/<code>\w{10}<\/code>/g, 'TRACE'));
    }
    expect(new Set(answers).size).toBe(1);
    expect(await active(value)).toBe(true);
    expect((await tokensOn(browser)).length).toBe(1);
  });

  it.each([
    ['without csrf', { csrf: '' }, {}],
    ['from another origin', {}, { origin: 'https://evil.test' }],
  ])('%s MUST be refused (T7)', async (_what, changes, headers) => {
    const browser = await signedIn(server);
    const { value } = await made(browser);
    const [token] = await tokensOn(browser);
    const sent = { ...Object.fromEntries(token?.fields ?? []), ...changes };
    const page = await browser.submit(token?.action ?? '', Object.entries(sent), headers);
    expect(page.response.status).toBe(403);
    expect(await active(value)).toBe(true);
  });
});

describe('at revocation (RFC 7009)', () => {
  it.each(['WEB', 'PUB'])('MUST live on when %s asks, to which it was not issued', async (id) => {
    const { value } = await made(await signedIn(server));
    const credentials = id === 'PUB' ? {} : basic(id, webSecret);
    const form: Record<string, string> = id === 'PUB' ? { client_id: id } : {};
    await server.post('/oauth/revoke', { token: value, ...form }, credentials);
    expect(await active(value)).toBe(true);
  });

  it('ends when the resource server that it is for reports it', async () => {
    const { value } = await made(await signedIn(server));
    const answer = await server.post('/oauth/revoke', { token: value }, basic('RS1', webSecret));
    expect(answer.status).toBe(200);
    expect(await active(value)).toBe(false);
    expect((await tokensOn(await signedIn(server))).length).toBe(0);
  });
});

describe('at introspection (RFC 7662)', () => {
  const introspect = async (token: string, client = 'RS1', headers = {}) => {
    const credentials = basic(client, webSecret);
    const answer = await server.post(
      '/oauth/introspect',
      { token },
      { ...credentials, ...headers },
    );
    return JSON.parse(await answer.text());
  };

  it('says whose it is, for what and until when', async () => {
    const { value } = await made(await signedIn(server), { scope: 'mcp:write' });
    const { id: sub } = await alicesRow();
    const answer = await introspect(value);
    expect(answer).toEqual({
      active: true,
      sub,
      username: alice.email,
      scope: 'mcp:write',
      aud: rs1,
      iss: server.url,
      token_type: 'Bearer',
      iat: expect.any(Number),
      exp: answer.iat + 30 * day,
      jti: hashId(value),
    });
  });

  it.each(['WEB', 'WEB2', 'PUB'])(
    'MUST be inactive for %s, whose server it is not for',
    async (client) => {
      const { value } = await made(await signedIn(server));
      expect(await introspect(value, client)).not.toMatchObject({ active: true });
    },
  );

  it('for another server MUST be inactive', async () => {
    const { value } = await made(await signedIn(server), { scope: 'two:use' }, 'rs2');
    expect(rs2).toBeDefined();
    expect(await introspect(value)).toEqual({ active: false });
  });

  it.each<[string, (value: string) => string]>([
    ['a wrong checksum', (value) => value.slice(0, -1) + (value.endsWith('0') ? '1' : '0')],
    ['another prefix', (value) => value.replace(/^as_/, 'cp_')],
    ['another kind', (value) => value.replace('_pat_', '_oat_')],
    ['its end cut off', (value) => value.slice(0, -1)],
    ['something added', (value) => `${value}A`],
    ['a space', (value) => `${value} `],
    ['its case changed', (value) => value.toUpperCase()],
  ])('with %s MUST be inactive (TK07, TK12)', async (_what, change) => {
    const { value } = await made(await signedIn(server));
    expect(await introspect(change(value))).toEqual({ active: false });
    expect(await active(value)).toBe(true);
  });

  it('has only the scopes that its owner may use now', async () => {
    const { value } = await made(await signedIn(server), { scope: 'mcp:write' });
    const { resources } = server.app.rooms;
    const set = async (row: { access?: string; dpop?: 'required' | 'supported' }) => {
      await server.db.kysely.updateTable('resources').set(row).where('slug', '=', 'rs1').execute();
      await resources.reload();
    };
    const read = JSON.stringify([{ users: [alice.email], scopes: ['mcp:read'] }]);
    const staff = JSON.stringify([{ groups: ['staff'], scopes: ['mcp:write'] }]);
    await set({ access: read });
    expect(await introspect(value)).toEqual({ active: false });
    await set({ access: staff });
    expect(await introspect(value)).toEqual({ active: false });
    const groups = (names: string[]) =>
      server.db.kysely.updateTable('users').set({ groups: names }).execute();
    await groups(['staff']);
    expect(await introspect(value)).toMatchObject({ active: true, scope: 'mcp:write' });
    await groups([]);
    await set({ access: '[]', dpop: 'required' });
    expect(await introspect(value)).toEqual({ active: false });
    await set({ dpop: 'supported' });
    expect(await active(value)).toBe(true);
  });

  it('notes the last use with the address of who asked, once a minute, not for who may not know', async () => {
    const browser = await signedIn(server);
    const { value } = await made(browser);
    const lastUse = async () => {
      const found = await server.app.rooms.tokens.personal.find(hashId(value), server.now());
      return found?.lastUsedAt;
    };
    await introspect(value, 'WEB');
    await introspect(value);
    await expect.poll(lastUse).toBeDefined();
    const first = await lastUse();
    await introspect(value);
    expect(await lastUse()).toEqual(first);
    const [token] = await tokensOn(browser);
    expect(token?.text).toMatch(/Last used just now , through (127\.0\.0\.1|::1)/);
    server.advance(61);
    await introspect(value);
    await expect.poll(lastUse).not.toEqual(first);
  });

  it('costs one read, and a write only when the last use is a minute old', async () => {
    const { value } = await made(await signedIn(server));
    const asked = async () => {
      statements.length = 0;
      expect(await active(value)).toBe(true);
      return ofRequests(statements);
    };
    await asked();
    await expect.poll(() => statements).toContain('authserver_touch_personal_access_token');
    expect(await asked()).toEqual(['authserver_read_issuance']);
    server.advance(61);
    await asked();
    await expect.poll(() => statements).toContain('authserver_touch_personal_access_token');
  });

  it('MUST be inactive once it has expired', async () => {
    const own = await startServer();
    try {
      const browser = await signedIn(own);
      const page = await press(
        browser,
        await browser.open(`${own.url}/account/tokens/new?resource=rs1`),
        fillIn({ expires: String(7 * day) }),
      );
      const value = valueOn(page) ?? '';
      own.advance(7 * day - 60);
      expect(await isActive(own, value, webSecret)).toBe(true);
      own.advance(61);
      expect(await isActive(own, value, webSecret)).toBe(false);
    } finally {
      await own.close();
    }
  });

  it('MUST be inactive at once when its owner is disabled, and stay so', async () => {
    const { value } = await made(await signedIn(server, bob));
    const { accounts } = server.app.rooms;
    const { id } = await server.db.kysely
      .selectFrom('users')
      .select('id')
      .where('email', '=', bob.email)
      .executeTakeFirstOrThrow();
    await accounts.disable(id, { at: server.now() });
    expect(await active(value)).toBe(false);
    await accounts.enable(id, { at: server.now() });
    expect(await active(value)).toBe(false);
  });
});

describe('as anything else it MUST be refused', () => {
  it.each<[string, (value: string) => Record<string, string>]>([
    [
      'a refresh token (RT10)',
      (value) => ({ grant_type: 'refresh_token', refresh_token: value, client_id: 'PUB' }),
    ],
    [
      'an authorization code (CO08)',
      (value) => ({
        grant_type: 'authorization_code',
        code: value,
        redirect_uri: 'http://127.0.0.1:7777/cb',
        client_id: 'PUB',
        code_verifier: 'v'.repeat(43),
      }),
    ],
  ])('%s', async (_what, form) => {
    const { value } = await made(await signedIn(server));
    const answer = await server.post('/oauth/token', form(value));
    expect(answer.status).toBe(400);
    expect(JSON.parse(await answer.text())).toMatchObject({ error: 'invalid_grant' });
    expect(await active(value)).toBe(true);
  });

  it('a session of the account page, a registration token or a client secret', async () => {
    const { value } = await made(await signedIn(server));
    const authorization = `Bearer ${value}`;
    const account = await fetch(`${server.url}/account`, {
      headers: { authorization, accept: 'text/html' },
      redirect: 'manual',
    });
    expect(account.status).toBe(303);
    const registration = await fetch(`${server.url}/oauth/register/PUB`, {
      headers: { authorization },
    });
    expect(registration.status).toBe(401);
    const asClient = await server.post('/oauth/introspect', { token: value }, { authorization });
    expect([400, 401]).toContain(asClient.status);
    const asSecret = await server.post('/oauth/introspect', { token: value }, basic('RS1', value));
    expect(asSecret.status).toBe(401);
  });
});
