import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBrowser, readForm } from './browser.testing.ts';
import { startServer, type TestServer } from './server.testing.ts';

const password = 'an entirely new password';
const path = '/tenant';

let server: TestServer;
let userId: string;
let email: string;
beforeAll(async () => {
  server = await startServer({ path });
});
afterAll(() => server.close());

let count = 0;
beforeEach(async () => {
  count += 1;
  email = `invited${count}@example.test`;
  const meta = { at: server.now() };
  const { accounts } = server.app.rooms;
  userId = (await accounts.create({ email, source: 'admin' }, meta)).id;
});

const links = () => server.app.rooms.accounts.passwordLinks;

async function linkFor(purpose: 'invite' | 'reset', id = userId): Promise<string> {
  return (await links().create(id, purpose, { at: server.now() })).token;
}

/** Opens the page, fills the form in and sends it. */
async function choose(token: string, typed = password, headers: Record<string, string> = {}) {
  const browser = createBrowser(server.url);
  const { html } = await browser.open(`${server.url}/account/password`);
  const { action, fields } = readForm(html);
  const sent: [string, string][] = [...fields, ['token', token], ['password', typed]];
  return browser.submit(action, sent, headers);
}

async function signsIn(typed: string): Promise<boolean> {
  const { authenticate } = server.app.rooms.accounts;
  const meta = { at: server.now(), ip: `192.0.2.${count}` };
  return (await authenticate({ email, password: typed, meta })).ok;
}

describe('a link that sets a password', () => {
  it('invites somebody, who signs in with what they chose', async () => {
    const answer = await choose(await linkFor('invite'));
    expect(answer.response.status).toBe(200);
    expect(answer.url).toBe(`${server.url}/account/password/done`);
    expect(answer.html).toContain(`href="${path}/account/sign-in"`);
    expect(await signsIn(password)).toBe(true);
  });

  it('MUST work once: used, expired, replaced and foreign ones look the same (BF05)', async () => {
    const used = await linkFor('reset');
    await choose(used);
    const replaced = await linkFor('reset');
    const expired = await linkFor('reset');
    server.advance(3601);
    const setup = await server.db.kysely
      .selectFrom('one_time_links')
      .select('token_hash')
      .executeTakeFirst();
    const seen = new Set<string>();
    for (const token of [used, replaced, expired, 'x'.repeat(43), '', setup?.token_hash ?? '']) {
      const { response, html } = await choose(token, 'another long password');
      expect(response.status).toBe(400);
      expect(html).toContain('This link does not work.');
      seen.add(html.replaceAll(/value="[^"]*"|<code>[0-9A-Z]{10}<\/code>/g, ''));
    }
    expect(seen.size).toBe(1);
    expect(await signsIn('another long password')).toBe(false);
  });

  it('MUST work for one of many who use it at once', async () => {
    const token = await linkFor('reset');
    const passwords = ['first long password', 'second long password', 'third long password'];
    const answers = await Promise.all(passwords.map((typed) => choose(token, typed)));
    expect(answers.filter(({ url }) => url.endsWith('/done'))).toHaveLength(1);
    const works = [];
    for (const typed of passwords) if (await signsIn(typed)) works.push(typed);
    expect(works).toHaveLength(1);
  });

  it('ends every session and every other link of that person, and of nobody else', async () => {
    const { accounts, adminSessions } = server.app.rooms;
    const meta = { at: server.now() };
    const user = await accounts.find(userId);
    const other = await accounts.create({ email: `o-${email}`, source: 'admin' }, meta);
    if (!user) throw new Error('no user');
    const own = await adminSessions.start({ user, role: 'viewer' }, meta);
    const theirs = await adminSessions.start({ user: other, role: 'viewer' }, meta);
    const kept = await linkFor('invite', other.id);
    await choose(await linkFor('invite'));
    expect(await adminSessions.find(own.value)).toBeUndefined();
    expect(await adminSessions.find(theirs.value)).toBeDefined();
    expect((await choose(kept)).url).toMatch(/done$/);
  });

  it('stays usable when the password is refused', async () => {
    const token = await linkFor('invite');
    const { html } = await choose(token, 'short');
    expect(html).toContain('The password needs 10 characters or more.');
    expect(html).toContain(`name="token" value="${token}"`);
    expect((await choose(token)).url).toMatch(/done$/);
  });

  it('MUST NOT work for a disabled account, nor after the password was changed otherwise', async () => {
    const { accounts } = server.app.rooms;
    const meta = { at: server.now() };
    const first = await linkFor('reset');
    await accounts.disable(userId, meta);
    expect((await choose(first)).html).toContain('This link does not work.');
    await accounts.enable(userId, meta);
    const second = await linkFor('reset');
    await accounts.setPassword(userId, password, meta);
    expect((await choose(second, 'another long password')).response.status).toBe(400);
    expect(await signsIn(password)).toBe(true);
  });

  it('takes the whole link that somebody pasted, as there may be no script', async () => {
    const token = await linkFor('invite');
    expect((await choose(` ${server.url}/account/password#${token} `)).url).toMatch(/done$/);
  });

  it('MUST come from its own form in its own browser (CN03)', async () => {
    const token = await linkFor('reset');
    const evil = await choose(token, password, { origin: 'https://evil.test' });
    expect(evil.response.status).toBe(403);
    const bare = await server.post('/account/password', { csrf: 'x', token, password });
    expect(bare.status).toBe(403);
    expect(await signsIn(password)).toBe(false);
  });

  it('leaves who made it, and that it was used, in the audit log, and never its token', async () => {
    const token = await linkFor('reset');
    await choose(token);
    const events = await server.db.kysely
      .selectFrom('audit_events')
      .select(['type', 'detail'])
      .where('user_id', '=', userId)
      .orderBy('id')
      .execute();
    expect(events.map(({ type }) => type)).toEqual([
      'user_created',
      'password_reset_link_created',
      'password_link_used',
      'user_password_changed',
    ]);
    expect(JSON.stringify(events)).not.toContain(token);
    expect(server.logged()).not.toContain(token);
  });
});

describe('its page', () => {
  it('says nothing about whose it is, runs one script of ours, and is not kept (HD01)', async () => {
    const answer = await fetch(`${server.url}/account/password`);
    const html = await answer.text();
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const scripts = [...html.matchAll(/<script src="([^"]*)" defer>/g)].map(([, src]) => src);
    expect(scripts).toHaveLength(1);
    const script = await fetch(new URL(scripts[0] ?? '', server.url));
    expect(script.status).toBe(200);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(await script.text()).toContain('location.hash');
    expect(html).toContain('name="token"');
  });
});
