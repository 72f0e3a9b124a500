import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from './browser.testing.ts';
import {
  pressProvider,
  type RealIdp,
  signInThere,
  startRealIdp,
} from './federation-idp.testing.ts';
import { audited, providersYaml } from './federation-setup.testing.ts';
import { isSignedIn, press, signedIn } from './people.testing.ts';
import { alice, bob, startServer, type TestServer } from './server.testing.ts';
import { withoutTrace } from './signed-in.testing.ts';
import { formTo, linkOn, said, send, stranger, workspaceUrl } from './workspace-pages.testing.ts';
import {
  memberOf,
  membershipsOf,
  startWorkspaces,
  userId,
  workspaceId,
} from './workspaces.testing.ts';

let server: TestServer;
let idp: RealIdp;
let admin: Browser;
beforeAll(async () => {
  idp = await startRealIdp();
  server = await startWorkspaces({
    extra: providersYaml({ slug: 'company', issuer: idp.issuer }),
  });
  await idp.serve([`${server.url}/login/callback/company`]);
  admin = await signedIn(server);
});
afterAll(async () => {
  await server.close();
  await idp.close();
});
beforeEach(async () => {
  await memberOf(server, alice, { acme: 'admin' });
  await memberOf(server, bob, {});
});

const page = () => workspaceUrl(server, 'acme');
const password = 'a long enough password';
let people = 0;
const somebody = () => `person${++people}@example.test`;

/** What the form on the workspace page answers. */
async function ask(email: string, role = 'member', browser = admin) {
  const form = formTo((await browser.open(page())).html, '/acme/invitations');
  return send(browser, form, { email, role });
}

/** The link of a new invitation. */
async function invite(email: string, role = 'member'): Promise<string> {
  return linkOn((await ask(email, role)).html);
}

/** Opens a link and presses its button. */
async function take(browser: Browser, link: string, typed: Record<string, string>) {
  const shown = await browser.open(link);
  return send(browser, formTo(shown.html, new URL(link).pathname), typed);
}

const members = async () =>
  (
    await server.db.kysely
      .selectFrom('workspace_members as m')
      .innerJoin('users as u', 'u.id', 'm.user_id')
      .select('u.email')
      .execute()
  ).map(({ email }) => email);

describe('an admin', () => {
  it('gets a link once, whose token is kept as a hash, and is told that there is no mail', async () => {
    const email = somebody();
    const made = await ask(email, 'admin');
    const link = linkOn(made.html);
    expect(link).toMatch(/\/account\/invitations\/[\w-]{43}$/);
    expect(made.html).toContain('No mail is sent');
    const shown = await admin.open(page());
    expect(shown.html).toContain(email);
    expect(shown.html).not.toContain(link.split('/').at(-1));
    const rows = await server.db.kysely.selectFrom('workspace_invitations').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(link.split('/').at(-1));
    const event = (await audited(server, 'workspace_invitation_created')).at(-1);
    expect(event).toMatchObject({
      ...{ actor_kind: 'user', actor_id: await userId(server, alice) },
      detail: { email, role: 'admin' },
    });
    expect(server.logged()).not.toContain(link.split('/').at(-1));
  });

  it.each(['nobody', 'a@b c', '', 'a@b@c'])('is told what is wrong with %j', async (email) => {
    const { response, html } = await ask(email);
    expect(response.status).toBe(400);
    expect(said(html)).toContain('e-mail address needs one @');
  });

  it('is told that somebody is a member already', async () => {
    await memberOf(server, bob, { acme: 'member' });
    const { response, html } = await ask(bob.email.toUpperCase());
    expect(response.status).toBe(409);
    expect(said(html)).toBe('This person is a member already.');
  });

  it('takes an invitation back, and another for the same address replaces it', async () => {
    const email = somebody();
    const first = await invite(email);
    const second = await invite(email);
    expect((await stranger(server).open(first)).response.status).toBe(404);
    expect((await stranger(server).open(second)).response.status).toBe(200);
    const shown = (await admin.open(page())).html;
    const rows = shown.match(new RegExp(`Take back the invitation for ${email}`, 'g'));
    expect(rows).toHaveLength(1);
    const id = /name="invitation" value="([^"]*)"/.exec(shown)?.[1] ?? '';
    const done = await send(admin, formTo(shown, '/invitations/revoke', { invitation: id }));
    expect(said(done.html)).toBe('The invitation does not work any more.');
    expect((await stranger(server).open(second)).response.status).toBe(404);
    expect(await audited(server, 'workspace_invitation_revoked')).not.toEqual([]);
  });
});

describe('somebody without an account', () => {
  it('chooses a password, and is a member who is signed in', async () => {
    const email = somebody();
    const browser = stranger(server);
    const joined = await take(browser, await invite(email), { act: 'create', password });
    expect(said(joined.html)).toBe('You are a member of this workspace now.');
    expect(await membershipsOf(server, { email })).toMatchObject([
      { slug: 'acme', role: 'member' },
    ]);
    const again = await signedIn(server, { email, password });
    expect(await isSignedIn(server, again)).toBe(true);
    const event = (await audited(server, 'workspace_invitation_accepted')).at(-1);
    expect(event).toMatchObject({ user_id: await userId(server, { email }) });
  });

  it('is told of a bad password, and the link still works', async () => {
    const email = somebody();
    const link = await invite(email);
    const browser = stranger(server);
    const refused = await take(browser, link, { act: 'create', password: 'short' });
    expect(refused.response.status).toBe(400);
    expect(said(refused.html)).toContain('needs 10 characters');
    await take(browser, link, { act: 'create', password });
    expect(await members()).toContain(email);
  });

  it('makes none for an address to which an operator gave rights: nobody has checked whose it is', async () => {
    const { resourceEditing, accounts } = server.app.rooms;
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
    const ruled = { slug: 'ruled', uri: 'https://ruled.test/mcp', scopes: [{ name: 'rule' }] };
    const access = [{ users: ['Boss@Example.test'], scopes: ['rule'] }];
    await resourceEditing.create({ ...ruled, workspace_scoped: true, access }, by);
    const email = 'boss@example.test';
    const link = await invite(email);
    const browser = stranger(server);
    const shown = await browser.open(link);
    expect(shown.html).toContain('/account/sign-in?return_to=');
    expect(shown.html).not.toContain('name="password"');
    const other = await invite(somebody());
    const form = formTo((await browser.open(other)).html, new URL(other).pathname);
    const posted = { ...form, action: new URL(link).pathname };
    expect((await send(browser, posted, { act: 'create', password })).response.status).toBe(200);
    expect(await accounts.findByEmail(email)).toBeUndefined();

    // Who runs the server vouches for whom they invite.
    const workspace = await workspaceId(server, 'acme');
    const asked = { workspaceId: workspace, email, role: 'member', source: 'cli' } as const;
    const { token } = await accounts.invitations.create(asked, by.meta);
    const theirs = `${server.url}/account/invitations/${token}`;
    await take(stranger(server), theirs, { act: 'create', password });
    expect(await accounts.findByEmail(email)).toMatchObject({ email });
  });

  it('makes none where nobody signs in with a password here', async () => {
    const other = await startWorkspaces({
      extra: `session: { local_sign_in: false }\n${providersYaml({ slug: 'company', issuer: idp.issuer })}`,
    });
    const workspace = await other.app.rooms.workspaces.find('acme');
    const { token } = await other.app.rooms.accounts.invitations.create(
      {
        workspaceId: workspace?.id ?? '',
        email: 'new@example.test',
        role: 'member',
        source: 'cli',
      },
      { at: other.now(), actor: { kind: 'cli' } },
    );
    const link = `${other.url}/account/invitations/${token}`;
    const shown = await other.browser().open(link);
    expect(shown.html).not.toContain('name="password"');
    expect(shown.html).toContain('/account/sign-in?return_to=');
    await expect(
      other.app.rooms.accounts.invitations.acceptAsNew({ token, password }, { at: other.now() }),
    ).rejects.toMatchObject({ status: 404 });
    await other.close();
  });
});

describe('somebody with an account', () => {
  it('signs in, comes back, and joins by a press', async () => {
    const link = await invite(bob.email, 'admin');
    const browser = stranger(server);
    const shown = await browser.open(link);
    const signIn = /href="([^"]*sign-in[^"]*)"/.exec(shown.html)?.[1] ?? '';
    const back = await press(browser, await browser.open(new URL(signIn, server.url).href), [
      ['username', bob.email],
      ['password', bob.password],
    ]);
    expect(back.url).toBe(link);
    expect(await membershipsOf(server, bob)).toEqual([]);
    await take(browser, link, { act: 'join' });
    expect(await membershipsOf(server, bob)).toMatchObject([{ slug: 'acme', role: 'admin' }]);
  });

  it('signs in elsewhere and comes back too', async () => {
    const email = somebody();
    const link = await invite(email);
    await idp.becomes({ sub: email, email, email_verified: true });
    const browser = stranger(server);
    const shown = await browser.open(link);
    const signIn = /href="([^"]*sign-in[^"]*)"/.exec(shown.html)?.[1] ?? '';
    const signInPage = await browser.open(new URL(signIn, server.url).href);
    const there = await pressProvider(browser, signInPage, 'company');
    const pending = await server.db.kysely.selectFrom('provider_sign_ins').selectAll().execute();
    expect(pending).toHaveLength(1);
    expect(JSON.stringify(pending)).not.toContain(new URL(link).pathname.split('/').at(-1));
    const callback = await signInThere(there.url);
    const back = await browser.open(callback);
    expect(back.url).toBe(link);
    await take(browser, link, { act: 'join' });
    expect(await members()).toContain(email);
  });

  it('MUST NOT be entered by a link, whatever is posted (possession proves no account)', async () => {
    const link = await invite(bob.email);
    const browser = stranger(server);
    const answer = await take(browser, link, { act: 'create', password });
    expect(answer.response.status).toBe(409);
    expect(said(answer.html)).toBe('There is an account with this address: sign in to it.');
    expect(await isSignedIn(server, browser)).toBe(false);
    expect(await isSignedIn(server, await signedIn(server, bob))).toBe(true); // the old password
    await take(browser, link, { act: 'join' });
    expect(await membershipsOf(server, bob)).toEqual([]);
  });

  it('with another address is told so, MUST NOT join, and may switch', async () => {
    const email = somebody();
    const link = await invite(email);
    const browser = await signedIn(server, bob);
    const shown = await browser.open(link);
    expect(shown.html).toContain('This invitation is for somebody else');
    expect(shown.html).toContain(bob.email);
    for (const act of ['join', 'create']) {
      await take(browser, link, { act, password });
      expect(await membershipsOf(server, bob)).toEqual([]);
      expect(await members()).not.toContain(email);
    }
    const switched = await take(browser, link, { act: 'switch' });
    expect(switched.url).toContain('/account/sign-in?return_to=');
    expect(await isSignedIn(server, browser)).toBe(false);
    await take(browser, link, { act: 'create', password });
    expect(await members()).toContain(email);
  });
});

describe('a link', () => {
  it('that is used, expired, revoked, of a fallen admin or guessed MUST look the same (BF05)', async () => {
    const dead: string[] = [];
    const used = await invite(somebody());
    await take(stranger(server), used, { act: 'create', password });
    dead.push(used);
    const gone = await invite(somebody());
    await memberOf(server, alice, { acme: 'member' });
    await memberOf(server, alice, { acme: 'admin' }); // it stays dead when she is one again
    dead.push(gone, `${server.url}/account/invitations/${'x'.repeat(43)}`);
    dead.push(`${server.url}/account/invitations/a%00b`);
    const old = await invite(somebody());
    server.advance(7 * 86_400 + 1);
    dead.push(old);
    const pages = new Set<string>();
    for (const link of dead) {
      const { response, html } = await stranger(server).open(link);
      expect({ link, status: response.status }).toEqual({ link, status: 404 });
      pages.add(withoutTrace(html));
    }
    expect(pages.size).toBe(1);
    admin = await signedIn(server);
  });

  it('dies with the account that made it', async () => {
    await memberOf(server, bob, { acme: 'admin' });
    const own = await signedIn(server, bob);
    const link = linkOn((await ask(somebody(), 'member', own)).html);
    expect((await stranger(server).open(link)).response.status).toBe(200);
    const id = await userId(server, bob);
    await server.app.rooms.accounts.disable(id, { at: server.now() });
    const { response } = await stranger(server).open(link);
    await server.app.rooms.accounts.enable(id, { at: server.now() });
    expect(response.status).toBe(404);
    expect((await stranger(server).open(link)).response.status).toBe(404); // what ended stays ended
  });

  it('of an operator MUST stay dead when they lose their role and get it back', async () => {
    const { accounts } = server.app.rooms;
    const meta = { at: server.now() };
    const id = await userId(server, bob);
    await accounts.update(id, { role: 'operator' }, meta);
    const asked = { email: somebody(), role: 'admin', source: 'admin' } as const;
    const workspace = await workspaceId(server, 'acme');
    const { token } = await accounts.invitations.create(
      { workspaceId: workspace, ...asked },
      { ...meta, actor: { kind: 'admin', id } },
    );
    const link = `${server.url}/account/invitations/${token}`;
    expect((await stranger(server).open(link)).response.status).toBe(200);
    await accounts.update(id, { role: null }, meta);
    await accounts.update(id, { role: 'operator' }, meta);
    expect((await stranger(server).open(link)).response.status).toBe(404);
    await accounts.update(id, { role: null }, meta);
  });

  it('that was never needed MUST NOT bring back somebody who was removed since', async () => {
    const link = await invite(bob.email, 'admin');
    const key = { workspaceId: await workspaceId(server, 'acme'), role: 'member' } as const;
    const { workspaces } = server.app.rooms;
    const meta = { at: server.now() };
    await workspaces.addMember({ ...key, who: bob, source: 'admin' }, meta);
    const removal = await admin.open(`${page()}/members/${await userId(server, bob)}/remove`);
    await send(admin, formTo(removal.html, '/members/remove'));
    const browser = await signedIn(server, bob);
    expect((await browser.open(link)).response.status).toBe(404);
    expect(await membershipsOf(server, bob)).toEqual([]);
  });

  it('MUST NOT be accepted by a GET, from elsewhere or without the form (CN03, CN04)', async () => {
    const email = somebody();
    const link = await invite(email);
    const browser = stranger(server);
    await browser.open(`${link}?act=create&password=${password}`);
    const form = formTo((await browser.open(link)).html, new URL(link).pathname);
    const fields: [string, string][] = [...form.fields, ['password', password]];
    const evil = await browser.submit(form.action, fields, { origin: 'https://evil.test' });
    const none = await browser.submit(
      form.action,
      fields.filter(([name]) => name !== 'csrf'),
    );
    expect([evil.response.status, none.response.status]).toEqual([403, 403]);
    const other = await stranger(server).submit(form.action, fields);
    expect(other.response.status).toBe(403);
    expect(await members()).not.toContain(email);
  });

  it('is under the issuer, whatever Host the request had (BF05)', async () => {
    const tenant = await startServer({
      path: '/tenant',
      extra: 'workspaces: [{ slug: acme, name: Acme }]\n',
    });
    await memberOf(tenant, alice, { acme: 'admin' });
    const browser = await signedIn(tenant);
    const url = workspaceUrl(tenant, 'acme');
    const form = formTo((await browser.open(url)).html, '/acme/invitations');
    const made = await browser.submit(
      form.action,
      [...form.fields, ['email', 'x@example.test'], ['role', 'member']],
      { 'x-forwarded-host': 'evil.test' },
    );
    expect(linkOn(made.html).startsWith(`${tenant.url}/account/invitations/`)).toBe(true);
    const joined = await take(stranger(tenant), linkOn(made.html), { act: 'create', password });
    expect(joined.url).toContain('/tenant/account/workspaces/');
    expect(joined.response.status).toBe(200);
    await tenant.close();
  });
});
