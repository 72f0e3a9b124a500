import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../db/database.testing.ts';
import { basic, granted, refused } from './answers.testing.ts';
import { createProver } from './dpop.testing.ts';
import { rs1, rs2, startServer, type TestServer, webSecret } from './server.testing.ts';
import { ofRequests } from './statements.testing.ts';

/** RFC 6749 §4.4 with the rules of our resources: machines, on their own behalf. */

const opaque = 'https://opaque.test/mcp';
const bound = 'https://bound.test/mcp';
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const statements: string[] = [];
let server: TestServer;
beforeAll(async () => {
  const jwk = { ...(await exportJWK(publicKey)), kid: 'm1' };
  server = await startServer({
    db: await testDatabase({ onQuery: ({ name }) => statements.push(name) }),
    resources: `
  - { slug: opaque, uri: "${opaque}", token_format: opaque, token_prefix: op, access_ttl: 5m, scopes: [{ name: "op:use" }] }
  - { slug: bound, uri: "${bound}", dpop: required, scopes: [{ name: "b:use" }] }`,
  });
  await server.app.scheduler.stop(); // its statements would be counted too
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  const machine = { grant_types: ['client_credentials'] };
  const create = (body: { client_id: string } & Record<string, unknown>) =>
    server.app.rooms.clients.create({ ...machine, ...body }, 'cli', by);
  const secret = { client_secret: webSecret, token_endpoint_auth_method: 'client_secret_basic' };
  await create({ client_id: 'BOT', ...secret });
  await create({ client_id: 'POST', ...secret, token_endpoint_auth_method: 'client_secret_post' });
  await create({ client_id: 'CUT', ...secret, scope: 'mcp:read', resources: [rs1] });
  await create({ client_id: 'DPOP', ...secret, dpop_bound_access_tokens: true });
  const signs = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } };
  await create({ client_id: 'SIGNS', ...signs });
});
afterAll(() => server.close());

const as = (client: string) => basic(client, webSecret);

function ask(
  form: Record<string, string | string[]> = {},
  headers: Record<string, string> = as('BOT'),
) {
  return server.post(
    '/oauth/token',
    { grant_type: 'client_credentials', resource: rs1, ...form },
    headers,
  );
}

function assertion(changes: Record<string, unknown> = {}) {
  const now = Math.floor(Date.now() / 1000);
  const who = { iss: 'SIGNS', sub: 'SIGNS', aud: server.url, jti: randomUUID() };
  return new SignJWT({ ...who, iat: now, exp: now + 60, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid: 'm1' })
    .sign(privateKey);
}

/** No client_id beside it: the assertion says who signed. */
const presenting = (client_assertion: string) => ({
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  client_assertion,
});

async function introspected(token: string, client = 'BOT') {
  const answer = await server.post('/oauth/introspect', { token }, as(client));
  const body: Record<string, unknown> = JSON.parse(await answer.text());
  return body;
}

function lastEvent(type: string) {
  return server.db.kysely
    .selectFrom('audit_events')
    .select(['client_id', 'detail'])
    .where('type', '=', type)
    .orderBy('id', 'desc')
    .executeTakeFirst();
}

describe('how a machine authenticates', () => {
  test('client_secret_basic, client_secret_post and private_key_jwt MUST each do', async () => {
    await granted(await ask());
    await granted(await ask({ client_id: 'POST', client_secret: webSecret }, {}));
    await granted(await ask(presenting(await assertion()), {}));
  });

  test('aud of an assertion MUST be the issuer or the token URL, and its jti is good once', async () => {
    const once = presenting(await assertion({ aud: `${server.url}/oauth/token` }));
    await granted(await ask(once, {}));
    await refused(await ask(once, {}), 401, 'invalid_client');
    expect(await lastEvent('client_assertion_reused')).toMatchObject({ client_id: 'SIGNS' });
    const asking = { ...once, scope: 'nothing-known' }; // what else is wrong is told to nobody
    await refused(await ask(asking, {}), 401, 'invalid_client');
    const other = presenting(await assertion({ aud: 'https://other.test' }));
    await refused(await ask(other, {}), 401, 'invalid_client');
  });

  test('a wrong secret, a public client and an unknown one MUST be refused (CA01, CA05)', async () => {
    await refused(await ask({}, basic('BOT', 'wrong')), 401, 'invalid_client');
    await refused(await ask({}, {}), 401, 'invalid_client');
    await refused(await ask({ client_id: 'NOBODY' }, {}), 401, 'invalid_client');
    await refused(await ask({ client_id: 'BOT' }, {}), 401, 'invalid_client');
    await refused(await ask({ client_id: 'PUB' }, {}), 400, 'unauthorized_client');
  });

  test('a client without the grant MUST be refused, also a self-registered one (engine row 18)', async () => {
    await refused(await ask({}, as('WEB')), 400, 'unauthorized_client');
    const registration = await fetch(`${server.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: ['https://app.test/cb'],
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['authorization_code', 'client_credentials'],
      }),
    });
    const dcr: { client_id: string; client_secret: string } = JSON.parse(await registration.text());
    const headers = basic(dcr.client_id, dcr.client_secret);
    await refused(await ask({}, headers), 400, 'unauthorized_client');
  });
});

describe('what it gets', () => {
  test('a JWT that is about the client itself, recorded, without a refresh token', async () => {
    const answer = await granted(await ask());
    expect(answer).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'mcp:read',
    });
    const claims = decodeJwt(answer.access_token);
    expect(decodeProtectedHeader(answer.access_token).typ).toBe('at+jwt');
    expect(claims).toMatchObject({ sub: 'BOT', client_id: 'BOT', aud: rs1, scope: 'mcp:read' });
    const record = await server.db.kysely
      .selectFrom('issuances')
      .selectAll()
      .where('jti', '=', String(claims.jti))
      .executeTakeFirstOrThrow();
    expect(record).toMatchObject({
      sub: 'BOT',
      client_id: 'BOT',
      resource: rs1,
      grant_type: 'client_credentials',
      token_type: 'Bearer',
      parent_jti: null,
      root_jti: claims.jti,
    });
  });

  test('an opaque token lives as long as access_ttl of its resource, which caps machine_ttl', async () => {
    const answer = await granted(await ask({ resource: opaque }));
    expect(answer.access_token).toMatch(/^op_oat_[0-9A-Za-z]{49}$/);
    expect(answer).toMatchObject({ expires_in: 300, scope: 'op:use' });
    expect(await introspected(answer.access_token)).toMatchObject({
      active: true,
      sub: 'BOT',
      client_id: 'BOT',
      aud: opaque,
      token_type: 'Bearer',
    });
  });

  test('introspection of a JWT says the same to its client and to its resource server', async () => {
    const { access_token: token } = await granted(await ask());
    const own = await introspected(token);
    expect(own).toMatchObject({ active: true, sub: 'BOT', client_id: 'BOT', aud: rs1 });
    expect(own.username).toBeUndefined();
    expect(await introspected(token, 'RS1')).toEqual(own);
    expect(await introspected(token, 'WEB2')).toEqual({ active: false });
  });

  test('a DPoP proof binds it; a client or a resource that demands one MUST get one', async () => {
    const prover = await createProver('EdDSA');
    const proof = () => prover.headers(`${server.url}/oauth/token`);
    const answer = await granted(await ask({}, { ...as('BOT'), ...(await proof()) }));
    expect(answer.token_type).toBe('DPoP');
    expect(decodeJwt(answer.access_token).cnf).toEqual({ jkt: prover.jkt });
    expect((await introspected(answer.access_token)).cnf).toEqual({ jkt: prover.jkt });
    await refused(await ask({ resource: bound }), 400, 'invalid_dpop_proof');
    await granted(await ask({ resource: bound }, { ...as('BOT'), ...(await proof()) }));
    await refused(await ask({}, as('DPOP')), 400, 'invalid_grant');
    await granted(await ask({}, { ...as('DPOP'), ...(await proof()) }));
  });

  test('a DPoP proof is good for one token only', async () => {
    const prover = await createProver();
    const headers = { ...as('BOT'), ...(await prover.headers(`${server.url}/oauth/token`)) };
    await granted(await ask({}, headers));
    await refused(await ask({}, headers), 400, 'invalid_dpop_proof');
    expect(await lastEvent('dpop_proof_reused')).toEqual({
      client_id: 'BOT',
      detail: { jkt: prover.jkt, endpoint: 'token' },
    });
  });
});

describe('scope is what was asked, cut by the client and by the resource', () => {
  test.each([
    ['none asked: the defaults', {}, 'BOT', 'mcp:read'],
    ['all asked', { scope: 'mcp:read mcp:write' }, 'BOT', 'mcp:read mcp:write'],
    ['unknown ones are dropped', { scope: 'mcp:read nonsense two:use' }, 'BOT', 'mcp:read'],
    ['the ceiling of the client holds', { scope: 'mcp:read mcp:write' }, 'CUT', 'mcp:read'],
    ['offline_access means nothing', { scope: 'offline_access mcp:write' }, 'BOT', 'mcp:write'],
  ])('%s', async (_name, form, client, scope) => {
    expect((await granted(await ask(form, as(client)))).scope).toBe(scope);
  });

  test('nothing left MUST be invalid_scope (§5.2)', async () => {
    await refused(await ask({ scope: 'two:use' }), 400, 'invalid_scope');
    await refused(await ask({ scope: 'mcp:write' }, as('CUT')), 400, 'invalid_scope');
  });
});

describe('resource (RFC 8707)', () => {
  test('missing where there are several, unknown, two of them, or not for this client: invalid_target', async () => {
    await refused(await ask({ resource: '' }), 400, 'invalid_target');
    await refused(await ask({ resource: 'https://evil.test' }), 400, 'invalid_target');
    await refused(await ask({ resource: [rs1, rs2] }), 400, 'invalid_target');
    await refused(await ask({ resource: rs2 }, as('CUT')), 400, 'invalid_target');
  });

  test('another spelling means the same, and aud is the registered one', async () => {
    const answer = await granted(await ask({ resource: 'HTTPS://RS1.test:443/mcp/' }));
    expect(decodeJwt(answer.access_token).aud).toBe(rs1);
  });
});

describe('its end', () => {
  test('RFC 7009: revoked by its client it is inactive; by another client it stays', async () => {
    const { access_token: token } = await granted(await ask());
    await server.post('/oauth/revoke', { token }, as('WEB2'));
    expect((await introspected(token)).active).toBe(true);
    expect((await server.post('/oauth/revoke', { token }, as('BOT'))).status).toBe(200);
    expect(await introspected(token, 'RS1')).toEqual({ active: false });
  });

  test('a suspended client gets none, and those it has are inactive', async () => {
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
    const { access_token: token } = await granted(await ask({}, as('CUT')));
    await server.app.rooms.clients.suspend('CUT', by);
    await refused(await ask({}, as('CUT')), 401, 'invalid_client');
    expect(await introspected(token, 'RS1')).toEqual({ active: false });
  });
});

test('it MUST cost at most one round trip to the database', async () => {
  await granted(await ask());
  statements.length = 0;
  await granted(await ask());
  expect(ofRequests(statements)).toEqual(['authserver_commit_issuance']);
});

test('switched off, the grant is neither advertised nor served', async () => {
  const without = await startServer({ extra: 'client_credentials: { enabled: false }' });
  try {
    const metadata = await fetch(`${without.url}/.well-known/oauth-authorization-server`);
    const body: { grant_types_supported: string[] } = JSON.parse(await metadata.text());
    expect(body.grant_types_supported).not.toContain('client_credentials');
    const form = { grant_type: 'client_credentials', resource: rs1 };
    const answer = await without.post('/oauth/token', form, as('RS1'));
    await refused(answer, 400, 'unsupported_grant_type');
  } finally {
    await without.close();
  }
});
