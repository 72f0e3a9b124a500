import { createServer, type Server } from 'node:http';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refused } from './answers.testing.ts';
import { register } from './registration.testing.ts';
import { type TestServer, webCallback } from './server.testing.ts';
import {
  as,
  exchange,
  exchanged,
  introspect,
  machineToken,
  mine,
  opaque,
  partner,
  personalToken,
  src,
  startExchange,
  subjectToken,
} from './token-exchange.testing.ts';

/**
 * Threats T12, T13, T29: a token is for one resource. Whoever gets hold of one that was meant for
 * somebody else gets nothing for it, neither at another resource nor at what this server itself protects.
 */

const apiKey = 'an-api-key-of-the-administration';
let server: TestServer;
let listener: Server;
let admin: string;
/** Tokens of every kind for `src`, of somebody who owns the server; each row has one. */
let held: Record<string, string>;

beforeAll(async () => {
  server = await startExchange({ extra: `admin: { api_key: "${apiKey}" }` });
  listener = createServer(server.app.admin.callback());
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  admin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  await server.db.kysely.updateTable('users').set({ role: 'owner' }).execute();
  const { access_token: jwt, refresh_token: refreshToken } = await subjectToken(server);
  held = {
    jwt,
    exchanged: (await exchanged(server, jwt)).access_token,
    opaque: (await exchanged(server, jwt, { form: { resource: opaque } })).access_token,
    personal: (await personalToken(server, ['s:write'])).value,
    machine: (await machineToken(server, 'MACHINE')).access_token,
    refresh: refreshToken,
  };
});
afterAll(async () => {
  listener.closeAllConnections();
  listener.close();
  await server.close();
});

const kinds = ['jwt', 'exchanged', 'opaque', 'personal', 'machine', 'refresh'];
const accessTokens = kinds.filter((kind) => kind !== 'refresh');
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const token = (kind: string) => held[kind] ?? expect.fail(`no ${kind} token`);

describe('at another resource', () => {
  test.each(accessTokens)('a token of A (%s) MUST be inactive to the server of B', async (kind) => {
    expect(await introspect(server, token(kind))).toMatchObject({ active: true });
    for (const stranger of ['PARTNER', 'MINE', 'RS1', 'STRANGER', 'WEB']) {
      expect(await introspect(server, token(kind), stranger)).toEqual({ active: false });
    }
  });

  test.each(kinds)('B MUST NOT exchange a token of A (%s), for whatever target', async (kind) => {
    for (const resource of [undefined, src, partner, mine, opaque]) {
      const form = { resource };
      const answer = await exchange(server, token(kind), { by: 'PARTNER', form });
      await refused(answer, 400, 'invalid_request');
    }
  });

  test('what A exchanged for B is for B alone: A no longer sees it, B cannot take it back to A', async () => {
    const forB = await exchanged(server, token('jwt'), { form: { resource: partner } });
    expect(decodeJwt(forB.access_token).aud).toBe(partner);
    expect(await introspect(server, forB.access_token, 'PARTNER')).toMatchObject({ active: true });
    expect(await introspect(server, forB.access_token, 'TOOL2')).toEqual({ active: false });
    await refused(
      await exchange(server, forB.access_token, { by: 'TOOL2' }),
      400,
      'invalid_request',
    );
    const back = { by: 'PARTNER', form: { resource: src } };
    await refused(await exchange(server, forB.access_token, back), 400, 'invalid_target');
  });

  test.each(accessTokens)('B MUST NOT end a token of A (%s)', async (kind) => {
    await server.post('/oauth/revoke', { token: token(kind) }, as('PARTNER'));
    expect(await introspect(server, token(kind))).toMatchObject({ active: true });
  });

  test('a token is no client authentication', async () => {
    const mandate = { grant_type: 'client_credentials', resource: partner };
    for (const kind of kinds) {
      const asBearer = await server.post('/oauth/token', mandate, bearer(token(kind)));
      await refused(asBearer, 401, 'invalid_client');
      const asked = { token: token('jwt') };
      const asCaller = await server.post('/oauth/introspect', asked, bearer(token(kind)));
      await refused(asCaller, 401, 'invalid_client');
    }
  });
});

describe('at what this server protects', () => {
  const adminPaths = [
    '/metrics',
    ...[
      'session',
      'clients',
      'users',
      'grants',
      'issuances',
      'audit',
      'keys',
      'tokens',
      'settings',
    ].map((noun) => `/admin/api/${noun}`),
  ];

  test('the key of the administration opens the metrics: the rows below test what they say', async () => {
    const answer = await fetch(`${admin}/metrics`, { headers: bearer(apiKey) });
    expect(answer.status).toBe(200);
  });

  test.each(adminPaths)(
    '%s of the admin listener MUST NOT open to a token (TK06, AD02)',
    async (path) => {
      for (const kind of kinds) {
        for (const method of ['GET', 'POST', 'DELETE']) {
          const answer = await fetch(admin + path, {
            method,
            headers: bearer(token(kind)),
            redirect: 'manual',
          });
          expect(answer.status, `${method} with a ${kind} token`).toBeGreaterThanOrEqual(400);
          expect(answer.status).toBeLessThan(500);
          expect(await answer.text()).not.toContain(token(kind));
        }
      }
    },
  );

  test.each(['/api/workspaces', '/api/mcp-servers', '/api/v2/w/x/mcp-servers', '/api'])(
    '%s MUST NOT open to a token of another resource',
    async (path) => {
      for (const kind of kinds) {
        const answer = await fetch(server.url + path, { headers: bearer(token(kind)) });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
      }
    },
  );

  test('the account page MUST NOT open to a token', async () => {
    for (const kind of kinds) {
      const answer = await fetch(`${server.url}/account`, {
        headers: bearer(token(kind)),
        redirect: 'manual',
      });
      expect(answer.status).not.toBe(200);
    }
  });

  test('the configuration of a client MUST NOT open to a token, wherever it is sent (TK09)', async () => {
    const { registration_client_uri: uri } = await register(server, {
      redirect_uris: [webCallback],
    });
    for (const kind of kinds) {
      const stolen = token(kind);
      const query = `${uri}?access_token=${encodeURIComponent(stolen)}`;
      const answers = await Promise.all([
        fetch(uri, { headers: bearer(stolen) }),
        fetch(uri, { method: 'DELETE', headers: bearer(stolen) }),
        fetch(query),
        fetch(query, { headers: bearer(stolen) }),
        fetch(uri, { headers: { authorization: `Bearer ${stolen}, Bearer ${stolen}` } }),
      ]);
      for (const answer of answers) expect([400, 401]).toContain(answer.status);
    }
  });

  test('no token was used up, and none is in the log', async () => {
    for (const kind of accessTokens) {
      expect(await introspect(server, token(kind))).toMatchObject({ active: true });
    }
    for (const kind of kinds) expect(server.logged()).not.toContain(token(kind));
  });
});
