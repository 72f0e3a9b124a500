import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from './browser.testing.ts';
import { audited } from './federation-setup.testing.ts';
import { good } from './flow.testing.ts';
import { openConsent, press, selfRegistered, signedIn, typed } from './people.testing.ts';
import { alice, bob, type TestServer } from './server.testing.ts';
import { formsOn, formTo, said, send, stranger, workspaceUrl } from './workspace-pages.testing.ts';
import {
  introspect,
  leave,
  memberOf,
  membershipsOf,
  spaces,
  startWorkspaces,
  tokensFor,
  userId,
  vault,
  workspaceId,
} from './workspaces.testing.ts';

let server: TestServer;
let acme: string;
beforeAll(async () => {
  server = await startWorkspaces();
  acme = await workspaceId(server, 'acme');
});
afterAll(() => server.close());
beforeEach(async () => {
  await memberOf(server, alice, { acme: 'admin', beta: 'member' });
  await memberOf(server, bob, { acme: 'member' });
});

const page = (which = 'acme') => workspaceUrl(server, which);
const plain = (html: string) => html.replace(/<[^>]*>/g, '');
const part = (html: string, id: string) =>
  new RegExp(`<section id="${id}">(.*?)</section>`, 's').exec(html)?.[1] ?? '';

/** A credential of a member, as a reconnect link makes it. */
async function connectorOf(person: { email: string }, label = 'Laptop') {
  const { tokens, resources } = server.app.rooms;
  const resource = resources.resolve(spaces);
  if (!resource) throw new Error('no resource');
  return tokens.credentials.create({
    ...{ workspaceId: acme, resource, label, userId: await userId(server, person) },
    ...{ connector: { kind: 'reconnect_link', id: 'x' }, meta: { at: server.now() } },
  });
}

/** The default credential of acme, made on its page. */
async function makeDefault(browser: Browser, slug = 'spaces') {
  const asked = await browser.open(`${page()}/credentials/${slug}`);
  const form = formTo(asked.html, `/credentials/${slug}`);
  const made = await send(browser, form);
  const value = />(wsc_[^<]*)<\/textarea>/.exec(made.html)?.[1] ?? '';
  return { form, asked, made, value };
}

describe('the page of a workspace', () => {
  it('is listed on the account page with the role, and opens by its slug and by its id', async () => {
    const browser = await signedIn(server);
    const account = await browser.open(`${server.url}/account`);
    const listed = part(account.html, 'workspaces');
    expect(listed).toContain('href="/account/workspaces/acme"');
    expect(plain(listed)).toMatch(/Acme Inc\.acmeAdmin/);
    expect(plain(listed)).toMatch(/Beta Ltd\.betaMember/);
    for (const which of ['acme', acme]) {
      const { response, html } = await browser.open(page(which));
      expect(response.status).toBe(200);
      expect(html).toContain(acme);
      expect(html).toContain(spaces);
    }
  });

  it('MUST answer 404 to everybody else, as for one that there is not (AD07)', async () => {
    const browser = await signedIn(server, bob);
    const beta = await workspaceId(server, 'beta');
    const answers = [];
    for (const which of ['beta', beta, 'nope', crypto.randomUUID(), 'a%00b', '..%2Facme']) {
      const { response, html } = await browser.open(page(which));
      expect({ which, status: response.status }).toEqual({ which, status: 404 });
      expect(html).not.toContain('Beta');
      answers.push(html.replace(/<code>[0-9A-HJKMNP-TV-Z]{10}<\/code>/g, ''));
    }
    expect(new Set(answers.slice(0, 4)).size).toBe(1);
  });

  it('sends who is signed out to sign in and back', async () => {
    const browser = stranger(server);
    const asked = await browser.open(page());
    expect(asked.url).toContain('/account/sign-in?return_to=');
    const { url } = await press(browser, asked, [
      ['username', alice.email],
      ['password', alice.password],
    ]);
    expect(url).toBe(page());
  });

  it('has what to paste for every client, by sign-in and with a token', async () => {
    const { html } = await (await signedIn(server, bob)).open(page());
    const shown = part(html, 'connect');
    for (const client of ['Claude', 'Claude Code', 'Cursor', 'VS Code', 'MCP Inspector']) {
      expect(shown).toContain(`<summary>${client}</summary>`);
    }
    expect(shown).toContain(`claude mcp add --transport http acme-spaces ${spaces}`);
    expect(shown).toContain('Bearer &lt;credential-id&gt;.&lt;secret&gt;');
    expect(html).not.toContain('https://rs1.test/mcp'); // knows no workspaces
  });

  it('keeps the policy against scripts, framing and caching of every page', async () => {
    const { response } = await (await signedIn(server)).open(page());
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
  });
});

describe('members', () => {
  it('are shown to all; only admins have forms for others and see invitations', async () => {
    const seen = await (await signedIn(server, bob)).open(page());
    expect(plain(part(seen.html, 'members'))).toContain(alice.email);
    expect(seen.html).toContain('/account/workspaces/acme/leave"');
    expect(formsOn(seen.html).filter(({ action }) => action.includes('/members/'))).toEqual([]);
    expect(part(seen.html, 'invitations')).toBe('');
    const own = await (await signedIn(server)).open(page());
    const user = await userId(server, bob);
    expect(formTo(own.html, '/members/role', { user }).fields).toContainEqual(['role', 'admin']);
    expect(part(own.html, 'invitations')).not.toBe('');
  });

  it('change their role through an admin, which the audit log names', async () => {
    const browser = await signedIn(server);
    const user = await userId(server, bob);
    const form = formTo((await browser.open(page())).html, '/members/role', { user });
    const done = await send(browser, form);
    expect(said(done.html)).toBe('The role is changed.');
    expect(await membershipsOf(server, bob)).toMatchObject([{ slug: 'acme', role: 'admin' }]);
    const event = (await audited(server, 'workspace_member_changed')).at(-1);
    expect(event).toMatchObject({
      ...{ user_id: user, actor_kind: 'user', actor_id: await userId(server, alice) },
    });
  });

  it('lose everything they had for the workspace when an admin removes them, which is said before', async () => {
    const browser = await signedIn(server);
    const granted = await tokensFor(server, 'acme', { person: bob });
    const { credential } = await connectorOf(bob);
    expect(await introspect(server, credential)).toMatchObject({ active: true });
    const user = await userId(server, bob);
    const asked = await browser.open(`${page()}/members/${user}/remove`);
    expect(plain(asked.html)).toContain(
      'This ends their 1 connection and 1 workspace credential at once.',
    );
    const done = await send(browser, formTo(asked.html, '/members/remove'));
    expect(said(done.html)).toContain('no member any more');
    expect(await introspect(server, granted.access_token)).toEqual({ active: false });
    expect(await introspect(server, credential)).toEqual({ active: false });
    expect((await (await signedIn(server, bob)).open(page())).response.status).toBe(404);
  });

  it('may leave by themselves; the last admin MUST NOT leave, be removed or demoted', async () => {
    const own = await signedIn(server, bob);
    const left = await send(own, formTo((await own.open(`${page()}/leave`)).html, '/leave'));
    expect(left.url).toBe(`${server.url}/account`);
    expect(await membershipsOf(server, bob)).toEqual([]);

    const browser = await signedIn(server);
    const user = await userId(server, alice);
    const shown = await browser.open(page());
    const removal = await browser.open(`${page()}/members/${user}/remove`);
    for (const form of [
      formTo((await browser.open(`${page()}/leave`)).html, '/leave'),
      formTo(removal.html, '/members/remove'),
      formTo(shown.html, '/members/role', { user }),
    ]) {
      const answer = await send(browser, form);
      expect(answer.response.status).toBe(409);
      expect(said(answer.html)).toBe(
        'A workspace needs an admin. Make somebody else an admin first.',
      );
    }
    expect(await membershipsOf(server, alice)).toMatchObject([{ role: 'admin' }, { slug: 'beta' }]);
  });

  it('MUST NOT do what a form does that another person was shown in this browser', async () => {
    await memberOf(server, bob, { acme: 'admin' });
    const browser = await signedIn(server);
    const form = formTo((await browser.open(`${page()}/leave`)).html, '/leave');
    await send(browser, formTo((await browser.open(page())).html, '/logout'));
    await press(browser, await browser.open(`${server.url}/account`), typed(bob));
    expect((await send(browser, form)).response.status).toBe(403);
    expect(await membershipsOf(server, bob)).toMatchObject([{ slug: 'acme' }]);
  });

  it('an admin whose account is disabled is no admin to rely on', async () => {
    await memberOf(server, bob, { acme: 'admin' });
    const { accounts } = server.app.rooms;
    const bobId = await userId(server, bob);
    const browser = await signedIn(server);
    await accounts.disable(bobId, { at: server.now() });
    const answer = await send(
      browser,
      formTo((await browser.open(`${page()}/leave`)).html, '/leave'),
    );
    await accounts.enable(bobId, { at: server.now() });
    expect(answer.response.status).toBe(409);
  });

  it('MUST NOT change anybody as a plain member, whatever they post', async () => {
    const browser = await signedIn(server, bob);
    const { html } = await browser.open(`${page()}/leave`);
    const csrf = formTo(html, '/leave').fields.find(([name]) => name === 'csrf');
    if (!csrf) throw new Error('no csrf');
    const user = await userId(server, alice);
    const tries: [string, Record<string, string>][] = [
      ['members/role', { user: await userId(server, bob), role: 'admin' }],
      ['members/remove', { user }],
      ['invitations', { email: 'x@example.test', role: 'admin' }],
      ['invitations/revoke', { invitation: 'inv_x' }],
      ['credentials/spaces', { once: crypto.randomUUID() }],
      ['credentials/revoke', { credential: 'wsc_x' }],
    ];
    for (const [path, fields] of tries) {
      const form = { action: `${page()}/${path}`, fields: [csrf] };
      const { response } = await send(browser, form, fields);
      expect({ path, status: response.status }).toEqual({ path, status: 404 });
    }
    expect(await membershipsOf(server, bob)).toMatchObject([{ role: 'member' }]);
    expect(await membershipsOf(server, alice)).toHaveLength(2);
  });
});

describe('connectors', () => {
  it('of a member are their own; an admin sees and ends everybody’s, each alone', async () => {
    await tokensFor(server, 'acme', { person: alice });
    const theirs = await tokensFor(server, 'acme', { person: bob });
    const { credential, id } = await connectorOf(bob, 'Laptop of Bob');
    const own = await (await signedIn(server, bob)).open(page());
    const shown = plain(part(own.html, 'connectors'));
    expect(shown).toContain('Registered by an operator');
    expect(shown).toContain('Token from a reconnect link');
    expect(shown).not.toContain(alice.email);
    expect(part(own.html, 'connectors').match(/<li/g)).toHaveLength(2);

    const browser = await signedIn(server);
    const all = await browser.open(page());
    expect(part(all.html, 'connectors').match(/<li/g)).toHaveLength(3);
    expect(plain(part(all.html, 'connectors'))).toContain(`Acts for${bob.email}`);
    const done = await send(browser, formTo(all.html, '/connectors/revoke', { connector: id }));
    expect(said(done.html)).toContain('It is disconnected');
    expect(await introspect(server, credential)).toEqual({ active: false });
    expect(await introspect(server, theirs.access_token)).toMatchObject({ active: true });
  });

  it('say that a client registered itself', async () => {
    const redirect_uri = 'http://127.0.0.1:7777/cb';
    const client_id = await selfRegistered(server, {
      ...{ client_name: 'Claude Code', redirect_uris: [redirect_uri] },
    });
    const browser = await signedIn(server, bob);
    const flow = good({ resource: spaces, scope: 's:use', client_id, redirect_uri });
    const { page: asked } = await openConsent(server, flow, { browser });
    await press(browser, asked, [['decision', 'approve']]);
    const { html } = await browser.open(page());
    expect(plain(part(html, 'connectors'))).toContain('Claude CodeSelf-registered, unverified');
  });

  it('MUST NOT end what belongs to somebody else or to another workspace (AD07)', async () => {
    await memberOf(server, bob, { acme: 'member', beta: 'admin' });
    const hers = await tokensFor(server, 'acme', { person: alice });
    const elsewhere = await tokensFor(server, 'beta', { person: alice });
    const browser = await signedIn(server, bob);
    const grants = await server.db.kysely
      .selectFrom('grants')
      .select(['id', 'workspace_id'])
      .where('user_id', '=', await userId(server, alice))
      .where('revoked_at', 'is', null)
      .execute();
    await connectorOf(bob);
    const { html } = await browser.open(page());
    const form = formTo(html, '/connectors/revoke');
    const csrf = form.fields.filter(([name]) => name === 'csrf');
    const { id: foreign } = await connectorOf(alice, 'Hers');
    for (const connector of [...grants.map(({ id }) => id), foreign, 'gr_nope']) {
      const answer = await send(browser, { ...form, fields: csrf }, { connector });
      expect({ connector, status: answer.response.status }).toEqual({ connector, status: 404 });
    }
    for (const { access_token } of [hers, elsewhere]) {
      expect(await introspect(server, access_token)).toMatchObject({ active: true });
    }
  });

  it('MUST have a form of this browser and this workspace (CN03)', async () => {
    await connectorOf(alice, 'Mine');
    const browser = await signedIn(server);
    const form = formTo((await browser.open(page())).html, '/connectors/revoke');
    const other = formTo((await browser.open(`${page('beta')}/leave`)).html, '/leave').fields.find(
      ([name]) => name === 'csrf',
    );
    const withCsrf = (value: string) =>
      form.fields.map(([name, was]): [string, string] => [name, name === 'csrf' ? value : was]);
    for (const value of ['', 'wrong', other?.[1] ?? 'x']) {
      const answer = await send(browser, { ...form, fields: withCsrf(value) });
      expect(answer.response.status).toBe(403);
    }
    const foreign = await browser.submit(form.action, form.fields, { origin: 'https://evil.test' });
    expect(foreign.response.status).toBe(403);
  });
});

describe('the default credential', () => {
  it('is made by an admin, shown once with what to paste, and works', async () => {
    const browser = await signedIn(server);
    const { made, value, form } = await makeDefault(browser);
    expect(value).toMatch(/^wsc_\w{12}\.\w{49}$/);
    expect(made.html).toContain(`Bearer ${value}`);
    expect(made.response.headers.get('cache-control')).toBe('no-store');
    expect(await introspect(server, value)).toMatchObject({
      ...{ active: true, workspace_id: acme, sub: await userId(server, alice) },
    });
    const shown = await browser.open(page());
    expect(shown.html).toContain(value.split('.')[0]);
    expect(shown.html).not.toContain(value);
    // A reload of the answer sends the form again.
    const again = await send(browser, form);
    expect(again.html).not.toContain(value);
    expect(await introspect(server, value)).toMatchObject({ active: true });
  });

  it('dies at once when it is regenerated, which is said before; others are left alone', async () => {
    const browser = await signedIn(server);
    const first = await makeDefault(browser);
    const other = await makeDefault(browser, 'vault');
    const { credential } = await connectorOf(bob);
    const second = await makeDefault(browser);
    expect(plain(second.asked.html)).toContain(
      `Every client that uses ${first.value.split('.')[0]} stops working at once.`,
    );
    expect(plain(second.made.html)).toContain('The one before it does not work any more.');
    expect(await introspect(server, first.value)).toEqual({ active: false });
    for (const alive of [second.value, other.value, credential]) {
      expect(await introspect(server, alive)).toMatchObject({ active: true });
    }
    expect(await introspect(server, other.value)).toMatchObject({ aud: vault });
  });

  it('is a file to download, with the value that the page brings along', async () => {
    const browser = await signedIn(server);
    const { made, value } = await makeDefault(browser);
    const form = formTo(made.html, '/credentials/env');
    const { response, html } = await send(browser, form);
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="acme-spaces.env"',
    );
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(html).toBe(`MCP_URL="${spaces}"\nMCP_TOKEN="${value}"\n`);
  });

  it('file MUST NOT carry words of anybody else (RFD), nor come for another’s form', async () => {
    const browser = await signedIn(server);
    const { made } = await makeDefault(browser);
    const form = formTo(made.html, '/credentials/env');
    const fields = form.fields.filter(([name]) => name !== 'credential');
    for (const credential of ['', 'x', 'a.b\nPATH=/evil', '<script>', `wsc_${'0'.repeat(12)}.x`]) {
      const { response } = await send(browser, { ...form, fields }, { credential });
      expect({ credential, status: response.status }).toEqual({ credential, status: 400 });
    }
    const without = form.fields.filter(([name]) => name !== 'csrf');
    const refused = await send(browser, { ...form, fields: without });
    expect(refused.response.status).toBe(403);
  });

  it('is revoked by an admin and shown to members without a way to change it', async () => {
    const browser = await signedIn(server);
    const { value } = await makeDefault(browser);
    const seen = await (await signedIn(server, bob)).open(page());
    expect(plain(part(seen.html, 'credentials'))).toContain(alice.email);
    expect(part(seen.html, 'credentials')).not.toMatch(/<form|<a /);
    const asked = await browser.open(`${page()}/credentials/spaces/revoke`);
    const done = await send(browser, formTo(asked.html, '/credentials/revoke'));
    expect(said(done.html)).toBe('The token does not work any more.');
    expect(await introspect(server, value)).toEqual({ active: false });
  });

  it('ends when the admin who made it leaves', async () => {
    const { value } = await makeDefault(await signedIn(server));
    await leave(server, alice, 'acme');
    expect(await introspect(server, value)).toEqual({ active: false });
  });
});

it('personal access tokens of this workspace alone are listed, made and revoked from here', async () => {
  const { tokens, resources } = server.app.rooms;
  const resource = resources.resolve(spaces);
  if (!resource) throw new Error('no resource');
  const owner = await userId(server, alice);
  const by = { actor: { kind: 'user' as const, id: owner }, meta: { at: server.now() } };
  const make = async (slug: string, name: string) =>
    tokens.personal.create(
      {
        ...{ userId: owner, resource, scopes: ['s:use'], name },
        workspaceId: await workspaceId(server, slug),
      },
      by,
    );
  const here = await make('acme', 'Here');
  await make('beta', 'Elsewhere');
  const browser = await signedIn(server);
  const { html } = await browser.open(page());
  const shown = part(html, 'tokens');
  expect(shown).toContain('Here');
  expect(shown).not.toContain('Elsewhere');
  const link = /href="([^"]*tokens\/new\?resource=spaces[^"]*)"/.exec(shown)?.[1] ?? '';
  const form = await browser.open(server.url + link.replaceAll('&amp;', '&'));
  expect(form.html).toMatch(new RegExp(`value="${acme}" required checked`));
  const done = await send(browser, formTo(html, '/tokens/revoke', { token: here.id }));
  expect(done.url).toBe(`${page()}#tokens`);
  expect(await introspect(server, here.value)).toEqual({ active: false });
});

it('other MCP servers are listed with how this member stands to them, and where they connect', async () => {
  const { upstream } = server.app.rooms;
  const by = { actor: { kind: 'user', id: 'usr_x' }, meta: { at: server.now() } } as const;
  const who = { workspaceId: acme, userId: await userId(server, alice) };
  const make = (name: string, authType: 'oauth' | 'none') =>
    upstream.servers.create(
      { ...who, input: { name, url: `https://${name}.test/mcp`, authType } },
      by,
    );
  const notes = await make('notes', 'oauth');
  await make('weather', 'none');
  const { html } = await (await signedIn(server, bob)).open(page());
  const shown = part(html, 'servers');
  expect(plain(shown)).toMatch(/notesNot connected.*weatherReady for everybody/s);
  expect(shown).toContain(`href="/connect/servers/${notes.uuid}" aria-label="Connect notes"`);
  const other = await (await signedIn(server)).open(page('beta'));
  expect(part(other.html, 'servers')).not.toContain('notes');
});
