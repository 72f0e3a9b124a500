import { randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { basic, granted, refused } from './answers.testing.ts';
import { createProver } from './dpop.testing.ts';
import { code, good, redeem, type Tokens, tokens } from './flow.testing.ts';
import {
  alice,
  rs1,
  rs2,
  startServer,
  type TestServer,
  webCallback,
  webSecret,
} from './server.testing.ts';

/** RFC 7662: OAuth 2.0 Token Introspection. */

let server: TestServer;
let issued: Tokens;
beforeAll(async () => {
  server = await startServer({
    extra: 'dcr: { rate_limit: 1000, rate_limit_burst: 1000 }',
  });
  issued = await tokens(server);
});
afterAll(() => server.close());

const as = (client: string, secret = webSecret) => basic(client, secret);
const members = z.record(z.string(), z.unknown());
const read = async (answer: Response) => members.parse(await answer.json());

function ask(token: string, headers: Record<string, string> = as('RS1'), more = {}) {
  return server.post('/oauth/introspect', { token, ...more }, headers);
}

async function inactive(answer: Response) {
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe('{"active":false}');
}

async function active(answer: Response) {
  expect(answer.status).toBe(200);
  const body = await read(answer);
  expect(body.active).toBe(true);
  return body;
}

/** Tokens of the confidential client WEB, which authenticates at the token endpoint. */
async function webTokens(changes: Record<string, string> = {}): Promise<Tokens> {
  const flow = good({ client_id: 'WEB', redirect_uri: webCallback, ...changes });
  const value = await code(server, flow);
  const answer = await redeem(server, flow, value, {}, as('WEB'));
  return JSON.parse(await answer.text());
}

describe('§2.2 what is said of a token', () => {
  test('the resource server learns everything that it needs, and nothing is cached', async () => {
    const answer = await ask(issued.access_token);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const claims = decodeJwt(issued.access_token);
    expect(await read(answer)).toEqual({
      active: true,
      iss: server.url,
      sub: claims.sub,
      aud: rs1,
      client_id: 'PUB',
      username: alice.email,
      scope: 'mcp:read',
      token_type: 'Bearer',
      jti: claims.jti,
      iat: claims.iat,
      exp: claims.exp,
      auth_time: claims.auth_time,
    });
  });

  test('a refresh token is known to its own client only', async () => {
    const own = await webTokens();
    const body = await active(await ask(own.refresh_token, as('WEB')));
    expect(body).toMatchObject({ client_id: 'WEB', sub: decodeJwt(own.access_token).sub });
    expect(JSON.stringify(body)).not.toContain(own.refresh_token);
    await inactive(await ask(own.refresh_token, as('RS1')));
    await inactive(await ask(own.refresh_token, as('WEB2')));
    await inactive(await ask(issued.refresh_token, as('WEB')));
  });

  test.each(['access_token', 'refresh_token', 'id_token', 'nonsense', ''])(
    'a wrong hint (%s) changes nothing (§2.1, IN05)',
    async (hint) => {
      const own = await webTokens();
      const more = { token_type_hint: hint };
      await active(await ask(own.access_token, as('WEB'), more));
      await active(await ask(own.refresh_token, as('WEB'), more));
    },
  );

  test('an expired token is inactive', async () => {
    const late = await startServer();
    try {
      const { access_token: token } = await tokens(late);
      const headers = as('RS1');
      const before = await late.post('/oauth/introspect', { token }, headers);
      expect((await read(before)).active).toBe(true);
      late.advance(15 * 60 + 1);
      await inactive(await late.post('/oauth/introspect', { token }, headers));
    } finally {
      await late.close();
    }
  });
});

describe('§4 who may ask', () => {
  test('a disabled resource makes its tokens inactive for everybody', async () => {
    const own = await webTokens({ resource: rs2, scope: 'two:use' });
    const set = async (enabled: boolean) => {
      const row = server.db.kysely.updateTable('resources').set({ enabled });
      await row.where('uri', '=', rs2).execute();
      await server.app.rooms.resources.reload();
    };
    await active(await ask(own.access_token, as('WEB')));
    await set(false);
    await inactive(await ask(own.access_token, as('WEB')));
    await set(true);
  });

  test('the own client and the bound clients of the audience see the token', async () => {
    const own = await webTokens();
    await active(await ask(own.access_token, as('WEB')));
    await active(await ask(own.access_token, as('RS1')));
  });

  test('a confidential client that is not in the audience sees an inactive token (IN01)', async () => {
    const own = await webTokens();
    await inactive(await ask(own.access_token, as('WEB2')));
    await inactive(await ask(issued.access_token, as('WEB2')));
    await inactive(await ask(issued.access_token, as('WEB')));
  });

  test('the resource server of another resource sees an inactive token', async () => {
    const other = await tokens(server, good({ resource: rs2, scope: 'two:use' }));
    await inactive(await ask(other.access_token, as('RS1')));
  });

  test('a client that just registered itself sees no token of others (IN02)', async () => {
    const registered = await fetch(`${server.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: [webCallback],
        token_endpoint_auth_method: 'client_secret_basic',
        client_name: 'RS1',
        resources: [rs1],
      }),
    });
    const { client_id: id, client_secret: secret } = await read(registered);
    expect(registered.status).toBe(201);
    const headers = as(String(id), String(secret));
    await inactive(await ask(issued.access_token, headers));
    await inactive(await ask(issued.refresh_token, headers));
    const flow = good({ client_id: String(id), redirect_uri: webCallback });
    const own = await granted(await redeem(server, flow, await code(server, flow), {}, headers));
    const seen = await active(await ask(own.access_token, headers));
    expect(seen.sub).toEqual(expect.any(String));
    expect(seen.username).toBeUndefined(); // nobody consented to its knowing the address
  });

  test.each([
    ['nobody', {}, {}],
    ['a public client', {}, { client_id: 'PUB' }],
    ['an unknown client', as('NOBODY'), {}],
    ['a wrong secret', as('RS1', 'wrong'), {}],
    ['an empty secret', as('RS1', ''), {}],
    ['a secret in the wrong place', {}, { client_id: 'RS1' }],
    ['a bearer token', { Authorization: 'Bearer TOKEN' }, {}],
  ])('%s is refused with 401 invalid_client (§2.1, IN03)', async (_who, sent, more) => {
    const headers: Record<string, string> = Object.fromEntries(
      Object.entries(sent).map(([name, value]) => [
        name,
        value.replace('TOKEN', issued.access_token),
      ]),
    );
    const answer = await ask(issued.access_token, headers, more);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^(Basic|Bearer) /);
    const body = await read(answer);
    expect(body.error).toBe('invalid_client');
    expect(body.active).toBeUndefined();
    expect(body.trace_id).toMatch(/^[0-9A-Z]{10}$/);
  });

  test('a public client cannot tell a live token from a dead one', async () => {
    const [live, dead] = await Promise.all(
      [issued.access_token, 'dead'].map((token) => ask(token, {}, { client_id: 'PUB' })),
    );
    const { trace_id: _one, ...first } = await read(live ?? Response.error());
    const { trace_id: _two, ...second } = await read(dead ?? Response.error());
    expect(first).toEqual(second);
  });
});

describe('what is no token is inactive, never an error (IN05)', () => {
  test.each([
    ['garbage', 'garbage'],
    ['a space', ' '],
    ['a dot', '.'],
    ['two dots', '..'],
    ['four dots', 'a.b.c.d.e'],
    ['not ASCII', 'ключ🔑'],
    ['SQL', "' OR 1=1 --"],
    ['a path', '../../etc/passwd'],
    ['CRLF', 'a\r\nb'],
    ['100 KB', 'x'.repeat(100_000)],
    ['1 MB', 'x'.repeat(1024 * 1024)],
    ['a JWT of 1 MB', `eyJhbGciOiJFUzI1NiJ9.${'e30'.repeat(350_000)}.x`],
  ])('%s', async (_what, token) => {
    const started = performance.now();
    await inactive(await ask(token));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('the jti of a token is no token', async () => {
    await inactive(await ask(String(decodeJwt(issued.access_token).jti)));
    await inactive(await ask(String(decodeJwt(issued.access_token).jti), as('WEB')));
  });

  test.each([
    ['truncated', (token: string) => token.slice(0, -1)],
    ['extended', (token: string) => `${token}A`],
    ['with a trailing space', (token: string) => `${token} `],
    ['with a leading space', (token: string) => ` ${token}`],
    ['in another case', (token: string) => token.toUpperCase()],
  ])('a token that was %s (TK07)', async (_how, change) => {
    const own = await webTokens();
    await inactive(await ask(change(own.refresh_token), as('WEB')));
    await inactive(await ask(change(own.access_token), as('WEB')));
  });

  test('a code is no token', async () => {
    await inactive(await ask(await code(server), as('RS1')));
    await inactive(await ask(randomBytes(32).toString('base64url'), as('RS1')));
  });

  test('a request without a token, or with two, is invalid_request', async () => {
    const twice = [issued.access_token, 'b'];
    const bad: Record<string, string | string[]>[] = [{}, { token: '' }, { token: twice }];
    for (const form of bad) {
      const answer = await server.post('/oauth/introspect', form, as('RS1'));
      await refused(answer, 400, 'invalid_request');
    }
  });
});

test('a token that is bound to a key says so (RFC 9449 §6.2)', async () => {
  const prover = await createProver();
  const flow = good();
  const value = await code(server, flow);
  const headers = await prover.headers(`${server.url}/oauth/token`);
  const bound: Tokens = JSON.parse(await (await redeem(server, flow, value, {}, headers)).text());
  expect(await active(await ask(bound.access_token))).toMatchObject({
    token_type: 'DPoP',
    cnf: { jkt: prover.jkt },
  });
});

describe('a token ends with everything that it hangs on', () => {
  test('with its client', async () => {
    const own = await webTokens();
    await server.db.kysely
      .updateTable('clients')
      .set({ status: 'suspended' })
      .where('client_id', '=', 'WEB')
      .execute();
    try {
      await inactive(await ask(own.access_token, as('RS1')));
    } finally {
      await server.db.kysely
        .updateTable('clients')
        .set({ status: 'active' })
        .where('client_id', '=', 'WEB')
        .execute();
    }
    await active(await ask(own.access_token, as('RS1')));
  });

  test('with its person', async () => {
    const { access_token: token } = await tokens(server);
    const sub = String(decodeJwt(token).sub);
    const users = server.db.kysely.updateTable('users').where('id', '=', sub);
    await users.set({ status: 'disabled' }).execute();
    try {
      await inactive(await ask(token));
    } finally {
      await users.set({ status: 'active' }).execute();
    }
  });

  test('with its grant', async () => {
    const { access_token: token } = await tokens(server, good({ resource: rs2, scope: 'two:use' }));
    const mine = await tokens(server);
    await server.db.kysely
      .updateTable('grants')
      .set({ revoked_at: server.now() })
      .where('resource', '=', rs1)
      .where('client_id', '=', 'PUB')
      .execute();
    await inactive(await ask(mine.access_token));
    expect(token).toBeTruthy();
  });
});
