import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GuardedFetch } from '../http/index.ts';
import { apiResource } from '../resources/index.ts';
import { readForm } from './browser.testing.ts';
import { authorize, authorizeUrl, code, type Flow, good, redeem, tokens } from './flow.testing.ts';
import {
  answerOf,
  copyOf,
  count,
  isConsent,
  isSignedIn,
  isSignIn,
  openConsent,
  press,
  selfRegistered,
  signedIn,
  startConfigured,
  typed,
} from './people.testing.ts';
import { alice, bob, rs1, rs2, startServer, type TestServer, webSecret } from './server.testing.ts';

const callback = 'https://client.test/cb';
const document = {
  client_id: 'https://known.test/client.json',
  client_name: 'Known app',
  redirect_uris: [callback],
  token_endpoint_auth_method: 'none',
};

/** The one metadata document that the server can reach. */
const web: GuardedFetch = async (url, { read }) => {
  if (url !== document.client_id) throw new Error(`unexpected ${url}`);
  return { json: read(document), headers: {}, fetchedAt: new Date() };
};

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ fetch: web });
});
beforeEach(async () => {
  await server.db.kysely.deleteFrom('grants').execute();
});
afterAll(() => server.close());

const both = { scope: 'mcp:read mcp:write' };
const approve: [string, string] = ['decision', 'approve'];
const deny: [string, string] = ['decision', 'deny'];

/** A good request of a client that registered itself. */
async function stranger(changes: Record<string, string> = {}, metadata: object = {}) {
  const clientId = await selfRegistered(server, {
    client_name: 'Stranger',
    redirect_uris: [callback],
    ...metadata,
  });
  return good({ client_id: clientId, redirect_uri: callback, ...changes });
}

const again = ({ params }: Flow, changes: Record<string, string | undefined> = {}) =>
  good({ ...params, code_challenge: good().params.code_challenge, ...changes });

describe('the consent page', () => {
  it('MUST say in words what a scope allows besides, where that has no box of its own (T31)', async () => {
    const { page } = await openConsent(server, good({ scope: 'mcp:write' }));
    expect(page.html).toMatch(/Change things<\/bdi><small>Also: <bdi>Read things<\/bdi><\/small>/);
    const { page: all } = await openConsent(server, good(both));
    expect(all.html).not.toContain('Also:');
    const api = good({ resource: `${server.url}/api`, scope: 'apps:admin' });
    const { page: ours } = await openConsent(server, api);
    for (const { description } of apiResource(server.url).scopes) {
      expect(ours.html).toContain(description);
    }
  });

  it('names the client and how it is known, the host in its own line, the server, the account, the duration', async () => {
    const { page } = await openConsent(server, good(both));
    expect(page.response.status).toBe(200);
    for (const shown of [
      'Public client',
      'Registered by an operator',
      '<p class="host"><bdi>127.0.0.1:7777</bdi></p>',
      'a program on your own computer',
      'First server',
      rs1,
      'Read things',
      'mcp:read',
      'Change things',
      'mcp:write',
      alice.email,
      'at least every 7 days, at most 90 days',
      `href="/account"`,
    ]) {
      expect(page.html).toContain(shown);
    }
    expect(page.html).toMatch(/href="\/login\/[\w-]+\?switch"/);
  });

  it('has one form: hidden csrf, a ticked box `scope` per scope, buttons deny and approve', async () => {
    const { page } = await openConsent(server, good({ scope: `${both.scope} offline_access` }));
    expect(page.html.match(/<form/g)).toHaveLength(1);
    expect(page.html).toMatch(/<form method="post" action="\/consent\/[\w-]+">/);
    const { fields } = readForm(page.html);
    expect(fields.map(([name]) => name)).toEqual(['csrf', 'scope', 'scope']);
    expect(fields.slice(1).map(([, value]) => value)).toEqual(['mcp:read', 'mcp:write']);
    expect(page.html.match(/type="checkbox"/g)).toHaveLength(2); // offline_access has no box
    const buttons = [...page.html.matchAll(/<button[^>]*name="decision" value="(\w+)"/g)];
    expect(buttons.map(([, value]) => value)).toEqual(['deny', 'approve']);
    expect(page.html).not.toContain('name="workspace"');
  });

  it('says of a client that registered itself that nobody has checked it', async () => {
    const { page } = await openConsent(server, await stranger());
    expect(page.html).toContain('Self-registered, unverified');
    expect(page.html).toContain('<p class="host"><bdi>client.test</bdi></p>');
    expect(page.html).not.toContain('a program on your own computer');
  });

  it('names the host that vouches for a metadata document, and that the answer goes elsewhere', async () => {
    const flow = good({ client_id: document.client_id, redirect_uri: callback });
    const { page } = await openConsent(server, flow);
    expect(page.html).toContain('Known app');
    expect(page.html).toMatch(/Verified host: <bdi>known\.test<\/bdi>/);
    expect(page.html).toContain('Another host than the one that names this app');
  });

  it('does not promise refreshes to a client that cannot refresh', async () => {
    const flow = await stranger({}, { grant_types: ['authorization_code'] });
    const { page } = await openConsent(server, flow);
    expect(page.html).toContain('Lasts 15 minutes.');
  });

  it('MUST NOT be skipped for a signed-in person at a fresh client (CN01)', async () => {
    const browser = await signedIn(server);
    const page = await browser.open(authorizeUrl(server, await stranger()));
    expect(isConsent(page)).toBe(true);
  });
});

describe('an answer', () => {
  it('gives the token what was ticked, no more', async () => {
    const flow = good(both);
    const { browser, page } = await openConsent(server, flow);
    const { action, fields } = readForm(page.html);
    const ticked = fields.filter(([, value]) => value !== 'mcp:read');
    const { url } = await browser.submit(action, [...ticked, approve]);
    const response = await redeem(server, flow, answerOf({ url }).get('code') ?? '');
    const body = JSON.parse(await response.text());
    expect(body.scope).toBe('mcp:write');
    expect(decodeJwt(body.access_token)).toMatchObject({ scope: 'mcp:write', aud: rs1 });
  });

  it('is asked for again when no box is ticked, and the form works then', async () => {
    const { browser, page } = await openConsent(server, good(both));
    const { action, fields } = readForm(page.html);
    const csrf = fields.filter(([name]) => name === 'csrf');
    const second = await browser.submit(action, [...csrf, approve]);
    expect(second.response.status).toBe(400);
    expect(second.html).toContain('Tick at least one box to approve, or choose Deny.');
    expect(await count(server, 'grants')).toBe(0);
    expect(answerOf(await press(browser, second, [approve])).get('code')).toBeTruthy();
  });

  it('of deny goes back with access_denied, state and iss, and is not remembered', async () => {
    const { browser, page } = await openConsent(server, good());
    const answer = answerOf(await press(browser, page, [deny]));
    expect(Object.fromEntries(answer)).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 'S1',
      iss: server.url,
    });
    expect(await count(server, 'grants')).toBe(0);
    const events = await server.db.kysely
      .selectFrom('audit_events')
      .select(['type', 'client_id', 'resource'])
      .where('type', '=', 'consent_denied')
      .execute();
    expect(events).toEqual([{ type: 'consent_denied', client_id: 'PUB', resource: rs1 }]);
    expect(isConsent(await browser.open(authorizeUrl(server, good())))).toBe(true);
  });

  it.each([
    ['no decision', []],
    ['two decisions', [deny, approve]],
    ['another decision', [['decision', 'maybe']]],
  ] satisfies [string, [string, string][]][])('with %s is refused', async (_what, fields) => {
    const { browser, page } = await openConsent(server, good());
    const answer = await press(browser, page, fields);
    expect(answer.response.status).toBe(400);
    expect(await count(server, 'grants')).toBe(0);
  });

  it('MUST come by POST and be answered with 303 (CN04, CN13)', async () => {
    const { browser, page } = await openConsent(server, good());
    const { action, fields } = readForm(page.html);
    for (const query of ['?approve=1', `?${new URLSearchParams([...fields, approve])}`]) {
      const answer = await browser.send(action + query);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('location')).toBeNull();
    }
    expect(await count(server, 'grants')).toBe(0);
    const body = new URLSearchParams([...fields, approve]);
    const posted = await browser.send(action, { method: 'POST', body });
    expect(posted.status).toBe(303);
    const resumed = await browser.send(posted.headers.get('location') ?? '');
    expect(resumed.status).toBe(303);
    expect(await browser.send(action, { method: 'POST', body })).toMatchObject({ status: 400 });
  });

  it('MUST be to the original request, whatever fields are added (CN05)', async () => {
    const flow = good();
    const { browser, page } = await openConsent(server, flow);
    const { url } = await press(browser, page, [
      ['scope', 'mcp:write'],
      ['scope', 'two:use'],
      ['scope', 'admin'],
      ['resource', rs2],
      ['client_id', 'WEB'],
      ['redirect_uri', 'https://evil.test/cb'],
      ['user', bob.email],
      ['return_to', 'https://evil.test'],
      approve,
    ]);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:7777\/cb\?/);
    const response = await redeem(server, flow, answerOf({ url }).get('code') ?? '');
    const body = JSON.parse(await response.text());
    expect(decodeJwt(body.access_token)).toMatchObject({
      aud: rs1,
      client_id: 'PUB',
      scope: 'mcp:read',
    });
    const [grant] = await server.db.kysely.selectFrom('grants').selectAll().execute();
    expect(grant).toMatchObject({ client_id: 'PUB', resource: rs1, scopes: ['mcp:read'] });
  });

  it('with only foreign scopes ticked is no approval', async () => {
    const { browser, page } = await openConsent(server, good());
    const { action, fields } = readForm(page.html);
    const csrf = fields.filter(([name]) => name === 'csrf');
    const answer = await browser.submit(action, [...csrf, ['scope', 'two:use'], approve]);
    expect(answer.response.status).toBe(400);
    expect(isConsent(answer)).toBe(true);
  });
});

describe('a forged answer (CN03, T7)', () => {
  const others: Record<string, () => Promise<string>> = {
    'no csrf': async () => '',
    'a wrong csrf': async () => 'A'.repeat(43),
    'the csrf of bob': async () => {
      const { page } = await openConsent(server, good(), { person: bob });
      return Object.fromEntries(readForm(page.html).fields).csrf ?? '';
    },
  };
  it.each(Object.entries(others))('with %s MUST be refused', async (_what, csrf) => {
    const { browser, page } = await openConsent(server, good());
    const { action } = readForm(page.html);
    const { response, url } = await browser.submit(action, [
      ['csrf', await csrf()],
      ['scope', 'mcp:read'],
      approve,
    ]);
    expect(response.status).toBe(403);
    expect(url).not.toContain('code=');
    expect(await count(server, 'grants')).toBe(0);
  });

  it('with the csrf of another form of the same browser MUST be refused', async () => {
    const { browser, page } = await openConsent(server, good());
    const other = await openConsent(server, good(), { browser });
    const { fields } = readForm(other.page.html);
    const answer = await browser.submit(readForm(page.html).action, [...fields, approve]);
    expect(answer.response.status).toBe(403);
  });

  it.each([
    ['another origin', { origin: 'https://evil.test' }],
    ['a null origin', { origin: 'null' }],
    ['a sibling origin', { origin: 'http://localhost:1' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
  ])('from %s MUST be refused', async (_what, headers) => {
    const { browser, page } = await openConsent(server, good());
    const answer = await press(browser, page, [approve], headers);
    expect(answer.response.status).toBe(403);
    expect(await count(server, 'grants')).toBe(0);
  });

  it('without any cookie MUST be refused', async () => {
    const { page } = await openConsent(server, good());
    const answer = await press(server.browser(), page, [approve]);
    expect(answer.response.status).toBe(403);
  });
});

describe('somebody else’s consent page (CN08, SE03)', () => {
  it('does not open, and takes no answer, in another browser', async () => {
    const { page } = await openConsent(server, good());
    const other = await signedIn(server, bob);
    const opened = await other.open(readForm(page.html).action);
    expect(opened.response.status).toBe(400);
    expect(isConsent(opened)).toBe(false);
    expect((await press(other, page, [approve])).response.status).toBe(403);
    expect(await count(server, 'grants')).toBe(0);
  });

  it('MUST NOT be finished by bob with the cookies of alice’s page', async () => {
    const { browser, page } = await openConsent(server, good());
    const other = await signedIn(server, bob);
    for (const [name, value] of browser.jar) {
      if (!name.startsWith('session')) other.jar.set(name, value);
    }
    expect((await other.open(readForm(page.html).action)).response.status).toBe(403);
    expect((await press(other, page, [approve])).response.status).toBe(403);
    expect(await count(server, 'grants')).toBe(0);
  });

  it('MUST NOT be resumed by bob after alice approved', async () => {
    const { browser, page } = await openConsent(server, good());
    const { action, fields } = readForm(page.html);
    const thief = copyOf(server, browser);
    const body = new URLSearchParams([...fields, approve]);
    const posted = await browser.send(action, { method: 'POST', body });
    for (const [name, value] of (await signedIn(server, bob)).jar) {
      if (name.startsWith('session')) thief.jar.set(name, value);
    }
    const resumed = await thief.open(posted.headers.get('location') ?? '');
    expect(resumed.response.status).toBe(403);
    expect(resumed.url).not.toContain('code=');
  });
});

describe('remembered consent', () => {
  it('gives the next code without asking, for the same scopes and for fewer', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(both), { browser });
    for (const scope of [both.scope, 'mcp:read']) {
      const flow = good({ scope });
      const page = await browser.open(authorizeUrl(server, flow));
      const response = await redeem(server, flow, answerOf(page).get('code') ?? '');
      expect(JSON.parse(await response.text())).toMatchObject({ scope });
    }
  });

  it('holds for another port of this computer', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    const page = await browser.open(
      authorizeUrl(server, good({ redirect_uri: 'http://127.0.0.1:8888/cb' })),
    );
    expect(answerOf(page).get('code')).toBeTruthy();
  });

  it.each([
    ['more scopes', () => good(both)],
    ['another server', () => good({ scope: 'two:use', resource: rs2 })],
    ['another client', () => good({ client_id: 'WEB', redirect_uri: 'https://app.test/cb' })],
    ['prompt=consent', () => good({ prompt: 'consent' })],
  ])('does not hold for %s', async (_what, flow) => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    expect(isConsent(await browser.open(authorizeUrl(server, flow())))).toBe(true);
  });

  it('does not hold for another person', async () => {
    await tokens(server);
    const browser = await signedIn(server, bob);
    expect(isConsent(await browser.open(authorizeUrl(server, good())))).toBe(true);
  });

  it('does not hold for a box that was left empty', async () => {
    const { browser, page } = await openConsent(server, good(both));
    const { action, fields } = readForm(page.html);
    await browser.submit(action, [...fields.filter(([, v]) => v !== 'mcp:write'), approve]);
    expect(isConsent(await browser.open(authorizeUrl(server, good(both))))).toBe(true);
  });

  it('does not hold for another redirect host (T17)', async () => {
    const redirect_uris = [callback, 'https://other.test/cb'];
    const flow = await stranger({}, { redirect_uris });
    const browser = await signedIn(server);
    await tokens(server, flow, { browser });
    const same = await browser.open(authorizeUrl(server, again(flow)));
    expect(answerOf(same).get('code')).toBeTruthy();
    const moved = again(flow, { redirect_uri: 'https://other.test/cb' });
    expect(isConsent(await browser.open(authorizeUrl(server, moved)))).toBe(true);
  });

  it('ends when the client changes its redirect hosts (DC12)', async () => {
    const registered = await fetch(`${server.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Changing', redirect_uris: [callback] }),
    });
    const client = JSON.parse(await registered.text());
    const flow = good({ client_id: client.client_id, redirect_uri: callback });
    const browser = await signedIn(server);
    await tokens(server, flow, { browser });
    const changed = await fetch(client.registration_client_uri, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${client.registration_access_token}`,
      },
      body: JSON.stringify({
        client_id: client.client_id,
        client_name: 'Changing',
        redirect_uris: [callback, 'https://evil.test/cb'],
      }),
    });
    expect(changed.status).toBe(200);
    expect(isConsent(await browser.open(authorizeUrl(server, again(flow))))).toBe(true);
  });

  it('ends with the grant', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    await press(browser, await browser.open(`${server.url}/account`), []);
    expect(isConsent(await browser.open(authorizeUrl(server, good())))).toBe(true);
  });
});

describe('a request from another site (CN07, T16)', () => {
  const from = (site: string) => ({ headers: { 'sec-fetch-site': site } });

  it('MUST ask again for a client that anybody could be, and then goes on', async () => {
    const flow = await stranger();
    const browser = await signedIn(server);
    await tokens(server, flow, { browser });
    const next = again(flow);
    const page = await browser.open(authorizeUrl(server, next), from('cross-site'));
    expect(isConsent(page)).toBe(true);
    expect(answerOf(await press(browser, page, [approve])).get('code')).toBeTruthy();
  });

  it('MUST ask again for a metadata document', async () => {
    const flow = good({ client_id: document.client_id, redirect_uri: callback });
    const browser = await signedIn(server);
    await tokens(server, flow, { browser });
    const page = await browser.open(authorizeUrl(server, again(flow)), from('cross-site'));
    expect(isConsent(page)).toBe(true);
  });

  it('MUST ask again for a client that registered itself and runs on this computer (T17)', async () => {
    const redirect_uri = 'http://127.0.0.1:7777/cb';
    const flow = await stranger({ redirect_uri }, { redirect_uris: [redirect_uri] });
    const browser = await signedIn(server);
    await tokens(server, flow, { browser });
    const page = await browser.open(authorizeUrl(server, again(flow)), from('cross-site'));
    expect(isConsent(page)).toBe(true);
  });

  it('MUST NOT be hidden by a parameter', async () => {
    const flow = await stranger();
    const browser = await signedIn(server);
    await tokens(server, flow, { browser });
    for (const value of ['0', '', '1']) {
      const url = `${authorizeUrl(server, again(flow))}&authserver_cross_site=${value}`;
      expect(isConsent(await browser.open(url, from('cross-site')))).toBe(true);
      expect(answerOf(await browser.open(url)).get('code')).toBeTruthy();
    }
  });

  it.each(['same-origin', 'same-site', 'none', undefined])(
    'is not one with Sec-Fetch-Site: %s',
    async (site) => {
      const flow = await stranger();
      const browser = await signedIn(server);
      await tokens(server, flow, { browser });
      const init = site ? from(site) : {};
      const page = await browser.open(authorizeUrl(server, again(flow)), init);
      expect(answerOf(page).get('code')).toBeTruthy();
    },
  );

  it('is not asked about for a client of an operator', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    const page = await browser.open(authorizeUrl(server, good()), from('cross-site'));
    expect(answerOf(page).get('code')).toBeTruthy();
  });

  it('is judged on the first authorize request, before and after a sign-in', async () => {
    const flow = await stranger();
    await tokens(server, flow);

    const lured = server.browser();
    const asked = await lured.open(authorizeUrl(server, again(flow)), from('cross-site'));
    expect(isSignIn(asked)).toBe(true);
    expect(isConsent(await press(lured, asked, typed(alice)))).toBe(true);

    // A proxy's sign-in page in between makes later hops cross-site; that says nothing.
    const own = server.browser();
    const page = await own.open(authorizeUrl(server, again(flow)), from('none'));
    const { action, fields } = readForm(page.html);
    const body = new URLSearchParams([...fields, ...typed(alice)]);
    const posted = await own.send(action, { method: 'POST', body });
    const resumed = await own.open(posted.headers.get('location') ?? '', from('cross-site'));
    expect(answerOf(resumed).get('code')).toBeTruthy();
  });
});

describe('prompt=none (CN11)', () => {
  const none = (changes = {}) => good({ prompt: 'none', ...changes });

  it('goes back with login_required when nobody is signed in', async () => {
    const answer = answerOf(await server.browser().open(authorizeUrl(server, none())));
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'login_required', state: 'S1' });
  });

  it('goes back with consent_required for a new client and for a new scope', async () => {
    const browser = await signedIn(server);
    const first = answerOf(await browser.open(authorizeUrl(server, none())));
    expect(Object.fromEntries(first)).toEqual({
      error: 'consent_required',
      error_description: expect.any(String),
      state: 'S1',
      iss: server.url,
    });
    await tokens(server, good(), { browser });
    const more = answerOf(await browser.open(authorizeUrl(server, none(both))));
    expect(more.get('error')).toBe('consent_required');
    expect(more.get('code')).toBeNull();
  });

  it('goes back with consent_required for a stranger from another site', async () => {
    const flow = await stranger();
    const browser = await signedIn(server);
    await tokens(server, flow, { browser });
    const next = authorizeUrl(server, again(flow, { prompt: 'none' }));
    const page = await browser.open(next, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect(answerOf(page).get('error')).toBe('consent_required');
  });

  it('goes back with a code where consent is remembered', async () => {
    const browser = await signedIn(server);
    await tokens(server, good(), { browser });
    const answer = answerOf(await browser.open(authorizeUrl(server, none())));
    expect(answer.get('code')).toBeTruthy();
  });
});

describe('switching the account', () => {
  it('goes on as the other person and ends the session before', async () => {
    const flow = good();
    const { browser, page } = await openConsent(server, flow);
    const before = copyOf(server, browser);
    const link = /href="([^"]*\?switch)"/.exec(page.html)?.[1] ?? '';
    const signIn = await browser.open(link);
    expect(isSignIn(signIn)).toBe(true);
    const consent = await press(browser, signIn, typed(bob));
    expect(isConsent(consent)).toBe(true);
    expect(consent.html).toContain(bob.email);
    expect(consent.html).not.toContain(alice.email);
    expect(await isSignedIn(server, before)).toBe(false);

    const value = answerOf(await press(browser, consent, [approve])).get('code') ?? '';
    const body = JSON.parse(await (await redeem(server, flow, value)).text());
    const owner = await server.db.kysely
      .selectFrom('users')
      .select('email')
      .where('id', '=', decodeJwt(body.access_token).sub ?? '')
      .executeTakeFirst();
    expect(owner).toEqual({ email: bob.email });
    const grants = await server.db.kysely.selectFrom('grants').select('user_id').execute();
    expect(grants).toEqual([{ user_id: decodeJwt(body.access_token).sub }]);
  });

  it('to the same person goes on, too', async () => {
    const { browser, page } = await openConsent(server, good());
    const link = /href="([^"]*\?switch)"/.exec(page.html)?.[1] ?? '';
    const consent = await press(browser, await browser.open(link), typed(alice));
    expect(answerOf(await press(browser, consent, [approve])).get('code')).toBeTruthy();
  });

  it('with a wrong password changes nothing', async () => {
    const { browser, page } = await openConsent(server, good());
    const link = /href="([^"]*\?switch)"/.exec(page.html)?.[1] ?? '';
    const wrong = { ...bob, password: 'not the password' };
    const failed = await press(browser, await browser.open(link), typed(wrong));
    expect(failed.response.status).toBe(400);
    expect(await isSignedIn(server, browser)).toBe(true);
    const consent = await browser.open(readForm(page.html).action);
    expect(consent.html).toContain(alice.email);
  });
});

describe('what a person may use at a server (resources[].access)', () => {
  let limited: TestServer;
  beforeAll(async () => {
    limited = await startConfigured(
      ({ url, directory }) => `
server: { issuer: "${url}" }
storage: { pglite: { path: "${directory}/db" } }
resources:
  - slug: rs1
    uri: ${rs1}
    display_name: First server
    scopes: [{ name: "mcp:read", description: Read }, { name: "mcp:write", description: Write }]
    access:
      - { users: ["${alice.email}"], scopes: ["mcp:read"] }
      - { groups: [editors], scopes: ["mcp:read", "mcp:write"] }
clients:
  - { client_id: PUB, application_type: native, redirect_uris: ["http://127.0.0.1:7777/cb"] }
users:
  - { email: ${alice.email}, password: "${alice.password}" }
  - { email: ${bob.email}, password: "${bob.password}" }
  - { email: eve@example.test, password: "correct horse eve", groups: [editors] }
`,
    );
  });
  afterAll(() => limited.close());
  const eve = { email: 'eve@example.test', password: 'correct horse eve' };
  const boxes = (html: string) =>
    readForm(html).fields.flatMap(([name, value]) => (name === 'scope' ? [value] : []));

  it('MUST NOT be offered beyond it, nor granted by adding a box', async () => {
    const flow = good(both);
    const { browser, page } = await openConsent(limited, flow);
    expect(boxes(page.html)).toEqual(['mcp:read']);
    const { url } = await press(browser, page, [['scope', 'mcp:write'], approve]);
    const response = await redeem(limited, flow, answerOf({ url }).get('code') ?? '');
    expect(JSON.parse(await response.text())).toMatchObject({ scope: 'mcp:read' });
  });

  it('does not ask again for what the person may not have', async () => {
    const browser = await signedIn(limited);
    await authorize(limited, good(both), { browser });
    const page = await browser.open(authorizeUrl(limited, good(both)));
    expect(answerOf(page).get('code')).toBeTruthy();
  });

  it('is given to groups', async () => {
    const { page } = await openConsent(limited, good(both), { person: eve });
    expect(boxes(page.html)).toEqual(['mcp:read', 'mcp:write']);
  });

  it.each([both, {}, { scope: undefined }])(
    'sends the client access_denied when there is nothing to grant (%j)',
    async (changes) => {
      const { answer } = await authorize(limited, good(changes), { person: bob });
      expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', state: 'S1' });
      expect(answer.get('code')).toBeNull();
    },
  );

  it('holds for remembered consent as soon as it shrinks', async () => {
    const browser = await signedIn(limited, eve);
    await authorize(limited, good(both), { browser });
    const user = await limited.db.kysely
      .selectFrom('users')
      .select('id')
      .where('email', '=', eve.email)
      .executeTakeFirstOrThrow();
    const { accounts } = limited.app.rooms;
    await accounts.update(user.id, { groups: [] }, { at: limited.now() });
    const answer = answerOf(await browser.open(authorizeUrl(limited, good(both))));
    expect(answer.get('error')).toBe('access_denied');
    await accounts.update(user.id, { groups: ['editors'] }, { at: limited.now() });
  });
});

it('the whole way works for a confidential client too', async () => {
  const flow = good({ client_id: 'WEB', redirect_uri: 'https://app.test/cb' });
  const response = await redeem(server, flow, await code(server, flow), {
    client_secret: webSecret,
  });
  expect(response.status).toBe(200);
});
