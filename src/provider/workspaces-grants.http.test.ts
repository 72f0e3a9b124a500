import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { grantTypes, tokenTypes } from '../oauth/index.ts';
import { basic, granted, refused } from './answers.testing.ts';
import { decide, makeDeviceClients, poll, startDevice, typeCode } from './device.testing.ts';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { seconds } from './dpop.testing.ts';
import { code, good, redeem } from './flow.testing.ts';
import { type Idp, startIdp } from './id-jag-idp.testing.ts';
import { type Page, press, signedIn } from './people.testing.ts';
import { alice, bob, rs1, type TestServer, webCallback, webSecret } from './server.testing.ts';
import {
  introspect,
  leave,
  memberOf,
  mine,
  policy,
  radiosOn,
  spaces,
  startWorkspaces,
  tokensFor,
  userId,
  workspaceId,
} from './workspaces.testing.ts';

let server: TestServer;
let host: DocumentHost;
let idp: Idp;
let acme: string;
let beta: string;
beforeAll(async () => {
  host = await startDocumentHost(['idp.test']);
  idp = await startIdp(host, { issuer: 'https://idp.test' });
  server = await startWorkspaces({
    fetch: host.fetch,
    extra: `trusted_issuers: [{ issuer: "${idp.issuer}" }]`,
  });
  acme = await workspaceId(server, 'acme');
  beta = await workspaceId(server, 'beta');
  await makeDeviceClients(server);
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  const xaa = { client_id: 'XAA', client_secret: webSecret, grant_types: [grantTypes.jwtBearer] };
  await server.app.rooms.clients.create({ ...xaa, redirect_uris: [] }, 'cli', by);
});
afterAll(async () => {
  await server?.close();
  await host?.close();
});
beforeEach(async () => {
  for (const table of ['artifacts', 'issuances', 'families', 'grants'] as const) {
    await server.db.kysely.deleteFrom(table).execute();
  }
  await memberOf(server, alice, { acme: 'member', beta: 'admin' });
});

const as = (clientId: string) => basic(clientId, webSecret);

describe('machines', () => {
  test('client_credentials MUST be refused, since no person chooses a workspace', async () => {
    const form = { grant_type: grantTypes.clientCredentials, resource: spaces };
    const body = await refused(
      await server.post('/oauth/token', form, as('TOOL')),
      400,
      'invalid_target',
    );
    expect(body.error_description).toContain('scoped to workspaces');
  });
});

describe('token exchange', () => {
  const exchange = (subject: string, form: Record<string, string> = {}) =>
    server.post(
      '/oauth/token',
      {
        grant_type: grantTypes.tokenExchange,
        subject_token: subject,
        subject_token_type: tokenTypes.accessToken,
        ...form,
      },
      as('TOOL'),
    );
  const consentOfTool = (slug: string) =>
    tokensFor(server, slug, {
      ...{ client_id: 'TOOL', redirect_uri: webCallback, resource: mine, scope: 'm:use' },
      headers: as('TOOL'),
    });

  test('for the same resource MUST keep the workspace, and its claims', async () => {
    const { access_token } = await tokensFor(server, 'acme');
    const narrower = await granted(await exchange(access_token));
    const claims = { workspace_id: acme, ws: 'acme', ws_role: 'member' };
    expect(decodeJwt(narrower.access_token)).toMatchObject(claims);
    expect(await introspect(server, narrower.access_token)).toMatchObject(claims);
  });

  test('for another resource takes the consent of the user for that very workspace', async () => {
    const { access_token } = await tokensFor(server, 'acme');
    await consentOfTool('beta');
    const body = await refused(
      await exchange(access_token, { resource: mine }),
      400,
      'invalid_target',
    );
    expect(body.error_description).toContain('in this workspace');
    await consentOfTool('acme');
    const other = await granted(await exchange(access_token, { resource: mine }));
    expect(decodeJwt(other.access_token)).toMatchObject({ aud: mine, workspace_id: acme });
  });

  test('from a token without a workspace MUST be refused', async () => {
    await consentOfTool('acme');
    const flow = { client_id: 'TOOL', redirect_uri: webCallback };
    const asked = good(flow);
    const subject = await granted(
      await redeem(server, asked, await code(server, asked), {}, as('TOOL')),
    );
    for (const resource of [mine, policy]) {
      await refused(await exchange(subject.access_token, { resource }), 400, 'invalid_target');
    }
  });

  test('by the policy of the operator is cut by the role in the workspace', async () => {
    const scopes = async (slug: string) => {
      const { access_token } = await tokensFor(server, slug);
      return (await granted(await exchange(access_token, { resource: policy }))).scope;
    };
    expect(await scopes('acme')).toBe('p:use');
    expect(await scopes('beta')).toBe('p:use p:admin');
  });

  test('what was exchanged MUST end with the membership', async () => {
    const { access_token } = await tokensFor(server, 'acme');
    const other = await granted(await exchange(access_token, { resource: policy }));
    expect(await introspect(server, other.access_token)).toMatchObject({ active: true });
    await leave(server, alice, 'acme');
    expect(await introspect(server, other.access_token)).toEqual({ active: false });
    await refused(await exchange(access_token), 400, 'invalid_request');
  });
});

describe('a device', () => {
  test('gets a token for the workspace that the person chose', async () => {
    const device = await startDevice(server, { resource: spaces, scope: 's:use' });
    const browser = await signedIn(server);
    const page = await typeCode(server, browser, device.user_code);
    expect(radiosOn(page.html)).toEqual({ [acme]: false, [beta]: false });
    const again = await press(browser, page, [['decision', 'approve']]);
    expect(again.response.status).toBe(400);
    await press(browser, again, [
      ['workspace', beta],
      ['decision', 'approve'],
    ]);
    const { access_token } = await granted(await poll(server, device.device_code));
    expect(decodeJwt(access_token).workspace_id).toBe(beta);
  });

  test('of somebody without a workspace MUST be refused', async () => {
    await memberOf(server, bob, {});
    const device = await startDevice(server, { resource: spaces, scope: 's:use' });
    await expect(decide(server, device, { person: bob })).rejects.toThrow('no consent');
    await refused(await poll(server, device.device_code), 400, 'access_denied');
  });
});

describe('personal access tokens', () => {
  const day = 86_400;

  async function openForm(slug: string) {
    const browser = await signedIn(server);
    return {
      browser,
      page: await browser.open(`${server.url}/account/tokens/new?resource=${slug}`),
    };
  }

  const filled = (fields: Record<string, string>): [string, string][] =>
    Object.entries({ name: 'CI', expires: String(30 * day), ...fields });
  const valueOn = ({ html }: Page) =>
    /<textarea id="token"[^>]*>([^<]*)<\/textarea>/.exec(html)?.[1] ?? '';

  async function made(slug: string, fields: Record<string, string>): Promise<string> {
    const { browser, page } = await openForm(slug);
    const answer = await press(browser, page, filled(fields));
    const value = valueOn(answer);
    if (value === '') throw new Error(`no token: ${answer.html.slice(0, 3000)}`);
    return value;
  }

  test('are for one workspace, which is listed, told to the server, and in their claims', async () => {
    const { browser, page } = await openForm('spaces');
    expect(radiosOn(page.html)).toEqual({ [acme]: false, [beta]: false });
    const answer = await press(browser, page, filled({ scope: 's:use', workspace: acme }));
    expect(answer.html).toContain('workspace <bdi>Acme Inc.</bdi>');
    expect(await introspect(server, valueOn(answer))).toMatchObject({
      ...{ active: true, workspace_id: acme, ws: 'acme', ws_role: 'member' },
    });
    const account = await browser.open(`${server.url}/account`);
    expect(account.html).toContain('workspace <bdi>Acme Inc.</bdi>');
  });

  test.each<[string, Record<string, string>]>([
    ['without a workspace', {}],
    ['for a workspace of others', { workspace: 'gamma' }],
    ['above the role there', { workspace: 'acme', scope: 's:admin' }],
  ])('%s MUST be refused, with the form', async (_, { workspace, ...more }) => {
    const { browser, page } = await openForm('spaces');
    const chosen: Record<string, string> =
      workspace === undefined ? {} : { workspace: await workspaceId(server, workspace) };
    const answer = await press(browser, page, filled({ scope: 's:use', ...more, ...chosen }));
    expect(answer.response.status).toBe(400);
    expect(radiosOn(answer.html)).toMatchObject({ [beta]: false });
    expect(await server.db.kysely.selectFrom('issuances').selectAll().execute()).toEqual([]);
  });

  test('who has no workspace is not offered the resource', async () => {
    await memberOf(server, alice, {});
    const browser = await signedIn(server);
    const page = await browser.open(`${server.url}/account/tokens/new`);
    expect(page.html).not.toContain(spaces);
    expect(page.html).toContain(rs1);
  });

  test('MUST lose the scopes that the role there does not allow any more', async () => {
    const value = await made('spaces', { scope: 's:admin', workspace: beta });
    expect(await introspect(server, value)).toMatchObject({ scope: 's:admin' });
    const member = { workspaceId: beta, userId: await userId(server, alice) };
    await server.app.rooms.workspaces.setRole({ ...member, role: 'member' }, { at: server.now() });
    expect(await introspect(server, value)).toEqual({ active: false });
  });

  test('MUST end with the membership, for good', async () => {
    const value = await made('vault', { scope: 'v:use', workspace: acme });
    const other = await made('vault', { scope: 'v:use', workspace: beta });
    await leave(server, alice, 'acme');
    expect(await introspect(server, value)).toEqual({ active: false });
    expect(await introspect(server, other)).toMatchObject({ active: true, workspace_id: beta });
    await memberOf(server, alice, { acme: 'member' });
    expect(await introspect(server, value)).toEqual({ active: false });
  });

  test('MUST be good for nothing where the resource was scoped to workspaces later', async () => {
    const value = await made('vault', { scope: 'v:use', workspace: acme });
    await server.db.kysely.updateTable('issuances').set({ workspace_id: null }).execute();
    expect(await introspect(server, value)).toEqual({ active: false });
  });

  test('are exchanged with their workspace', async () => {
    const value = await made('spaces', { scope: 's:use', workspace: acme });
    const form = {
      ...{ grant_type: grantTypes.tokenExchange, subject_token: value },
      subject_token_type: tokenTypes.accessToken,
    };
    const { access_token } = await granted(await server.post('/oauth/token', form, as('TOOL')));
    expect(decodeJwt(access_token).workspace_id).toBe(acme);
  });
});

describe('identity assertions', () => {
  const present = async (sub: string) => {
    const assertion = await idp.sign({
      ...{ iss: idp.issuer, sub, aud: server.url, client_id: 'XAA', resource: spaces },
      ...{ scope: 's:use s:admin', jti: randomUUID(), iat: seconds(), exp: seconds() + 300 },
    });
    return server.post('/oauth/token', { grant_type: grantTypes.jwtBearer, assertion }, as('XAA'));
  };
  const link = async (subject: string) => {
    const { identities } = server.app.rooms.accounts;
    const user = await identities.findOrCreate(
      { issuer: idp.issuer, subject, email: `${subject}@idp.test` },
      { at: server.now() },
    );
    return user.email;
  };
  const lastReason = async () => {
    const rows = server.db.kysely.selectFrom('audit_events').select('detail');
    const row = await rows
      .where('type', '=', 'assertion_refused')
      .orderBy('id', 'desc')
      .executeTakeFirst();
    return row?.detail.reason;
  };

  test('name no workspace: the only one of the person is taken, with their role there', async () => {
    const email = await link('U-1');
    await memberOf(server, { email }, { acme: 'member' });
    const { access_token, scope } = await granted(await present('U-1'));
    expect(decodeJwt(access_token)).toMatchObject({ workspace_id: acme, ws_role: 'member' });
    expect(scope).toBe('s:use');
    await leave(server, { email }, 'acme');
    expect(await introspect(server, access_token)).toEqual({ active: false });
  });

  test.each([
    ['of none', {}],
    ['of several', { acme: 'member', beta: 'member' }],
  ] as const)('of a member %s MUST be refused', async (_, roles) => {
    const email = await link('U-2');
    await memberOf(server, { email }, roles);
    await refused(await present('U-2'), 400, 'invalid_grant');
    expect(await lastReason()).toBe('workspace');
  });

  test('of somebody new MUST be refused before an account is made', async () => {
    await refused(await present('U-new'), 400, 'invalid_grant');
    expect(await lastReason()).toBe('workspace');
    const key = { issuer: idp.issuer, subject: 'U-new' };
    expect(await server.app.rooms.accounts.identities.find(key)).toBeUndefined();
  });
});
