import { randomBytes, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { basic, refused } from '../provider/answers.testing.ts';
import { audited } from '../provider/federation-setup.testing.ts';
import { press, signedIn, typed } from '../provider/people.testing.ts';
import { alice, bob, type TestServer, webCallback, webSecret } from '../provider/server.testing.ts';
import {
  introspect,
  leave,
  memberOf,
  spaces,
  startWorkspaces,
  userId,
  vault,
  workspaceId,
} from '../provider/workspaces.testing.ts';
import { apiTokens } from './api.testing.ts';
import {
  type Asked,
  askForLink,
  asks,
  confirm,
  newLink,
  said,
  tokenOn,
} from './reconnect.testing.ts';

let server: TestServer;
let key: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
beforeAll(async () => {
  server = await startWorkspaces();
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  const pair = await generateKeyPair('ES256', { extractable: true });
  key = pair.privateKey;
  const signs = {
    ...{ client_id: 'SIGNS', redirect_uris: [webCallback] },
    ...{ token_endpoint_auth_method: 'private_key_jwt' },
    jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1' }] },
  };
  await server.app.rooms.clients.create(signs, 'cli', by);
  await server.app.rooms.resourceEditing.create(
    {
      ...{ slug: 'signed', uri: 'https://signed.test/mcp', workspace_scoped: true },
      ...{ clients: ['SIGNS', 'WEB'], scopes: [{ name: 'signed:use' }] },
    },
    by,
  );
});
afterAll(() => server.close());
beforeEach(async () => {
  await memberOf(server, alice, { acme: 'admin', beta: 'member' });
  await memberOf(server, bob, { acme: 'member' });
  await server.db.kysely.deleteFrom('reconnect_links').execute();
});

/** A link for somebody alone. */
const linkFor = async (person: typeof alice, asked: Asked = {}) =>
  newLink(server, { ...asked, body: { sub: await userId(server, person), ...asked.body } });

describe('POST /api/workspaces/{id}/reconnect-links', () => {
  it('MUST answer 201 with a link of 256 bits below the issuer that works for ten minutes', async () => {
    const before = server.now().getTime();
    const answer = await askForLink(server);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const body: unknown = await answer.json();
    expect(body).toEqual({
      url: expect.stringMatching(new RegExp(`^${server.url}/reconnect/[\\w-]{43}$`)),
      expires_at: expect.any(String),
    });
    const { expires_at } = body as { expires_at: string };
    const life = new Date(expires_at).getTime() - before;
    expect(life / 60_000).toBeCloseTo(10, 0);
  });

  it('MUST keep the secret as a hash only, and out of log and audit log', async () => {
    const url = await newLink(server, { body: { label: 'Claude Code' } });
    const secret = url.slice(url.lastIndexOf('/') + 1);
    const browser = server.browser();
    await press(browser, await browser.open(url), typed(alice));
    const rows = await server.db.kysely.selectFrom('reconnect_links').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(secret);
    const events = await audited(server, 'reconnect_link_created');
    expect(JSON.stringify(events)).not.toContain(secret);
    expect(server.logged()).not.toContain(secret);
    expect(events.at(-1)).toMatchObject({
      ...{ actor_kind: 'client', actor_id: 'TOOL' },
      detail: { workspace_id: await workspaceId(server, 'acme'), label: 'Claude Code' },
    });
  });

  describe('client authentication as at introspection (RFC 7662 §2.1)', () => {
    it('takes client_secret_basic, client_secret_post and private_key_jwt', async () => {
      expect((await askForLink(server)).status).toBe(201);
      const posted = { client_id: 'TOOL', client_secret: webSecret };
      expect((await send(posted)).status).toBe(201);
      expect((await send(new URLSearchParams(posted))).status).toBe(201);
      const assertion = await signed();
      expect((await send(assertion)).status).toBe(201);
      await refused(await send(assertion), 401, 'invalid_client'); // once (RFC 7523 §3)
    });

    it.each<[string, () => Promise<Response>]>([
      ['no authentication', () => send({})],
      ['a public client', () => send({ client_id: 'PUB' })],
      ['an unknown client', () => askForLink(server, { client: 'nobody' })],
      ['a wrong secret', () => askForLink(server, { headers: basic('TOOL', 'wrong') })],
      ['no secret', () => send({ client_id: 'TOOL' })],
      [
        'an assertion for somebody else',
        async () => send(await signed({ aud: 'https://evil.test' })),
      ],
      ['an old assertion', async () => send(await signed({ exp: 1 }))],
    ])('%s MUST be answered 401 invalid_client', async (_what, ask) => {
      await refused(await ask(), 401, 'invalid_client');
    });

    it('a token of a person MUST NOT be enough', async () => {
      const { access_token: token } = await apiTokens(server, 'apps:admin');
      const headers = { authorization: `Bearer ${token}` };
      await refused(await askForLink(server, { headers }), 401, 'invalid_client');
    });

    it('a suspended client MUST be refused', async () => {
      const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
      await server.app.rooms.clients.suspend('TOOL', by);
      await refused(await askForLink(server), 401, 'invalid_client');
      await server.app.rooms.clients.resume('TOOL', by);
    });

    async function signed(changes: Record<string, unknown> = {}): Promise<Record<string, string>> {
      const now = Math.floor(Date.now() / 1000);
      const who = { iss: 'SIGNS', sub: 'SIGNS', aud: server.url, jti: randomUUID() };
      const client_assertion = await new SignJWT({ ...who, iat: now, exp: now + 60, ...changes })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(key);
      const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      return { client_id: 'SIGNS', client_assertion_type: type, client_assertion };
    }

    async function send(body: object): Promise<Response> {
      const isForm = body instanceof URLSearchParams;
      return fetch(
        `${server.url}/api/workspaces/${await workspaceId(server, 'acme')}/reconnect-links`,
        {
          method: 'POST',
          headers: isForm ? {} : { 'content-type': 'application/json' },
          body: isForm ? body : JSON.stringify(body),
        },
      );
    }
  });

  it('a client that is no resource server with workspaces MUST be refused 403', async () => {
    await refused(await askForLink(server, { client: 'WEB2' }), 403, 'access_denied');
    await refused(
      await askForLink(server, { client: 'WEB2', body: { resource: spaces } }),
      403,
      'access_denied',
    );
  });

  it('a client that is several MUST say which, and MUST NOT name one that it is not', async () => {
    await refused(await askForLink(server, { client: 'RS1' }), 400, 'invalid_target');
    const named = await askForLink(server, { client: 'RS1', body: { resource: vault } });
    expect(named.status).toBe(201);
    for (const resource of [vault, 'https://nothing.test/mcp', `${server.url}/api`]) {
      await refused(await askForLink(server, { body: { resource } }), 400, 'invalid_target');
    }
  });

  it('an unknown workspace, and a person who is no member of it, MUST be answered 404 alike (AD07)', async () => {
    const sub = await userId(server, bob);
    for (const asked of [
      { workspace: randomUUID() },
      { workspace: 'nothing' },
      { workspace: 'beta', body: { sub } },
      { body: { sub: 'usr_nobody' } },
    ]) {
      await refused(await askForLink(server, asked), 404, 'invalid_request');
    }
  });

  it('a body that is not understood MUST be refused', async () => {
    for (const body of [{ user: 'x' }, { sub: 1 }, { label: 'x'.repeat(300) }, []]) {
      await refused(await askForLink(server, { body }), 400, 'invalid_request');
    }
    const headers = { 'content-type': 'text/plain' };
    await refused(await askForLink(server, { body: {}, headers }), 415, 'invalid_request');
  });

  it('MUST be limited for a client and workspace, with Retry-After', async () => {
    for (let made = 0; made < 20; made += 1) await newLink(server);
    const answer = await askForLink(server);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    await refused(answer, 429, 'temporarily_unavailable');
    expect((await askForLink(server, { workspace: 'beta' })).status).toBe(201);
    server.advance(601);
    expect((await askForLink(server)).status).toBe(201);
    server.advance(-601);
  });
});

describe('a link, opened by whom it is for', () => {
  it('signed out, MUST ask to sign in, and then lead back to it', async () => {
    const url = await linkFor(alice);
    const browser = server.browser();
    const page = await browser.open(url);
    expect(new URL(page.url).pathname).toBe('/account/sign-in');
    expect(page.url + page.html).not.toContain(url.slice(url.lastIndexOf('/') + 1));
    const back = await press(browser, page, typed(alice));
    expect(back.url).toBe(url);
    expect(asks(back)).toBe(true);
  });

  it('two links that one browser opens signed out MUST both lead back', async () => {
    const [one, two] = [await linkFor(alice), await linkFor(alice, { body: { label: 'Two' } })];
    const browser = server.browser();
    const page = await browser.open(one);
    const other = await browser.open(two);
    expect((await press(browser, page, typed(alice))).url).toBe(one);
    expect((await browser.open(other.url)).url).toBe(two);
  });

  it('shows workspace, resource, what for and as whom, asks once, and then shows a token that works', async () => {
    const url = await linkFor(bob, { body: { label: 'Claude Code' } });
    const browser = await signedIn(server, bob);
    const page = await browser.open(url);
    for (const text of ['Acme Inc.', spaces, 'Claude Code', bob.email]) {
      expect(page.html).toContain(text);
    }
    expect(tokenOn(page)).toBeUndefined();
    const done = await confirm(browser, page);
    const token = tokenOn(done) ?? '';
    expect(token).toMatch(/^[\w-]+\.[\w-]+$/);
    expect(done.html).toContain('mcpServers');
    expect(await introspect(server, token)).toMatchObject({
      ...{ active: true, sub: await userId(server, bob), scope: 's:use' },
      workspace_id: await workspaceId(server, 'acme'),
    });
    expect((await audited(server, 'reconnect_link_used')).at(-1)).toMatchObject({
      ...{ actor_kind: 'user', user_id: await userId(server, bob) },
      detail: { credential_id: token.split('.')[0] },
    });
  });

  it('MUST NOT be used up by looking at it, however often (link previews)', async () => {
    const url = await linkFor(alice);
    const browser = await signedIn(server);
    for (const method of ['GET', 'HEAD', 'GET']) {
      expect((await browser.send(url, { method })).status).toBe(200);
    }
    await fetch(url);
    expect(tokenOn(await confirm(browser, await browser.open(url)))).toBeDefined();
  });

  it('MUST work once: the second time it is as unknown, and shows nothing', async () => {
    const url = await linkFor(alice);
    const browser = await signedIn(server);
    const page = await browser.open(url);
    expect(tokenOn(await confirm(browser, page))).toBeDefined();
    const again = await confirm(browser, page);
    expect([again.response.status, tokenOn(again)]).toEqual([404, undefined]);
  });

  it('of two tabs that confirm at once MUST serve one', async () => {
    const url = await linkFor(alice);
    const browser = await signedIn(server);
    const page = await browser.open(url);
    const both = await Promise.all([confirm(browser, page), confirm(browser, page)]);
    expect(both.map(tokenOn).filter(Boolean)).toHaveLength(1);
  });

  it('a default credential MUST stay as it is', async () => {
    const { credentials } = server.app.rooms.tokens;
    const resource = server.app.rooms.resources.bySlug('spaces');
    if (!resource) throw new Error('no spaces');
    const by = { id: await userId(server, alice) };
    const place = { workspaceId: await workspaceId(server, 'acme'), resource };
    const { credential } = await credentials.regenerateDefault({
      ...place,
      by,
      meta: { at: server.now() },
    });
    const browser = await signedIn(server);
    await confirm(browser, await browser.open(await linkFor(alice)));
    expect(await introspect(server, credential)).toMatchObject({ active: true });
  });

  it('pages MUST NOT be cached, framed or told to others by Referer (HD01, T9)', async () => {
    const browser = await signedIn(server);
    const page = await browser.open(await linkFor(alice));
    const done = await confirm(browser, page);
    for (const { headers } of [page.response, done.response]) {
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
    expect(page.response.headers.get('referrer-policy')).toBe('same-origin');
    expect(done.response.headers.get('referrer-policy')).toBe('no-referrer');
  });
});

describe('confirming', () => {
  it('MUST need the form of this browser and person (CN03)', async () => {
    const url = await newLink(server);
    const browser = await signedIn(server);
    const page = await browser.open(url);
    const decision: [string, string] = ['decision', 'connect'];
    for (const [fields, headers] of [
      [[decision], {}],
      [[decision, ['csrf', 'guessed']], {}],
      [null, { origin: 'https://evil.test' }],
      [null, { origin: 'null' }],
      [null, { 'sec-fetch-site': 'cross-site' }],
    ] as [[string, string][] | null, Record<string, string>][]) {
      const sent = fields
        ? await browser.submit(url, fields, headers)
        : await press(browser, page, [decision], headers);
      expect([sent.response.status, tokenOn(sent)]).toEqual([403, undefined]);
    }
    const other = await press(await signedIn(server, alice), page, [decision]);
    expect(other.response.status).toBe(403);
    expect(tokenOn(await confirm(browser, page))).toBeDefined();
  });

  it('a form that one person was shown MUST NOT be sent by another who signed in since', async () => {
    await memberOf(server, bob, { acme: 'admin' });
    const url = await newLink(server);
    const browser = await signedIn(server);
    const page = await browser.open(url);
    await browser.submit(`${server.url}/logout`, await signOutFields(browser));
    await press(browser, await browser.open(`${server.url}/account`), typed(bob));
    expect((await confirm(browser, page)).response.status).toBe(403);
  });

  async function signOutFields(browser: Awaited<ReturnType<typeof signedIn>>) {
    const { html } = await browser.open(`${server.url}/account`);
    const csrf = /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? '';
    return [['csrf', csrf]] as [string, string][];
  }
});

describe('a link that does not work', () => {
  const reasons: [string, () => Promise<string>][] = [
    ['was used', async () => used(await linkFor(alice))],
    ['is somebody else’s', () => linkFor(bob)],
    [
      'is for another workspace of somebody else',
      async () => {
        await memberOf(server, bob, { gamma: 'admin' });
        return linkFor(bob, { workspace: 'gamma' });
      },
    ],
    ['is for admins where one is a member', () => newLink(server, { workspace: 'beta' })],
    ['is for a workspace where one is nobody', () => newLink(server, { workspace: 'gamma' })],
    ['was guessed', async () => `${server.url}/reconnect/${randomBytes(32).toString('base64url')}`],
    ['was cut off', async () => (await linkFor(alice)).slice(0, -1)],
    [
      'is of somebody who left since',
      async () => {
        const url = await linkFor(alice);
        await leave(server, alice, 'acme');
        return url;
      },
    ],
    [
      'is of a client that is no resource server any more',
      async () => {
        const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
        const body = { resource: 'https://signed.test/mcp' };
        const url = await linkFor(alice, { client: 'WEB', body });
        await server.app.rooms.resourceEditing.update('signed', { clients: ['SIGNS'] }, by);
        return url;
      },
    ],
  ];

  it.each(reasons)(
    'because it %s MUST look like every other one, and show nothing',
    async (_why, get) => {
      const browser = await signedIn(server);
      const unknown = await browser.open(`${server.url}/reconnect/unknown`);
      expect(unknown.response.status).toBe(404);
      const page = await browser.open(await get());
      expect(page.response.status).toBe(404);
      expect(said(page)).toBe(said(unknown));
      for (const text of ['Acme', 'Gamma', 'Beta', spaces, bob.email]) {
        expect(page.html).not.toContain(text);
      }
    },
  );

  it('because it expired MUST look the same, also to who was shown the form before', async () => {
    const url = await linkFor(alice);
    const browser = await signedIn(server);
    const page = await browser.open(url);
    server.advance(601);
    const late = await confirm(browser, page);
    const unknown = await browser.open(`${server.url}/reconnect/unknown`);
    expect([late.response.status, said(late)]).toEqual([404, said(unknown)]);
    server.advance(-601);
  });

  it('because whom it is for left while the page was open MUST make nothing', async () => {
    const url = await linkFor(alice);
    const browser = await signedIn(server);
    const page = await browser.open(url);
    await leave(server, alice, 'acme');
    expect((await confirm(browser, page)).response.status).toBe(404);
    await memberOf(server, alice, { acme: 'admin' });
    expect(tokenOn(await confirm(browser, page))).toBeDefined(); // it was not used up
  });

  it('signed out MUST ask to sign in like every other one', async () => {
    for (const name of ['unknown', randomBytes(32).toString('base64url')]) {
      const { url } = await server.browser().open(`${server.url}/reconnect/${name}`);
      expect(new URL(url).pathname).toBe('/account/sign-in');
    }
  });

  async function used(url: string): Promise<string> {
    const browser = await signedIn(server);
    await confirm(browser, await browser.open(url));
    return url;
  }
});
