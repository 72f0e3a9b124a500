import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { granted, refused } from './answers.testing.ts';
import { authorizeUrl, good, redeem, refresh } from './flow.testing.ts';
import { answerOf, isConsent, openConsent, press, signedIn } from './people.testing.ts';
import { alice, bob, rs1, type TestServer } from './server.testing.ts';
import {
  introspect,
  leave,
  memberOf,
  radiosOn,
  spaces,
  startWorkspaces,
  tokensFor,
  userId,
  vault,
  workspaceId,
} from './workspaces.testing.ts';

let server: TestServer;
let acme: string;
let beta: string;
let gamma: string;
beforeAll(async () => {
  server = await startWorkspaces();
  acme = await workspaceId(server, 'acme');
  beta = await workspaceId(server, 'beta');
  gamma = await workspaceId(server, 'gamma');
});
afterAll(() => server.close());
beforeEach(async () => {
  await server.db.kysely.deleteFrom('artifacts').execute();
  await server.db.kysely.deleteFrom('issuances').execute();
  await server.db.kysely.deleteFrom('families').execute();
  await server.db.kysely.deleteFrom('grants').execute();
  await memberOf(server, alice, { acme: 'member', beta: 'admin' });
  await memberOf(server, bob, {});
});

const asked = (changes: Record<string, string | undefined> = {}) =>
  good({ resource: spaces, scope: 's:use s:admin', ...changes });

describe('the consent page', () => {
  test('MUST offer exactly the workspaces of the person, and choose none of several', async () => {
    const { page } = await openConsent(server, asked());
    expect(radiosOn(page.html)).toEqual({ [acme]: false, [beta]: false });
    expect(page.html).toContain('Acme Inc.');
    expect(page.html).not.toContain('Gamma');
  });

  test('has the only workspace chosen', async () => {
    await memberOf(server, bob, { beta: 'member' });
    const { page } = await openConsent(server, asked(), { person: bob });
    expect(radiosOn(page.html)).toEqual({ [beta]: true });
  });

  test('has no radio where the resource is not scoped to workspaces', async () => {
    const { page } = await openConsent(server, good());
    expect(radiosOn(page.html)).toEqual({});
  });

  test('MUST be asked again when no workspace was chosen, and keep what was ticked', async () => {
    const { page, browser } = await openConsent(server, asked());
    const again = await press(browser, page, [['decision', 'approve']]);
    expect(again.response.status).toBe(400);
    expect(again.html).toContain('Choose the workspace');
    const done = await press(browser, again, [
      ['workspace', beta],
      ['decision', 'approve'],
    ]);
    expect(answerOf(done).get('code')).toBeTruthy();
  });

  test.each([
    ['of which the person is no member', () => gamma],
    ['that there is not', () => '8c1c5e6e-0000-4000-8000-000000000001'],
    ['by its slug', () => 'acme'],
    ['that is empty', () => ''],
  ])('MUST NOT grant a workspace %s', async (_, forged) => {
    const { page, browser } = await openConsent(server, asked());
    const again = await press(browser, page, [
      ['workspace', forged()],
      ['decision', 'approve'],
    ]);
    expect(again.response.status).toBe(400);
    expect(radiosOn(again.html)).toEqual({ [acme]: false, [beta]: false });
    expect(await server.db.kysely.selectFrom('grants').selectAll().execute()).toEqual([]);
  });

  test('MUST NOT ask somebody who is a member of no workspace: access_denied says so', async () => {
    const browser = await signedIn(server, bob);
    const answer = answerOf(await browser.open(authorizeUrl(server, asked())));
    expect(answer.get('error')).toBe('access_denied');
    expect(answer.get('error_description')).toContain('member of none');
  });

  test('MUST NOT grant for who left the workspace while the page was open', async () => {
    const { page, browser } = await openConsent(server, asked());
    await leave(server, alice, 'acme');
    const again = await press(browser, page, [
      ['workspace', acme],
      ['decision', 'approve'],
    ]);
    expect(again.response.status).toBe(400);
    expect(radiosOn(again.html)).toEqual({ [beta]: true });
  });
});

describe('roles in a workspace', () => {
  test('scopes that the role does not allow there are dropped', async () => {
    const { scope } = await tokensFor(server, 'acme', { scope: 's:use s:admin' });
    expect(scope).toBe('s:use');
    const { page } = await openConsent(server, asked({ prompt: 'consent' }));
    expect(page.html).toContain('acme, only s:use');
    expect((await tokensFor(server, 'beta', { scope: 's:use s:admin' })).scope).toBe(
      's:use s:admin',
    );
  });

  test('with nothing left MUST say so and grant nothing', async () => {
    await memberOf(server, alice, { acme: 'member', beta: 'admin' });
    const { page, browser } = await openConsent(server, asked());
    const fields = page.html.match(/name="csrf" value="([^"]*)"/)?.[1] ?? '';
    const action = /<form[^>]*action="([^"]*\/consent\/[^"]*)"/.exec(page.html)?.[1] ?? '';
    const again = await browser.submit(action, [
      ['csrf', fields],
      ['scope', 's:admin'],
      ['workspace', acme],
      ['decision', 'approve'],
    ]);
    expect(again.response.status).toBe(400);
    expect(again.html).toContain('Your role in this workspace allows none');
    expect(radiosOn(again.html)).toEqual({ [acme]: true, [beta]: false });
  });

  test('a workspace in which nothing may be granted MUST NOT be offered', async () => {
    const { page } = await openConsent(server, asked({ scope: 's:admin' }));
    expect(radiosOn(page.html)).toEqual({ [beta]: true });
  });

  test('who may grant nothing anywhere MUST get access_denied', async () => {
    await memberOf(server, bob, { acme: 'member' });
    const browser = await signedIn(server, bob);
    const answer = answerOf(await browser.open(authorizeUrl(server, asked({ scope: 's:admin' }))));
    expect(answer.get('error')).toBe('access_denied');
  });
});

describe('tokens', () => {
  test('MUST carry workspace_id in the JWT, its introspection, after a refresh, and in the record', async () => {
    const first = await tokensFor(server, 'acme');
    const claims = { workspace_id: acme, ws: 'acme', ws_name: 'Acme Inc.', ws_role: 'member' };
    expect(decodeJwt(first.access_token)).toMatchObject(claims);
    expect(await introspect(server, first.access_token)).toMatchObject({ active: true, ...claims });
    const second = await granted(await refresh(server, first.refresh_token));
    expect(decodeJwt(second.access_token)).toMatchObject(claims);
    const rows = await server.db.kysely.selectFrom('issuances').select('workspace_id').execute();
    expect(new Set(rows.map((row) => row.workspace_id))).toEqual(new Set([acme]));
  });

  test('MUST carry it where they are opaque', async () => {
    const { access_token } = await tokensFor(server, 'beta', { resource: vault, scope: 'v:use' });
    expect(await introspect(server, access_token)).toMatchObject({
      active: true,
      workspace_id: beta,
    });
  });

  test('claims follow a change of role at the next refresh', async () => {
    const { refresh_token } = await tokensFor(server, 'beta');
    const member = { workspaceId: beta, userId: await userId(server, alice) };
    await server.app.rooms.workspaces.setRole({ ...member, role: 'member' }, { at: server.now() });
    const next = await granted(await refresh(server, refresh_token));
    expect(decodeJwt(next.access_token).ws_role).toBe('member');
  });

  test('of other resources carry none', async () => {
    const flow = good();
    const { page, browser } = await openConsent(server, flow);
    const code = answerOf(await press(browser, page, [['decision', 'approve']])).get('code') ?? '';
    const { access_token } = await granted(await redeem(server, flow, code));
    expect(decodeJwt(access_token)).not.toHaveProperty('workspace_id');
    expect(decodeJwt(access_token).aud).toBe(rs1);
  });

  test('a refresh token from before the resource was scoped to workspaces MUST be refused', async () => {
    const { refresh_token } = await tokensFor(server, 'acme');
    await server.db.kysely.updateTable('grants').set({ workspace_id: '' }).execute();
    await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
  });
});

describe('each workspace has its own connection', () => {
  test('ending one MUST leave the other', async () => {
    const inAcme = await tokensFor(server, 'acme');
    const inBeta = await tokensFor(server, 'beta');
    const browser = await signedIn(server);
    const page = await browser.open(`${server.url}/account`);
    const form = page.html.split('<li class="app">').find((row) => row.includes('Acme Inc.')) ?? '';
    expect(form).toContain('workspace <bdi>Acme Inc.</bdi>');
    const field = (name: string) =>
      new RegExp(`name="${name}" value="([^"]*)"`).exec(form)?.[1] ?? '';
    await browser.submit(`${server.url}/account/revoke`, [
      ['csrf', field('csrf')],
      ['grant', field('grant')],
    ]);
    expect(await introspect(server, inAcme.access_token)).toEqual({ active: false });
    await refused(await refresh(server, inAcme.refresh_token), 400, 'invalid_grant');
    expect(await introspect(server, inBeta.access_token)).toMatchObject({ workspace_id: beta });
    await granted(await refresh(server, inBeta.refresh_token));
  });

  test('one answer that stands is remembered, for the workspace that was chosen', async () => {
    const browser = await signedIn(server);
    await tokensFor(server, 'acme', { browser });
    const flow = asked({ scope: 's:use' });
    const code = answerOf(await browser.open(authorizeUrl(server, flow))).get('code') ?? '';
    const { access_token } = await granted(await redeem(server, flow, code));
    expect(decodeJwt(access_token).workspace_id).toBe(acme);
  });

  test('what the role in that workspace does not allow is no reason to ask again', async () => {
    const browser = await signedIn(server);
    await tokensFor(server, 'acme', { browser });
    const page = await browser.open(authorizeUrl(server, asked()));
    expect(answerOf(page).get('code')).toBeTruthy();
  });

  test('of several answers only the person can say which one is meant', async () => {
    const browser = await signedIn(server);
    await tokensFor(server, 'acme', { browser });
    await tokensFor(server, 'beta', { browser });
    expect(isConsent(await browser.open(authorizeUrl(server, asked({ scope: 's:use' }))))).toBe(
      true,
    );
  });
});

describe('who is removed from a workspace', () => {
  test('MUST lose every token for it at once, and for good; those for others live on', async () => {
    const browser = await signedIn(server);
    const inAcme = await tokensFor(server, 'acme', { browser });
    const opaque = await tokensFor(server, 'acme', { browser, resource: vault, scope: 'v:use' });
    const inBeta = await tokensFor(server, 'beta', { browser });
    await leave(server, alice, 'acme');
    for (const { access_token, refresh_token } of [inAcme, opaque]) {
      expect(await introspect(server, access_token)).toEqual({ active: false });
      await refused(await refresh(server, refresh_token), 400, 'invalid_grant');
    }
    expect(await introspect(server, inBeta.access_token)).toMatchObject({ active: true });
    await memberOf(server, alice, { acme: 'member' });
    expect(await introspect(server, inAcme.access_token)).toEqual({ active: false });
    expect(isConsent(await browser.open(authorizeUrl(server, asked({ scope: 's:use' }))))).toBe(
      true,
    );
  });

  test('MUST NOT redeem a code that they got before', async () => {
    const flow = asked();
    const { page, browser } = await openConsent(server, flow);
    const answer = await press(browser, page, [
      ['workspace', acme],
      ['decision', 'approve'],
    ]);
    await leave(server, alice, 'acme');
    const code = answerOf(answer).get('code') ?? '';
    await refused(await redeem(server, flow, code), 400, 'invalid_grant');
  });
});
