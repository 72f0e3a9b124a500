import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../provider/browser.testing.ts';
import { press, signedIn, typed } from '../provider/people.testing.ts';
import { alice, bob, type TestServer } from '../provider/server.testing.ts';
import { memberOf, startWorkspaces, userId, workspaceId } from '../provider/workspaces.testing.ts';
import { allowElsewhere, type Elsewhere, startElsewhere } from './connect.testing.ts';
import { type ApiClient, apiClient, managed, registered } from './mcp-servers.testing.ts';

let server: TestServer;
let elsewhere: Elsewhere;
let asAlice: ApiClient;
let asBob: ApiClient;
let made: Awaited<ReturnType<typeof registered>>;

beforeAll(async () => {
  elsewhere = await startElsewhere();
  server = await startWorkspaces();
  await memberOf(server, alice, { acme: 'admin' });
  await memberOf(server, bob, { acme: 'member' });
  asAlice = await apiClient(server, alice);
  asBob = await apiClient(server, bob);
  made = await registered(server, asAlice, { url: elsewhere.mcp.url, authType: 'oauth' });
  await asAlice('POST', await at('/enable'));
});
afterAll(async () => {
  await server.close();
  await elsewhere.close();
});
beforeEach(async () => {
  await server.db.kysely.deleteFrom('upstream_connections').execute();
});

const at = (rest: string) => managed(server, 'acme', `/${made.id}${rest}`);
const tools = async (api: ApiClient) => api('GET', await at('/tools'));
const connections = () => server.db.kysely.selectFrom('upstream_connections').selectAll().execute();

/** The link that the API gives who has yet to connect. */
async function link(api: ApiClient): Promise<string> {
  const { status, body } = await tools(api);
  expect({ status, body }).toMatchObject({
    status: 403,
    body: { code: 'authentication_required', authType: 'oauth' },
  });
  return String(body.authorizeUrl);
}

/** Opens a link and goes on. @returns where the browser is sent */
async function leave(browser: Browser, url: string): Promise<string> {
  const page = await browser.open(url);
  const left = await press(browser, page, [['decision', 'connect']]);
  expect(left.url).toMatch(`${elsewhere.issuer.url}/oauth/authorize`);
  return left.url;
}

describe('connecting another MCP server in a browser', () => {
  it('MUST lead from the 403 through sign-in, confirmation and consent elsewhere to tools that are listed', async () => {
    const url = await link(asAlice);
    expect(url).toMatch(new RegExp(`^${server.url}/connect/[\\w-]{43}$`));
    const browser = server.browser();
    const signIn = await browser.open(url);
    expect(signIn.url).toContain('/account/sign-in');
    const asked = await press(browser, signIn, typed(alice));
    expect(asked.url).toBe(url);
    expect(asked.html).toContain('Continue');
    expect(await connections()).toEqual([]);
    const left = await press(browser, asked, [['decision', 'connect']]);
    expect(new URL(left.url).searchParams.get('redirect_uri')).toBe(
      `${server.url}/connect/callback/${made.uuid}`,
    );
    const done = await browser.open(await allowElsewhere(elsewhere, left.url));
    expect(done.url).toBe(`${server.url}/connect/servers/${made.uuid}`);
    expect(done.html).toContain('is connected');
    expect(done.html).toContain('/account/workspaces/acme');
    expect(await tools(asAlice)).toMatchObject({
      status: 200,
      body: { tools: [{ name: 'ping' }] },
    });
    expect(await asAlice('GET', await at(''))).toMatchObject({
      body: { state: 'READY', enabled: true, connectorStatus: 'connected' },
    });
    expect(await tools(asBob)).toMatchObject({ status: 403 });
    expect(await asBob('GET', await at('/members'))).toMatchObject({ body: [expect.anything()] });
  });

  it('MUST ask again after disconnecting, which ends the token elsewhere', async () => {
    const browser = await signedIn(server);
    await browser.open(await allowElsewhere(elsewhere, await leave(browser, await link(asAlice))));
    const [row] = await connections();
    expect(row).toMatchObject({ status: 'connected' });
    const page = await browser.open(`${server.url}/connect/servers/${made.uuid}`);
    await press(browser, page, [['decision', 'disconnect']]);
    expect(await tools(asAlice)).toMatchObject({ status: 403 });
    expect(await server.app.rooms.upstream.connections.drainRevocations()).toBe(1);
    const revoked = await elsewhere.issuer.db.kysely
      .selectFrom('audit_events')
      .select('type')
      .where('type', '=', 'token_revoked')
      .execute();
    expect(revoked.length).toBeGreaterThan(0);
  });

  it.each<[string, () => Promise<[Browser, string]>]>([
    ['somebody else opens it', async () => [await signedIn(server, bob), await link(asAlice)]],
    [
      'it was used',
      async () => {
        const browser = await signedIn(server);
        const url = await link(asAlice);
        await leave(browser, url);
        return [browser, url];
      },
    ],
    [
      'it is older than ten minutes',
      async () => {
        const url = await link(asAlice);
        await server.db.kysely
          .updateTable('upstream_connect_links')
          .set({ expires_at: new Date(0) })
          .execute();
        return [await signedIn(server), url];
      },
    ],
    [
      'it was guessed',
      async () => [await signedIn(server), `${server.url}/connect/${'x'.repeat(43)}`],
    ],
  ])('a link MUST be refused alike when %s (T21)', async (_when, prepare) => {
    const [browser, url] = await prepare();
    const page = await browser.open(url);
    expect(page.response.status).toBe(403);
    expect(page.html).toContain('This link does not work');
    expect(page.html).not.toContain(elsewhere.mcp.url);
    expect(page.html).not.toContain('<form');
  });

  it.each<[string, () => Promise<Browser>]>([
    ['another browser of the same person', () => signedIn(server)],
    ['the browser of somebody else', () => signedIn(server, bob)],
    ['a browser in which nobody is signed in', async () => server.browser()],
  ])(
    'an answer that comes back in %s MUST be a 403 page and store nothing (U05)',
    async (_where, other) => {
      const browser = await signedIn(server);
      const back = await allowElsewhere(elsewhere, await leave(browser, await link(asAlice)));
      const page = await (await other()).open(back);
      expect(page.response.status).toBe(403);
      expect(page.response.headers.get('content-type')).toContain('text/html');
      expect(await connections()).toEqual([]);
      // And the state is used up.
      const late = await browser.open(back);
      expect(late.response.status).toBe(403);
    },
  );

  it('a refusal elsewhere MUST be shown without a word of what came', async () => {
    const browser = await signedIn(server);
    const left = await leave(browser, await link(asAlice));
    const back = new URL(await allowElsewhere(elsewhere, left, { decision: 'deny' }));
    back.searchParams.set('error_description', '<script>alert(1)</script>');
    const page = await browser.open(back.href);
    expect(page.response.status).toBe(403);
    expect(page.html).toContain('You did not allow it');
    expect(page.html).not.toContain('alert(1)');
  });

  it('the confirmation MUST NOT be sent by another site', async () => {
    const browser = await signedIn(server);
    const page = await browser.open(await link(asAlice));
    const headers = { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' };
    const answer = await press(browser, page, [['decision', 'connect']], headers);
    expect(answer.response.status).toBe(403);
  });
});

describe('GET …/oauth/authorize', () => {
  it('MUST be 401 for nobody, and lead a member with a cookie straight there', async () => {
    const url = server.url + (await at('/oauth/authorize'));
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(401);
    const browser = await signedIn(server);
    const answer = await browser.send(url);
    expect(answer.status).toBe(302);
    const to = new URL(answer.headers.get('location') ?? '');
    expect(to.href).toContain(`${elsewhere.issuer.url}/oauth/authorize`);
    await browser.open(await allowElsewhere(elsewhere, to.href));
    expect(await tools(asAlice)).toMatchObject({ status: 200 });
  });

  it('MUST lead to a link of that member with a token alone, and ask where another site sent the browser', async () => {
    const path = await at('/oauth/authorize');
    const byToken = await asAlice('GET', path);
    expect(byToken.status).toBe(302);
    expect(byToken.headers.get('location')).toMatch(`${server.url}/connect/`);
    const browser = await signedIn(server);
    const headers = { 'sec-fetch-site': 'cross-site' };
    const answer = await browser.send(server.url + path, { headers });
    expect(answer.headers.get('location')).toMatch(`${server.url}/connect/`);
  });

  it('MUST NOT know the server for who is no member', async () => {
    await memberOf(server, bob, { beta: 'member' });
    const browser = await signedIn(server, bob);
    const answer = await browser.send(server.url + (await at('/oauth/authorize')));
    await memberOf(server, bob, { acme: 'member' });
    expect(answer.status).toBe(404);
  });
});

describe('our client metadata document', () => {
  it('MUST name its own address as client_id and the one redirect URI of the server', async () => {
    const url = `${server.url}/connect/clients/${made.uuid}`;
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.json()).toEqual({
      client_id: url,
      client_name: expect.any(String),
      client_uri: server.url,
      redirect_uris: [`${server.url}/connect/callback/${made.uuid}`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    expect((await fetch(`${server.url}/connect/clients/unknown`)).status).toBe(404);
  });
});

it('a member who leaves, or is disabled, loses the connection', async () => {
  const browser = await signedIn(server);
  await browser.open(await allowElsewhere(elsewhere, await leave(browser, await link(asAlice))));
  const member = {
    workspaceId: await workspaceId(server, 'acme'),
    userId: await userId(server, alice),
  };
  await server.app.rooms.workspaces.removeMember(member, { at: server.now() });
  expect(await connections()).toEqual([]);
  await memberOf(server, alice, { acme: 'admin' });
});
