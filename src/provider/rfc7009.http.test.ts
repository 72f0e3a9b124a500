import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, isActive, refused } from './answers.testing.ts';
import { code, good, redeem, refresh, type Tokens, tokens } from './flow.testing.ts';
import { startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';

/** RFC 7009: OAuth 2.0 Token Revocation. */

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const as = (client: string) => basic(client, webSecret);
const alive = (token: string) => isActive(server, token, webSecret);

function revoke(token: string, more: Record<string, string> = {}, headers = {}) {
  return server.post('/oauth/revoke', { token, client_id: 'PUB', ...more }, headers);
}

/** RFC 7009 §2.2: 200, and nothing that tells whether the token was one. */
async function accepted(answer: Response) {
  expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 200, text: '' });
}

async function webTokens(): Promise<Tokens> {
  const flow = good({ client_id: 'WEB', redirect_uri: webCallback });
  return granted(await redeem(server, flow, await code(server, flow), {}, as('WEB')));
}

describe('§2.1 revoking ends the token and what hangs on it', () => {
  test('revoking the refresh token MUST end the access tokens of its authorization', async () => {
    const { access_token: access, refresh_token: token } = await tokens(server);
    await accepted(await revoke(token));
    expect(await alive(access)).toBe(false);
    await refused(await refresh(server, token), 400, 'invalid_grant');
  });

  test('revoking the access token ends the refresh token too', async () => {
    const { access_token: access, refresh_token: token } = await tokens(server);
    await accepted(await revoke(access));
    expect(await alive(access)).toBe(false);
    await refused(await refresh(server, token), 400, 'invalid_grant');
  });

  test('a refresh token that was rotated away still ends its family', async () => {
    const first = await tokens(server);
    const next = await granted(await refresh(server, first.refresh_token));
    await accepted(await revoke(first.refresh_token));
    expect(await alive(next.access_token)).toBe(false);
    await refused(await refresh(server, next.refresh_token), 400, 'invalid_grant');
    await refused(await refresh(server, first.refresh_token), 400, 'invalid_grant');
  });

  test('only that authorization ends: another installation of the client goes on', async () => {
    const lost = await tokens(server);
    const kept = await tokens(server);
    await accepted(await revoke(lost.refresh_token));
    expect(await alive(lost.access_token)).toBe(false);
    expect(await alive(kept.access_token)).toBe(true);
    await granted(await refresh(server, kept.refresh_token));
  });

  test('a confidential client revokes with its credentials', async () => {
    const own = await webTokens();
    await accepted(await revoke(own.refresh_token, { client_id: 'WEB' }, as('WEB')));
    expect(await alive(own.access_token)).toBe(false);
  });

  test.each(['access_token', 'refresh_token', 'nonsense', ''])(
    'a wrong hint (%s) changes nothing',
    async (hint) => {
      const [one, two] = [await tokens(server), await tokens(server)];
      await accepted(await revoke(one.access_token, { token_type_hint: hint }));
      await accepted(await revoke(two.refresh_token, { token_type_hint: hint }));
      expect(await alive(one.access_token)).toBe(false);
      expect(await alive(two.access_token)).toBe(false);
    },
  );

  test('revoking twice is no error (§2.2)', async () => {
    const { refresh_token: token } = await tokens(server);
    await accepted(await revoke(token));
    await accepted(await revoke(token));
  });

  test('revocation is audited as token_revoked', async () => {
    const { access_token: access, refresh_token: token } = await tokens(server);
    await accepted(await revoke(token));
    const events = await server.db.kysely
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', 'token_revoked')
      .where('user_id', '=', String(decodeJwt(access).sub))
      .execute();
    expect(events.length).toBeGreaterThan(0);
  });
});

describe('§2.1 who may revoke', () => {
  test('a token of another client stays active, and the caller learns nothing (IN04)', async () => {
    const own = await webTokens();
    await accepted(await revoke(own.access_token, { client_id: 'WEB2' }, as('WEB2')));
    await accepted(await revoke(own.refresh_token, { client_id: 'WEB2' }, as('WEB2')));
    await accepted(await revoke(own.refresh_token));
    await accepted(await revoke(own.access_token, { client_id: 'RS1' }, as('RS1')));
    expect(await alive(own.access_token)).toBe(true);
    await granted(await refresh(server, own.refresh_token, { client_id: 'WEB' }, as('WEB')));
  });

  test.each([
    ['nobody', '', {}],
    ['an unknown client', 'NOBODY', {}],
    ['a confidential client without its secret', 'WEB', {}],
    ['a confidential client with a wrong secret', 'WEB', basic('WEB', 'wrong')],
  ])('%s is refused with 401 invalid_client', async (_who, id, headers) => {
    const own = await webTokens();
    const form = { token: own.refresh_token, ...(id ? { client_id: id } : {}) };
    const answer = await server.post('/oauth/revoke', form, headers);
    await refused(answer, 401, 'invalid_client');
    expect(await alive(own.access_token)).toBe(true);
  });
});

describe('§2.2 what is no token is accepted and does nothing (IN05)', () => {
  test.each([
    ['garbage', 'garbage'],
    ['dots', 'a.b.c'],
    ['five parts', 'a.b.c.d.e'],
    ['not ASCII', 'ключ🔑'],
    ['SQL', "' OR 1=1 --"],
    ['CRLF', 'a\r\nb'],
    ['1 MB', 'x'.repeat(1024 * 1024)],
    ['a JWT of 1 MB', `eyJhbGciOiJFUzI1NiJ9.${'e30'.repeat(350_000)}.x`],
  ])('%s', async (_what, token) => {
    const started = performance.now();
    await accepted(await revoke(token));
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('the jti of a token is no token', async () => {
    const { access_token: access } = await tokens(server);
    await accepted(await revoke(String(decodeJwt(access).jti)));
    expect(await alive(access)).toBe(true);
  });

  test('an unsigned or altered token revokes nothing', async () => {
    const { access_token: access } = await tokens(server);
    const [header = '', payload = '', signature = ''] = access.split('.');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    await accepted(await revoke(`${none}.${payload}.`));
    await accepted(await revoke(`${header}.${payload}.`));
    await accepted(await revoke(`${header}.${payload}.${signature.slice(0, -4)}AAAA`));
    expect(await alive(access)).toBe(true);
  });

  test('a code is not revoked', async () => {
    const flow = good();
    const value = await code(server, flow);
    await accepted(await revoke(value));
    await granted(await redeem(server, flow, value));
  });
});

test('a request without a token, or with two, is invalid_request', async () => {
  const bad: Record<string, string | string[]>[] = [{}, { token: '' }, { token: ['a', 'b'] }];
  for (const form of bad) {
    const answer = await server.post('/oauth/revoke', { client_id: 'PUB', ...form });
    await refused(answer, 400, 'invalid_request');
  }
});
