import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBrowser, readForm } from './browser.testing.ts';
import {
  pressProvider,
  type RealIdp,
  signInElsewhere,
  signInThere,
  startRealIdp,
} from './federation-idp.testing.ts';
import { audited, identityOf, providersYaml } from './federation-setup.testing.ts';
import { authorizeUrl, good } from './flow.testing.ts';
import { answerOf, copyOf, isConsent, isSignedIn, press } from './people.testing.ts';
import { alice, startServer, type TestServer } from './server.testing.ts';

let idp: RealIdp;
let other: RealIdp;
let server: TestServer;

const mapping = {
  scopes: ['openid', 'profile', 'email', 'groups'],
  roles: { admins: 'owner', helpers: 'viewer' },
  groups: { engineering: 'staff', sales: 'sellers' },
};
const access = `
    access: [{ groups: [staff], scopes: ["mcp:read", "mcp:write"] }, { groups: [sellers], scopes: ["mcp:read"] }]`;
const limited = `
  - slug: limited
    uri: https://limited.test/mcp
    display_name: Limited server
    scopes: [{ name: "mcp:read", description: Read }, { name: "mcp:write", description: Write }]${access}`;

beforeAll(async () => {
  [idp, other] = await Promise.all([startRealIdp(), startRealIdp()]);
  server = await startServer({
    resources: limited,
    extra: providersYaml(
      { slug: 'company', issuer: idp.issuer, ...mapping },
      { slug: 'other', issuer: other.issuer },
      { slug: 'invited', issuer: other.issuer, automatic: false },
    ),
  });
  const callback = (slug: string) => `${server.url}/login/callback/${slug}`;
  await idp.serve([callback('company')]);
  await other.serve([callback('other'), callback('invited')], { claimsInIdToken: true });
});
afterAll(async () => {
  await server.close();
  await Promise.all([idp.close(), other.close()]);
});

/** A browser at the sign-in page of the account. */
async function atAccount() {
  const browser = server.browser();
  return { browser, page: await browser.open(`${server.url}/account/sign-in`) };
}

/** A browser at the sign-in page of an authorization. */
async function waiting(changes: Record<string, string> = {}, browser = server.browser()) {
  return { browser, page: await browser.open(authorizeUrl(server, good(changes))) };
}

/** Somebody signs in for their account page. */
async function enter(person: { sub: string; [claim: string]: unknown }, slug = 'company') {
  const provider = slug === 'company' ? idp : other;
  await provider.becomes(person);
  const { browser, page } = await atAccount();
  const done = await signInElsewhere(browser, page, slug);
  const user = await identityOf(server, provider.issuer, person.sub);
  return { browser, done, user };
}

describe('the sign-in pages', () => {
  it('have a button for each provider in their one form, which works without script', async () => {
    for (const { page } of [await atAccount(), await waiting()]) {
      expect(page.html.match(/<form/g)).toHaveLength(1);
      expect(page.html).toMatch(/<button[^>]*name="provider" value="company" formnovalidate>/);
      expect(page.html).toContain('Continue with <bdi>The company</bdi>');
      const csp = page.response.headers.get('content-security-policy');
      expect(csp).not.toContain('form-action');
    }
  });

  it.each([
    ['without csrf', { csrf: '' }, {}],
    ['from another site', {}, { origin: 'https://evil.test' }],
  ])('a press of it %s MUST be refused', async (_what, changes, headers) => {
    const { browser, page } = await atAccount();
    const { action, fields } = readForm(page.html);
    const sent = { ...Object.fromEntries(fields), provider: 'company', ...changes };
    const answer = await browser.submit(action, Object.entries(sent), headers);
    expect(answer.response.status).toBe(403);
  });

  it('a provider that is not there is our page with the way back', async () => {
    const { browser, page } = await atAccount();
    const answer = await pressProvider(browser, page, '"><svg onload=alert(1)>');
    expect(answer.response.status).toBe(404);
    expect(answer.html).not.toContain('<svg onload');
    expect(answer.html).toContain('/account/sign-in');
  });

  it('send the browser out with code, PKCE S256, state, nonce, and the callback of that provider', async () => {
    const { browser, page } = await atAccount();
    const { url } = await pressProvider(browser, page, 'company');
    expect(url.startsWith(`${idp.issuer}/auth?`)).toBe(true);
    const { searchParams: asked } = new URL(url);
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      client_id: 'authserver',
      redirect_uri: `${server.url}/login/callback/company`,
      scope: 'openid profile email groups',
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(asked.get(name)).toMatch(/^[\w-]{43}$/);
    const [row] = await server.db.kysely
      .selectFrom('provider_sign_ins')
      .selectAll()
      .orderBy('created_at', 'desc')
      .execute();
    for (const name of ['state', 'code_challenge'])
      expect(JSON.stringify(row)).not.toContain(asked.get(name));
  });
});

describe('somebody who signs in at the provider', () => {
  it('gets an account at first, and the same one ever after', async () => {
    const person = { sub: 'first', name: 'Frida First', email: 'frida@company.test' };
    const { browser, done, user } = await enter(person);
    expect(done.response.status).toBe(200);
    expect(new URL(done.url).pathname).toBe('/account');
    expect(done.html).toContain('Frida First');
    expect(user).toMatchObject({
      email: 'frida@company.test',
      name: 'Frida First',
      source: 'issuer',
      password_hash: null,
      role: null,
    });
    expect(await isSignedIn(server, browser)).toBe(true);
    const again = await enter({ ...person, name: 'Frida Second', email: 'else@company.test' });
    expect(again.user).toMatchObject({ id: user?.id, email: user?.email, name: 'Frida Second' });
    const logins = (await audited(server, 'user_login')).filter((one) => one.user_id === user?.id);
    expect(logins.map(({ detail }) => detail)).toEqual(
      Array(2).fill({ method: 'identity_provider', purpose: 'account', provider: 'company' }),
    );
  });

  it('goes on to the consent page of the app that waits, and the app gets its code', async () => {
    await idp.becomes({ sub: 'worker', name: 'Willa Worker', email: 'willa@company.test' });
    const { browser, page } = await waiting();
    const consent = await signInElsewhere(browser, page, 'company');
    expect(isConsent(consent)).toBe(true);
    expect(consent.html).toContain('willa@company.test');
    const answer = answerOf(await press(browser, consent, [['decision', 'approve']]));
    expect(answer.get('code')).toBeTruthy();
    expect(answer.get('state')).toBe('S1');
  });

  it('finishes in parallel tabs', async () => {
    await idp.becomes({ sub: 'tabs', name: 'Tabea', email: 'tabea@company.test' });
    const browser = server.browser();
    const there = createBrowser(idp.issuer);
    const first = await waiting({ state: 'one' }, browser);
    const second = await waiting({ state: 'two' }, browser);
    const leftFirst = await pressProvider(browser, first.page, 'company');
    const leftSecond = await pressProvider(browser, second.page, 'company');
    const back = [
      await signInThere(leftSecond.url, there),
      await signInThere(leftFirst.url, there),
    ];
    const pages = [await browser.open(back[0] ?? ''), await browser.open(back[1] ?? '')];
    expect(pages.map(isConsent)).toEqual([true, true]);
    const states: (string | null)[] = [];
    for (const page of pages) {
      states.push(answerOf(await press(browser, page, [['decision', 'approve']])).get('state'));
    }
    expect(states).toEqual(['two', 'one']);
  });

  it.each([true, false])(
    'MUST NOT get the account that has their e-mail address, verified %s (BF06)',
    async (email_verified) => {
      const sub = `alice-${email_verified}`;
      const { user } = await enter({ sub, email: alice.email, email_verified, name: 'Alice?' });
      const local = await server.db.kysely
        .selectFrom('users')
        .selectAll()
        .where('email', '=', alice.email)
        .executeTakeFirstOrThrow();
      expect(user?.id).not.toBe(local.id);
      expect(user?.email).toBe(`${new URL(idp.issuer).host}|${sub}`);
      expect(user?.source).toBe('issuer');
    },
  );

  it('is another person than the one with the same subject at another provider', async () => {
    const there = await enter({ sub: 'same', name: 'Sam A', email: 'sam@a.test' });
    const elsewhere = await enter({ sub: 'same', name: 'Sam B', email: 'sam@b.test' }, 'other');
    expect(elsewhere.user?.id).not.toBe(there.user?.id);
  });

  it('gets a new session id, and what the browser had before is worth nothing (SE01)', async () => {
    const { browser } = await enter({ sub: 'before', name: 'Bea', email: 'bea@company.test' });
    const thief = copyOf(server, browser);
    const planted = browser.jar.get('session');
    await idp.becomes({ sub: 'after', name: 'Arne', email: 'arne@company.test' });
    const page = await browser.open(authorizeUrl(server, good({ prompt: 'login' })));
    expect(isConsent(await signInElsewhere(browser, page, 'company'))).toBe(true);
    expect(browser.jar.get('session')).not.toBe(planted);
    expect(await isSignedIn(server, thief)).toBe(false);
  });

  it('is asked again there when the app wants that', async () => {
    await idp.becomes({ sub: 'again', name: 'Agnes', email: 'agnes@company.test' });
    const { browser } = await enter({ sub: 'again', name: 'Agnes', email: 'agnes@company.test' });
    const page = await browser.open(authorizeUrl(server, good({ prompt: 'login' })));
    const { url } = await pressProvider(browser, page, 'company');
    expect(new URL(url).searchParams.get('prompt')).toBe('login');
  });

  it('who is disabled MUST NOT get in', async () => {
    const person = { sub: 'gone', name: 'Gil Gone', email: 'gil@company.test' };
    const { user } = await enter(person);
    await server.app.rooms.accounts.disable(user?.id ?? '', { at: server.now() });
    const { browser, done } = await enter(person);
    expect(done.response.status).toBe(403);
    expect(done.html).toContain('disabled');
    expect(await isSignedIn(server, browser)).toBe(false);
    const failed = await audited(server, 'user_login_failed');
    expect(failed.at(-1)).toMatchObject({
      user_id: user?.id,
      detail: { reason: 'disabled', method: 'identity_provider', provider: 'company' },
    });
  });

  it('MUST NOT get an account where none is made, and gets the one that was linked', async () => {
    const person = { sub: 'guest', name: 'Gus', email: 'gus@b.test' };
    const { browser, done, user } = await enter(person, 'invited');
    expect(done.response.status).toBe(403);
    expect(user).toBeUndefined();
    expect(await isSignedIn(server, browser)).toBe(false);
    const { accounts } = server.app.rooms;
    const meta = { at: server.now() };
    const made = await accounts.create({ email: 'gus@local.test', source: 'cli' }, meta);
    await accounts.identities.link(made.id, { issuer: other.issuer, subject: 'guest' }, meta);
    const second = await enter(person, 'invited');
    expect(second.user).toMatchObject({ id: made.id, email: 'gus@local.test', name: null });
    expect(await isSignedIn(server, second.browser)).toBe(true);
  });

  it('goes nowhere else because a parameter says so (RU22)', async () => {
    await idp.becomes({ sub: 'first', name: 'Frida', email: 'frida@company.test' });
    const { browser, page } = await atAccount();
    const { action, fields } = readForm(page.html);
    const evil: [string, string][] = ['return_to', 'next', 'redirect'].map((name) => [
      name,
      'https://evil.test',
    ]);
    const left = await browser.submit(`${action}?${new URLSearchParams(evil)}`, [
      ...fields,
      ...evil,
      ['provider', 'company'],
    ]);
    const back = await signInThere(left.url);
    const done = await browser.open(`${back}&${new URLSearchParams(evil)}`);
    expect(done.url).toBe(`${server.url}/account`);
  });
});

describe('groups of the provider', () => {
  const person = { sub: 'member', name: 'Mia Member', email: 'mia@company.test' };

  it('become role and groups here at each sign-in, and leave the operator’s groups alone', async () => {
    const first = await enter({ ...person, groups: ['engineering', 'helpers', 'constructor'] });
    expect(first.user).toMatchObject({ role: 'viewer', groups: ['staff'] });
    const meta = { at: server.now() };
    const id = first.user?.id ?? '';
    await server.app.rooms.accounts.update(id, { groups: ['staff', 'ours'] }, meta);
    const second = await enter({ ...person, groups: ['sales', 'admins', 'helpers'] });
    expect(second.user).toMatchObject({ role: 'owner', groups: ['ours', 'sellers'] });
    const third = await enter({ ...person, groups: 'engineering' });
    expect(third.user?.groups).toEqual(['ours', 'staff']);
    const updates = (await audited(server, 'user_updated')).filter((one) => one.user_id === id);
    expect(updates.at(-1)?.actor_id).toBe('identity_provider:company');
  });

  it('MUST NOT take the role of the last owner, and that is recorded', async () => {
    const { user } = await enter({ ...person, groups: ['admins'] });
    expect(user?.role).toBe('owner');
    const { user: kept } = await enter({ ...person, groups: ['sales'] });
    expect(kept).toMatchObject({ role: 'owner', groups: ['ours', 'sellers'] });
    expect((await audited(server, 'last_owner_kept')).at(-1)).toMatchObject({
      user_id: user?.id,
      detail: { provider: 'company' },
    });
    const { accounts } = server.app.rooms;
    await accounts.create(
      { email: 'owner@local.test', role: 'owner', source: 'cli' },
      { at: server.now() },
    );
    expect((await enter({ ...person, groups: ['sales'] })).user?.role).toBeNull();
  });

  it('are the ceiling of the scopes that their members may grant', async () => {
    const limitedFlow = { resource: 'https://limited.test/mcp', scope: 'mcp:read mcp:write' };
    for (const [group, scopes] of [
      ['sales', ['mcp:read']],
      ['engineering', ['mcp:read', 'mcp:write']],
    ] as const) {
      await idp.becomes({
        sub: `in-${group}`,
        name: 'Max',
        email: `${group}@c.test`,
        groups: [group],
      });
      const { browser, page } = await waiting(limitedFlow);
      const consent = await signInElsewhere(browser, page, 'company');
      const offered = [...consent.html.matchAll(/name="scope" value="([^"]*)"/g)];
      expect(offered.map(([, name]) => name)).toEqual(scopes);
    }
  });
});

describe('an answer at the callback', () => {
  const person = { sub: 'victim', name: 'Vic', email: 'vic@company.test' };

  async function answered(slug = 'company') {
    const provider = slug === 'company' ? idp : other;
    await provider.becomes(person);
    const { browser, page } = await atAccount();
    const left = await pressProvider(browser, page, slug);
    return { browser, back: await signInThere(left.url) };
  }

  it('MUST NOT sign anybody in in another browser (T7), and is used up', async () => {
    const { browser, back } = await answered();
    const victim = server.browser();
    const shown = await victim.open(back);
    expect(shown.response.status).toBe(403);
    expect(await isSignedIn(server, victim)).toBe(false);
    const marked = (await atAccount()).browser;
    await pressProvider(marked, await marked.open(`${server.url}/account/sign-in`), 'company');
    expect((await marked.open((await answered()).back)).response.status).toBe(403);
    expect((await browser.open(back)).response.status).toBe(403);
  });

  it('MUST work once', async () => {
    const { browser, back } = await answered();
    expect((await browser.open(back)).response.status).toBe(200);
    const thief = copyOf(server, browser);
    const again = await thief.open(back);
    expect(again.response.status).toBe(403);
    expect(again.html).toContain('finished already');
  });

  it('MUST come within ten minutes', async () => {
    const { browser, back } = await answered();
    server.advance(601);
    const late = await browser.open(back);
    server.advance(-601);
    expect(late.response.status).toBe(403);
    expect(late.html).toContain('ten minutes');
    expect(await isSignedIn(server, browser)).toBe(false);
  });

  it.each([
    ['no state', (url: URL) => url.searchParams.delete('state')],
    ['an unknown state', (url: URL) => url.searchParams.set('state', 'A'.repeat(43))],
    ['two states', (url: URL) => url.searchParams.append('state', 'x')],
    ['the issuer of another', (url: URL) => url.searchParams.set('iss', other.issuer)],
    ['no issuer, where it announces one', (url: URL) => url.searchParams.delete('iss')],
    ['another code', (url: URL) => url.searchParams.set('code', 'made-up')],
    ['no code', (url: URL) => url.searchParams.delete('code')],
  ])('with %s MUST be refused', async (_what, change) => {
    const { browser, back } = await answered();
    const url = new URL(back);
    change(url);
    const shown = await browser.open(url.href);
    expect(shown.response.status).toBe(403);
    expect(shown.html).toContain('/account/sign-in');
    expect(await isSignedIn(server, browser)).toBe(false);
  });

  it('of one provider at the callback of another MUST be refused, and never redeemed there (COAT)', async () => {
    const { browser, back } = await answered('company');
    const swapped = back.replace('/callback/company', '/callback/other');
    const shown = await browser.open(swapped);
    expect(shown.response.status).toBe(403);
    expect(shown.html).toContain('did not come from');
    expect((await browser.open(back)).response.status).toBe(403);
    expect(await isSignedIn(server, browser)).toBe(false);
    expect((await audited(server, 'user_login_failed')).at(-1)?.detail).toMatchObject({
      reason: 'swapped',
      provider: 'company',
    });
  });

  it('of a person who went away is our page, inert, with a trace id and the way back (XS03)', async () => {
    await idp.becomes(null);
    const { browser, page } = await waiting();
    const shown = await signInElsewhere(browser, page, 'company');
    expect(shown.response.status).toBe(403);
    expect(shown.html).not.toContain('<svg');
    expect(shown.html).toMatch(/<code>[0-9A-HJKMNP-TV-Z]{10}<\/code>/);
    expect(server.logged()).toContain('access_denied');
    const back = /href="([^"]*\/login\/[\w-]+)"/.exec(shown.html)?.[1] ?? '';
    await idp.becomes(person);
    const retry = await browser.open(back);
    expect(isConsent(await signInElsewhere(browser, retry, 'company'))).toBe(true);
  });

  it.each([
    'error=%3Csvg%20onload%3Dalert(1)%3E',
    'state=%3Csvg%3E&code=%3Csvg%3E',
    'state=%00',
    '%zz',
  ])('with ?%s is inert (XS03)', async (query) => {
    const browser = server.browser();
    for (const slug of ['company', 'nope', '%3Csvg%20onload=alert(1)%3E']) {
      const shown = await browser.open(`${server.url}/login/callback/${slug}?${query}`);
      expect([403, 400]).toContain(shown.response.status);
      expect(shown.html).not.toContain('<svg');
      expect(shown.response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(shown.response.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('leaves neither code nor state in the log', async () => {
    const { browser, back } = await answered();
    await browser.open(back);
    const { searchParams } = new URL(back);
    for (const name of ['code', 'state'])
      expect(server.logged()).not.toContain(searchParams.get(name));
  });
});
