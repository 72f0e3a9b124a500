import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { granted, refused } from './answers.testing.ts';
import { authorize, code, good, redeem, refresh, tokens } from './flow.testing.ts';
import { rs1, rs2, startServer, type TestServer } from './server.testing.ts';

/** RFC 8707: Resource Indicators for OAuth 2.0. */

let server: TestServer;
let single: TestServer;
const alias = 'https://old.rs2.test/mcp';
beforeAll(async () => {
  server = await startServer();
  await server.db.kysely
    .updateTable('resources')
    .set({ aliases: [alias] })
    .where('uri', '=', rs2)
    .execute();
  await server.app.rooms.resources.reload();
  single = await startServer({ extra: `oauth: { default_resource: "${rs2}" }` });
});
afterAll(() => Promise.all([server.close(), single.close()]));

const audience = (token: string) => decodeJwt(token).aud;

/** An authorization that is refused with invalid_target, before or after the redirect. */
async function refusedTarget(resource: string | string[] | undefined, on = server) {
  const { answer, html, url } = await authorize(on, good({ resource }));
  expect(answer.get('code')).toBeNull();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:7777\/cb\?/);
  expect(answer.get('error')).toBe('invalid_target');
  expect(answer.get('state')).toBe('S1');
  expect(answer.get('iss')).toBe(on.url);
  expect(html).toBe('');
  return answer.get('error_description') ?? '';
}

describe('§2.1 the authorization request', () => {
  test('aud is exactly the requested resource, one text (RS01)', async () => {
    expect(audience((await tokens(server)).access_token)).toBe(rs1);
    const other = await tokens(server, good({ resource: rs2, scope: 'two:use' }));
    expect(audience(other.access_token)).toBe(rs2);
  });

  test.each([
    `${rs1}/`,
    'https://RS1.TEST/mcp',
    'HTTPS://rs1.test/mcp',
    'https://rs1.test:443/mcp',
    'HTTPS://RS1.test:443/mcp/',
  ])(
    'the spelling %s means the registered one, and aud stays canonical (RS08)',
    async (resource) => {
      const flow = good({ resource });
      const body = await granted(
        await redeem(server, flow, await code(server, flow), { resource }),
      );
      expect(audience(body.access_token)).toBe(rs1);
      const next = await granted(await refresh(server, body.refresh_token, { resource }));
      expect(audience(next.access_token)).toBe(rs1);
    },
  );

  test.each([
    'https://rs1.test/mcp//',
    'https://rs1.test/MCP',
    'https://rs1.test/mcp?x=1',
    'https://rs1.test/',
    'https://rs1.test',
    'http://rs1.test/mcp',
    'https://rs1.test:8443/mcp',
    'https://rs1.test/%6dcp',
    'https://rs1.test/x/../mcp',
    'https://rs1.test./mcp',
    'https://evil.test/mcp',
  ])('%s is another resource: invalid_target', async (resource) => {
    await refusedTarget(resource);
  });

  test.each([
    `${rs1}#fragment`,
    `${rs1}#`,
    'https://user@rs1.test/mcp',
    '/mcp',
    'rs1',
    'javascript:alert(1)',
    'https://',
    ' https://rs1.test/mcp',
    'https://rs1.test/mcp ',
    'https://rs1.test\\mcp',
  ])('%s MUST be an absolute URI without a fragment: invalid_target', async (resource) => {
    await refusedTarget(resource);
  });

  test('a registered alias means its resource', async () => {
    const flow = good({ resource: alias, scope: 'two:use' });
    const body = await granted(
      await redeem(server, flow, await code(server, flow), { resource: rs2 }),
    );
    expect(audience(body.access_token)).toBe(rs2);
    const next = await granted(await refresh(server, body.refresh_token, { resource: alias }));
    expect(audience(next.access_token)).toBe(rs2);
  });

  test('two resources are invalid_target: a token has one audience (RS04)', async () => {
    const said = await refusedTarget([rs1, rs2]);
    expect(said).toMatch(/one resource/);
    await refusedTarget([rs1, 'https://evil.test/mcp']);
  });

  test('one resource twice, in any spelling, is one resource', async () => {
    const flow = good({ resource: [rs1, `${rs1}/`, 'https://RS1.test/mcp'] });
    const body = await granted(await redeem(server, flow, await code(server, flow)));
    expect(audience(body.access_token)).toBe(rs1);
  });

  test('without a resource the answer lists what to send', async () => {
    const said = await refusedTarget(undefined);
    expect(said).toContain(rs1);
    expect(said).toContain(rs2);
    await refusedTarget('');
  });

  test('without a resource oauth.default_resource is meant', async () => {
    for (const resource of [undefined, '']) {
      const flow = good({ resource, scope: 'two:use' });
      const body = await granted(await redeem(single, flow, await code(single, flow)));
      expect(audience(body.access_token)).toBe(rs2);
    }
  });

  test('without a resource the only enabled one is meant', async () => {
    const only = await startServer();
    try {
      await only.db.kysely
        .updateTable('resources')
        .set({ enabled: false })
        .where('uri', '=', rs2)
        .execute();
      await only.app.rooms.resources.reload();
      const flow = good({ resource: undefined });
      const body = await granted(await redeem(only, flow, await code(only, flow)));
      expect(audience(body.access_token)).toBe(rs1);
      await refusedTarget(rs2, only);
    } finally {
      await only.close();
    }
  });

  test('a scope of another resource is not granted (RS07)', async () => {
    const { answer } = await authorize(server, good({ scope: 'two:use' }));
    expect(answer.get('error')).toBe('invalid_scope');
    const body = await tokens(server, good({ scope: 'mcp:read two:use' }));
    expect(body.scope).toBe('mcp:read');
    expect(decodeJwt(body.access_token).scope).toBe('mcp:read');
  });
});

describe('§2.2 the token request', () => {
  test.each([rs2, 'https://evil.test/mcp', '/mcp', `${rs1}#x`, [rs1, rs2], [rs2, rs1]])(
    'the code is not redeemed for %s: invalid_target, and nothing is consumed (RS03)',
    async (resource) => {
      const flow = good();
      const value = await code(server, flow);
      const answer = await server.post('/oauth/token', {
        grant_type: 'authorization_code',
        code: value,
        redirect_uri: String(flow.params.redirect_uri),
        client_id: 'PUB',
        code_verifier: flow.verifier,
        resource,
      });
      await refused(answer, 400, 'invalid_target');
      const body = await granted(await redeem(server, flow, value, { resource: rs1 }));
      expect(audience(body.access_token)).toBe(rs1);
    },
  );

  test.each([rs2, 'https://evil.test/mcp', '/mcp', `${rs1}#x`, [rs1, rs2], [rs2, rs1]])(
    'a refresh token is not refreshed for %s: invalid_target, and nothing is consumed',
    async (resource) => {
      const { refresh_token: token, access_token: access } = await tokens(server);
      const answer = await server.post('/oauth/token', {
        grant_type: 'refresh_token',
        refresh_token: token,
        client_id: 'PUB',
        resource,
      });
      await refused(answer, 400, 'invalid_target');
      const rows = await server.db.kysely
        .selectFrom('issuances')
        .select('family_id')
        .where('jti', '=', String(decodeJwt(access).jti))
        .execute();
      const [{ family_id: family } = { family_id: '' }] = rows;
      const used = await server.db.kysely
        .selectFrom('artifacts')
        .select('id')
        .where('family_id', '=', family)
        .where('kind', '=', 'RefreshToken')
        .where('consumed_at', 'is not', null)
        .execute();
      expect(used).toEqual([]);
      const next = await granted(await refresh(server, token));
      expect(audience(next.access_token)).toBe(rs1);
    },
  );

  test.each([undefined, ''])(
    'without a resource (%s) the granted one is meant',
    async (resource) => {
      const flow = good({ resource: rs2, scope: 'two:use' });
      const more: Record<string, string> = resource === undefined ? {} : { resource };
      const body = await granted(await redeem(server, flow, await code(server, flow), more));
      expect(audience(body.access_token)).toBe(rs2);
      const next = await granted(await refresh(server, body.refresh_token, more));
      expect(audience(next.access_token)).toBe(rs2);
    },
  );

  test('a token that names default_resource by nothing keeps the audience that it was granted', async () => {
    const flow = good();
    const body = await granted(await redeem(single, flow, await code(single, flow)));
    expect(audience(body.access_token)).toBe(rs1);
    const next = await granted(await refresh(single, body.refresh_token));
    expect(audience(next.access_token)).toBe(rs1);
  });

  test('a disabled resource gets no more tokens, and the refresh token can be used once it is back', async () => {
    const { refresh_token: token } = await tokens(server);
    const set = async (enabled: boolean) => {
      await server.db.kysely
        .updateTable('resources')
        .set({ enabled })
        .where('uri', '=', rs1)
        .execute();
      await server.app.rooms.resources.reload();
    };
    await set(false);
    try {
      const answer = await refresh(server, token);
      expect(answer.status).toBe(400);
    } finally {
      await set(true);
    }
    await granted(await refresh(server, token));
  });
});
