import { randomUUID } from 'node:crypto';
import { exportSPKI, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, refused } from './answers.testing.ts';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { createProver, seconds } from './dpop.testing.ts';
import { tokens } from './flow.testing.ts';
import { type Claims, type Idp, idpKey, startIdp } from './id-jag-idp.testing.ts';
import { alice, rs1, rs2, startServer, type TestServer, webSecret } from './server.testing.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const cimd = 'https://client.test/client.json';

let host: DocumentHost;
let idp: Idp;
let strict: Idp;
let server: TestServer;
beforeAll(async () => {
  host = await startDocumentHost(['idp.test', 'strict.test', 'client.test']);
  idp = await startIdp(host, { issuer: 'https://idp.test' });
  strict = await startIdp(host, {
    issuer: 'https://strict.test/tenant',
    metadataAt: 'https://strict.test/.well-known/oauth-authorization-server/tenant',
  });
  host.serve(cimd, document(cimd));
  server = await startServer({
    fetch: host.fetch,
    extra: `
trusted_issuers:
  - { issuer: "${idp.issuer}" }
  - { issuer: "${strict.issuer}", subject: strict, clients: [XAA], resources: ["${rs1}/"], scopes: ["mcp:read"] }
  - { issuer: "https://down.test" }`,
  });
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  const { create } = server.app.rooms.clients;
  const common = { grant_types: [jwtBearer], client_secret: webSecret, redirect_uris: [] };
  const method = { token_endpoint_auth_method: 'client_secret_basic' };
  for (const client_id of ['XAA', 'XAA2'])
    await create({ client_id, ...common, ...method }, 'cli', by);
  await create(
    { client_id: 'READER', ...common, ...method, scope: 'mcp:read', resources: [rs1] },
    'cli',
    by,
  );
});
afterAll(async () => {
  await server?.close();
  await host?.close();
});

function document(client_id: string, changes: Record<string, unknown> = {}) {
  const redirect_uris = ['http://127.0.0.1/cb'];
  const grant_types = ['authorization_code', jwtBearer];
  return { client_id, client_name: 'Desktop', redirect_uris, grant_types, ...changes };
}

/** The claims of a good assertion, with changes; undefined removes one. */
function claims(changes: Claims = {}): Claims {
  return {
    ...{ iss: idp.issuer, sub: 'U-1', aud: server.url, client_id: 'XAA', resource: rs1 },
    ...{ scope: 'mcp:read', jti: randomUUID(), iat: seconds(), exp: seconds() + 300 },
    ...changes,
  };
}

function present(
  assertion: string,
  {
    form = {},
    client = 'XAA',
    headers = {},
  }: {
    form?: Record<string, string | string[]>;
    client?: string;
    headers?: Record<string, string>;
  } = {},
) {
  const body = { grant_type: jwtBearer, assertion, ...form };
  return server.post('/oauth/token', body, { ...basic(client, webSecret), ...headers });
}

async function introspect(token: string): Promise<Record<string, unknown>> {
  const answer = await server.post('/oauth/introspect', { token }, basic('RS1', webSecret));
  return JSON.parse(await answer.text());
}

/** The detail of the newest refusal in the audit log. */
async function lastRefusal(): Promise<Record<string, unknown>> {
  const { detail } = await server.db.kysely
    .selectFrom('audit_events')
    .select('detail')
    .where('type', '=', 'assertion_refused')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  return detail;
}

/** One sentence for whatever is wrong; the reason is in the audit log and in the log. */
async function mustRefuse(
  assertion: string,
  reason: string,
  options?: Parameters<typeof present>[1],
) {
  const { error_description, trace_id } = await refused(
    await present(assertion, options),
    400,
    'invalid_grant',
  );
  expect(error_description).toMatch(/^The identity assertion was not accepted\. Ask .*trace id\.$/);
  expect(await lastRefusal()).toMatchObject({ reason });
  const line = server
    .logged()
    .split('\n')
    .find((one) => one.includes(String(trace_id)) && one.includes('refused'));
  expect(line).toContain(`"reason":"${reason}"`);
}

describe('an identity assertion (ID-JAG draft §4.4)', () => {
  test('from an identity provider buys a token for its person, client, resource and scope', async () => {
    const asked = { subject: 'U-42', client_id: 'XAA', audience: server.url, resource: rs1 };
    const assertion = await idp.idJag({ ...asked, scope: 'mcp:write' });
    const answer = await granted(await present(assertion));
    expect(answer).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'mcp:write',
    });
    expect(await introspect(answer.access_token)).toMatchObject({
      ...{ active: true, aud: rs1, client_id: 'XAA', scope: 'mcp:write' },
      sub: expect.stringMatching(/^usr_/),
      username: 'idp.test|U-42',
    });
  });

  test('MUST NOT buy a refresh token, also where offline_access is asked for', async () => {
    const assertion = await idp.sign(claims({ scope: 'mcp:read offline_access' }));
    const answer = await granted(await present(assertion, { form: { scope: 'offline_access' } }));
    expect(answer.refresh_token).toBeUndefined();
    expect(answer.scope).toBe('mcp:read');
  });

  test('the same subject is the same person, another one another', async () => {
    const who = async (sub: string) => {
      const { access_token } = await granted(await present(await idp.sign(claims({ sub }))));
      return (await introspect(access_token)).sub;
    };
    const [one, again, other] = [await who('U-7'), await who('U-7'), await who('u-7')];
    expect(one).toBe(again);
    expect(one).not.toBe(other);
  });

  const rows: [string, string, () => Claims, Record<string, unknown>?][] = [
    ['of the type JWT', 'type', claims, { typ: 'JWT' }],
    ['of the type of our tokens', 'type', claims, { typ: 'at+jwt' }],
    ['without a type', 'type', claims, { typ: undefined }],
    ['whose type only begins so', 'type', claims, { typ: 'oauth-id-jag+jwt2' }],
    ['without an issuer', 'issuer', () => claims({ iss: undefined })],
    ['of an unknown issuer', 'issuer', () => claims({ iss: 'https://evil.test' })],
    ['of the issuer with a slash', 'issuer', () => claims({ iss: `${idp.issuer}/` })],
    ['of ourselves', 'issuer', () => claims({ iss: server.url })],
    [
      'of an issuer that is not reached',
      'keys_unavailable',
      () => claims({ iss: 'https://down.test' }),
    ],
    ['without an audience', 'audience', () => claims({ aud: undefined })],
    ['for another server', 'audience', () => claims({ aud: 'https://other.test' })],
    ['for our token endpoint', 'audience', () => claims({ aud: `${server.url}/oauth/token` })],
    ['for us with a slash', 'audience', () => claims({ aud: `${server.url}/` })],
    ['for us and another', 'audience', () => claims({ aud: [server.url, 'https://other.test'] })],
    ['for the resource', 'audience', () => claims({ aud: rs1 })],
    ['without a client', 'client', () => claims({ client_id: undefined })],
    ['for another client', 'client', () => claims({ client_id: 'XAA2' })],
    ['for two clients', 'client', () => claims({ client_id: ['XAA', 'XAA2'] })],
    ['without a subject', 'subject', () => claims({ sub: undefined })],
    ['with an empty subject', 'subject', () => claims({ sub: '' })],
    ['with a number as subject', 'subject', () => claims({ sub: 7 })],
    ['with a NUL in the subject', 'subject', () => claims({ sub: 'a\0b' })],
    ['with a huge subject', 'subject', () => claims({ sub: 'x'.repeat(256) })],
    ['of a tenant of a shared issuer', 'tenant', () => claims({ tenant: 't1' })],
    [
      'narrowed in words that we do not know',
      'unsupported_claim',
      () => claims({ authorization_details: [] }),
    ],
    [
      'for somebody who acts for another',
      'unsupported_claim',
      () => claims({ act: { sub: 'bot' } }),
    ],
    ['without an end', 'expired', () => claims({ exp: undefined })],
    ['whose end is a text', 'expired', () => claims({ exp: String(seconds() + 60) })],
    ['that has ended', 'expired', () => claims({ iat: seconds() - 60, exp: seconds() - 6 })],
    ['that lives for a day', 'lifetime', () => claims({ exp: seconds() + 86_400 })],
    [
      'that lives for two hours, one of them over',
      'lifetime',
      () => claims({ iat: seconds() - 3700 }),
    ],
    ['without a beginning', 'not_yet_valid', () => claims({ iat: undefined })],
    ['made in the future', 'not_yet_valid', () => claims({ iat: seconds() + 60 })],
    ['not good yet', 'not_yet_valid', () => claims({ nbf: seconds() + 60 })],
    ['without an id', 'jti', () => claims({ jti: undefined })],
    ['with an empty id', 'jti', () => claims({ jti: '' })],
    ['with a list as id', 'jti', () => claims({ jti: ['x'] })],
    ['with an endless id', 'jti', () => claims({ jti: 'x'.repeat(1025) })],
    ['for no resource', 'resource', () => claims({ resource: undefined })],
    ['for an unknown resource', 'resource', () => claims({ resource: 'https://evil.test/mcp' })],
    ['for two resources', 'resource', () => claims({ resource: [rs1, rs2] })],
    ['whose resource is an object', 'resource', () => claims({ resource: { uri: rs1 } })],
    ['whose scope is a list', 'scope', () => claims({ scope: ['mcp:read'] })],
    ['for scopes of another resource', 'scope', () => claims({ scope: 'two:use' })],
    ['bound to what is no key', 'key_binding', () => claims({ cnf: { jkt: 7 } })],
    ['bound to a certificate', 'key_binding', () => claims({ cnf: { 'x5t#S256': 'x' } })],
    [
      'with a critical header that we do not know',
      'signature',
      claims,
      { crit: ['exp2'], exp2: 1 },
    ],
  ];
  test.each(rows)(
    '%s MUST be refused as invalid_grant (%s)',
    async (_what, reason, make, header) => {
      await mustRefuse(await idp.sign(make(), header), reason);
    },
  );

  test.each([
    ['in other letters', 'OAuth-ID-JAG+JWT'],
    ['in full', 'application/oauth-id-jag+jwt'],
  ])('is accepted with its media type %s (RFC 7515 §4.1.9)', async (_how, typ) => {
    await granted(await present(await idp.sign(claims(), { typ })));
  });

  test.each([
    ['a list of us alone', () => ({ aud: [server.url] })],
    ['a list of one resource', () => ({ resource: [rs1] })],
    ['another spelling of the resource', () => ({ resource: 'HTTPS://RS1.test:443/mcp/' })],
    ['a clock that is ahead by ten seconds', () => ({ iat: seconds() + 10, nbf: seconds() + 10 })],
    ['an end in fractions of a second', () => ({ exp: seconds() + 60.5 })],
  ])('is accepted with %s', async (_what, changes) => {
    const { access_token } = await granted(await present(await idp.sign(claims(changes()))));
    expect(await introspect(access_token)).toMatchObject({ active: true, aud: rs1 });
  });
});

describe('an assertion that is bound to a DPoP key (ID-JAG draft §8.6)', () => {
  test('buys a token that is bound to that key', async () => {
    const prover = await createProver();
    const assertion = await idp.sign(now(claims({ cnf: { jkt: prover.jkt } })));
    await mustRefuse(assertion, 'proof');
    const url = `${server.url}/oauth/token`;
    await mustRefuse(assertion, 'proof', { headers: await (await createProver()).headers(url) });
    const answer = await granted(await present(assertion, { headers: await prover.headers(url) }));
    expect(answer.token_type).toBe('DPoP');
    expect(await introspect(answer.access_token)).toMatchObject({ cnf: { jkt: prover.jkt } });
  });

  test('without cnf, a proof binds the token all the same', async () => {
    const prover = await createProver();
    const headers = await prover.headers(`${server.url}/oauth/token`);
    const answer = await granted(await present(await idp.sign(now(claims())), { headers }));
    expect(answer.token_type).toBe('DPoP');
  });
});

test('a request without an assertion MUST be invalid_request, and says what is missing', async () => {
  const { error_description } = await refused(await present(''), 400, 'invalid_request');
  expect(error_description).toMatch(/^assertion is missing/);
});

describe('the signature of an assertion', () => {
  const good = () => idp.sign(claims());

  async function byPublicKey() {
    const secret = new TextEncoder().encode(await exportSPKI(idp.key.publicKey));
    const header = { alg: 'HS256', kid: 'idp-1', typ: 'oauth-id-jag+jwt' };
    return new SignJWT(claims()).setProtectedHeader(header).sign(secret);
  }

  test.each<[string, string, () => Promise<string>]>([
    ['garbage', 'malformed', async () => 'x'],
    ['garbage in three parts', 'malformed', async () => 'x.y.z'],
    ['one without a signature', 'malformed', async () => (await good()).replace(/[^.]+$/, '')],
    ['one without its last part', 'malformed', async () => (await good()).replace(/\.[^.]+$/, '')],
    ['one of five parts', 'malformed', async () => `${await good()}.x.y`],
    ['one with a space', 'malformed', async () => `${await good()} `],
    ['one of 1 MB', 'malformed', async () => `${await good()}${'A'.repeat(1024 * 1024)}`],
    ['one of 10 kB', 'malformed', () => idp.sign(claims({ x: 'x'.repeat(10_000) }))],
    ['a truncated one', 'signature', async () => (await good()).slice(0, -4)],
    ['a changed one', 'signature', async () => swapPayload(await good(), claims({ sub: 'U-2' }))],
    ['alg none', 'algorithm', async () => unsigned()],
    ['HMAC with the public key', 'algorithm', byPublicKey],
    ['the key of another issuer', 'signature', async () => idp.sign(claims(), {}, strict.key)],
    ['another trusted issuer’s name', 'signature', () => idp.sign(claims({ iss: strict.issuer }))],
    ['an unknown kid', 'key_unknown', () => idp.sign(claims(), { kid: 'nope' })],
    ['a kid that is a path', 'key_unknown', () => idp.sign(claims(), { kid: '../../etc/passwd' })],
    ['a key of its own', 'signature', async () => withOwnKey()],
  ])('of %s MUST be refused (%s)', async (_what, reason, make) => {
    await mustRefuse(await make(), reason);
  });

  function unsigned(): string {
    const payload = Buffer.from(JSON.stringify(claims())).toString('base64url');
    const header = { alg: 'none', typ: 'oauth-id-jag+jwt' };
    return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.AA`;
  }

  async function withOwnKey() {
    const own = await idpKey('idp-1');
    const jwks = 'https://client.test/evil-keys';
    return idp.sign(claims(), { jwk: own.jwk, jku: jwks, x5u: jwks }, own);
  }

  function swapPayload(jwt: string, payload: Claims): string {
    const [header, , signature] = jwt.split('.');
    return `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`;
  }

  test('an unsecured JWT MUST be refused', async () => {
    await mustRefuse(new UnsecuredJWT(claims()).encode(), 'malformed');
  });

  test('an access token of ours, an ID token and a client assertion MUST be refused', async () => {
    const { access_token } = await tokens(server);
    await mustRefuse(access_token, 'type');
    const idToken = await idp.sign(claims({ aud: 'XAA' }), { typ: 'JWT' });
    await mustRefuse(idToken, 'type');
    const clientAssertion = await idp.sign(
      claims({ iss: 'XAA', sub: 'XAA', resource: undefined }),
      { typ: 'client-authentication+jwt' },
    );
    await mustRefuse(clientAssertion, 'type');
  });

  test('an assertion is no client assertion', async () => {
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const body = { grant_type: jwtBearer, assertion: await good(), client_id: 'XAA' };
    const form = { ...body, client_assertion_type, client_assertion: await good() };
    await refused(await server.post('/oauth/token', form), 401, 'invalid_client');
  });
});

describe('an assertion is used once', () => {
  test('a second use MUST be refused, and a refused one is not used up', async () => {
    const assertion = await idp.sign(now(claims()));
    await mustRefuse(assertion, 'client', { client: 'XAA2' });
    const wrong = await present(assertion, { form: { resource: rs2 } });
    await refused(wrong, 400, 'invalid_target');
    await granted(await present(assertion));
    await mustRefuse(assertion, 'replayed');
    server.advance(200);
    await mustRefuse(assertion, 'replayed');
  });

  test('another issuer may use the same jti', async () => {
    const jti = randomUUID();
    await granted(await present(await idp.sign(now(claims({ jti })))));
    await link('S-JTI');
    const other = claims({ jti, iss: strict.issuer, sub: 'S-JTI' });
    await granted(await present(await strict.sign(now(other))));
  });

  test('of 10 parallel uses exactly one MUST be accepted, and one person made', async () => {
    const assertion = await idp.sign(now(claims({ sub: 'U-PARALLEL' })));
    const answers = await Promise.all(Array.from({ length: 10 }, () => present(assertion)));
    const accepted = answers.filter(({ status }) => status === 200);
    expect(accepted).toHaveLength(1);
    for (const answer of answers)
      if (answer.status !== 200) await refused(answer, 400, 'invalid_grant');
    const people = await server.db.kysely
      .selectFrom('users')
      .select('id')
      .where('email', 'like', '%U-PARALLEL')
      .execute();
    expect(people).toHaveLength(1);
  });
});

/** Dated by the clock of the server. */
function now(payload: Claims): Claims {
  const iat = Math.floor(server.now().getTime() / 1000);
  return { ...payload, iat, exp: iat + 300 };
}

function alicesId() {
  return server.db.kysely
    .selectFrom('users')
    .select('id')
    .where('email', '=', alice.email)
    .executeTakeFirstOrThrow();
}

async function link(subject: string) {
  const { id } = await alicesId();
  const key = { issuer: strict.issuer, subject };
  await server.app.rooms.accounts.identities.link(id, key, { at: server.now() });
}

describe('who a subject is', () => {
  test('strict: an unknown subject MUST be refused, a linked one is its person', async () => {
    const assertion = (sub: string) => strict.sign(now(claims({ iss: strict.issuer, sub })));
    await mustRefuse(await assertion('S-1'), 'subject_unknown');
    expect(await lastRefusal()).toMatchObject({ subject: 'S-1', verified: true });
    await link('S-1');
    const { access_token } = await granted(await present(await assertion('S-1')));
    expect(await introspect(access_token)).toMatchObject({
      sub: (await alicesId()).id,
      username: alice.email,
    });
  });

  test('MUST NOT be found by an e-mail address', async () => {
    const assertion = await idp.sign(now(claims({ sub: 'U-MALLORY', email: alice.email })));
    const { access_token } = await granted(await present(assertion));
    const { sub, username } = await introspect(access_token);
    expect(sub).not.toBe((await alicesId()).id);
    expect(username).toBe('idp.test|U-MALLORY');
  });

  test('automatic: takes a free address over, and makes the account only once', async () => {
    const email = 'grace@corp.test';
    const assertion = () => idp.sign(now(claims({ sub: 'U-GRACE', email, name: 'Grace' })));
    for (let n = 0; n < 2; n += 1) {
      const { access_token } = await granted(await present(await assertion()));
      expect(await introspect(access_token)).toMatchObject({ username: email });
    }
    const made = await server.db.kysely
      .selectFrom('audit_events')
      .select(['type', 'actor_kind', 'actor_id'])
      .where('type', 'in', ['user_created', 'identity_linked'])
      .where((where) => where(where.ref('detail', '->>').key('source'), '=', 'issuer'))
      .where('user_id', '=', (select) =>
        select.selectFrom('users').select('id').where('email', '=', email),
      )
      .orderBy('id')
      .execute();
    const actor = { actor_kind: 'client', actor_id: 'XAA' };
    expect(made).toEqual([
      { type: 'user_created', ...actor },
      { type: 'identity_linked', ...actor },
    ]);
  });

  test('a disabled person MUST be refused, and their token is inactive for good', async () => {
    const assertion = () => idp.sign(now(claims({ sub: 'U-LEFT' })));
    const { access_token } = await granted(await present(await assertion()));
    const { sub } = await introspect(access_token);
    await server.app.rooms.accounts.disable(String(sub), { at: server.now() });
    expect(await introspect(access_token)).toEqual({ active: false });
    await mustRefuse(await assertion(), 'user_disabled');
    await server.app.rooms.accounts.enable(String(sub), { at: server.now() });
    await granted(await present(await assertion()));
    expect(await introspect(access_token)).toEqual({ active: false });
  });
});

describe('what an assertion may buy', () => {
  const of = (changes: Claims) => idp.sign(now(claims(changes)));

  test.each<[string, Claims, Record<string, string>, string]>([
    ['the scope of the assertion', { scope: 'mcp:write' }, {}, 'mcp:write'],
    ['the defaults where it has none', { scope: undefined }, {}, 'mcp:read'],
    ['the defaults where it has only openid', { scope: 'openid email' }, {}, 'mcp:read'],
    ['what is known of it', { scope: 'mcp:read other' }, {}, 'mcp:read'],
    [
      'what the request asks of it',
      { scope: 'mcp:read mcp:write' },
      { scope: 'mcp:read' },
      'mcp:read',
    ],
    ['what it implies', { scope: 'mcp:write' }, { scope: 'mcp:read' }, 'mcp:read'],
    ['no more than it has', { scope: 'mcp:read' }, { scope: 'mcp:read mcp:write' }, 'mcp:read'],
    [
      'no more than the defaults',
      { scope: undefined },
      { scope: 'mcp:read mcp:write' },
      'mcp:read',
    ],
  ])('%s', async (_what, changes, form, scope) => {
    const answer = await granted(await present(await of(changes), { form }));
    expect(answer.scope).toBe(scope);
  });

  test.each([
    ['another scope than its own', { scope: 'mcp:read' }, 'mcp:write', 'XAA'],
    ['an unknown scope', { scope: 'mcp:read' }, 'nope', 'XAA'],
    [
      'what the operator denies the client',
      { scope: 'mcp:write', client_id: 'READER' },
      undefined,
      'READER',
    ],
  ])('%s MUST be invalid_scope', async (_what, changes, scope, client) => {
    const form: Record<string, string> = scope === undefined ? {} : { scope };
    await refused(await present(await of(changes), { form, client }), 400, 'invalid_scope');
    expect(await lastRefusal()).toMatchObject({ reason: 'scope_not_allowed', verified: true });
  });

  test('resource MAY be repeated in any spelling; another MUST be invalid_target', async () => {
    await granted(await present(await of({}), { form: { resource: `${rs1}/` } }));
    await refused(await present(await of({}), { form: { resource: rs2 } }), 400, 'invalid_target');
    await refused(
      await present(await of({}), { form: { resource: [rs1, rs2] } }),
      400,
      'invalid_target',
    );
  });

  test('a client MUST keep to its resources', async () => {
    const assertion = await of({ client_id: 'READER', resource: rs2, scope: 'two:use' });
    await mustRefuse(assertion, 'resource_not_allowed_for_client', { client: 'READER' });
  });

  test('an issuer MUST keep to its clients, resources and scopes', async () => {
    await link('S-9');
    const by = (changes: Claims) =>
      strict.sign(now(claims({ iss: strict.issuer, sub: 'S-9', ...changes })));
    await mustRefuse(await by({ client_id: 'XAA2' }), 'client_not_allowed', { client: 'XAA2' });
    await mustRefuse(await by({ resource: rs2, scope: 'two:use' }), 'resource_not_allowed');
    await refused(await present(await by({ scope: 'mcp:write' })), 400, 'invalid_scope');
    const both = await granted(await present(await by({ scope: 'mcp:read mcp:write' })));
    expect(both.scope).toBe('mcp:read');
  });

  test('an issuer that is switched off MUST be refused at once', async () => {
    const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
    const { trustedIssuers } = server.app.rooms;
    await trustedIssuers.setEnabled(idp.issuer, false, by);
    await mustRefuse(await of({}), 'issuer');
    await trustedIssuers.setEnabled(idp.issuer, true, by);
    await granted(await present(await of({})));
  });
});

describe('who may present assertions', () => {
  const public_ = (assertion: string, client_id: string) =>
    server.post('/oauth/token', { grant_type: jwtBearer, assertion, client_id });

  test('a client known by its metadata document, from its first request on (EMA §5)', async () => {
    const assertion = await idp.sign(now(claims({ client_id: cimd })));
    const answer = await granted(await public_(assertion, cimd));
    expect(await introspect(answer.access_token)).toMatchObject({ client_id: cimd });
    const other = await idp.sign(now(claims({ client_id: 'XAA' })));
    await refused(await public_(other, cimd), 400, 'invalid_grant');
    expect(await lastRefusal()).toMatchObject({ reason: 'client', got: 'XAA' });
  });

  test('no client whose document cannot be had', async () => {
    for (const client_id of ['https://client.test/missing.json', 'https://127.0.0.1:1/x.json']) {
      const assertion = await idp.sign(now(claims({ client_id })));
      await refused(await public_(assertion, client_id), 401, 'invalid_client');
    }
    const other = { grant_type: 'refresh_token', refresh_token: 'x' };
    const client_id = 'https://client.test/never-fetched.json';
    await refused(
      await server.post('/oauth/token', { ...other, client_id }),
      401,
      'invalid_client',
    );
    expect(host.hits(client_id)).toBe(0);
  });

  test('no document that does not name the grant', async () => {
    const client_id = 'https://client.test/without.json';
    host.serve(client_id, document(client_id, { grant_types: ['authorization_code'] }));
    const assertion = await idp.sign(now(claims({ client_id })));
    await refused(await public_(assertion, client_id), 400, 'unauthorized_client');
  });

  test('no client without the grant, no client that does not authenticate, no DCR client', async () => {
    const web = await idp.sign(now(claims({ client_id: 'WEB' })));
    await refused(await present(web, { client: 'WEB' }), 400, 'unauthorized_client');
    const mine = await idp.sign(now(claims()));
    await refused(await public_(mine, 'XAA'), 401, 'invalid_client');
    const registration = await fetch(`${server.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: ['https://app.test/cb'],
        grant_types: ['authorization_code', jwtBearer],
        token_endpoint_auth_method: 'client_secret_basic',
      }),
    });
    const { client_id, client_secret, grant_types } = JSON.parse(await registration.text());
    expect(grant_types).toEqual(['authorization_code']);
    const assertion = await idp.sign(now(claims({ client_id })));
    const form = { grant_type: jwtBearer, assertion };
    const answer = await server.post('/oauth/token', form, basic(client_id, client_secret));
    await refused(answer, 400, 'unauthorized_client');
  });
});

describe('around it', () => {
  test('the metadata names grant and profile, and no issuer', async () => {
    const answer = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({
      grant_types_supported: expect.arrayContaining([jwtBearer]),
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    });
    expect(text).not.toContain(idp.issuer);
  });

  test('with xaa off there is neither', async () => {
    const off = await startServer({ extra: 'xaa: { enabled: false }' });
    try {
      const answer = await fetch(`${off.url}/.well-known/oauth-authorization-server`);
      const text = await answer.text();
      expect(text).not.toContain('jwt-bearer');
      expect(text).not.toContain('id-jag');
      const form = { grant_type: jwtBearer, assertion: 'x' };
      const refusal = await off.post('/oauth/token', form, basic('WEB', webSecret));
      await refused(refusal, 400, 'unsupported_grant_type');
    } finally {
      await off.close();
    }
  });

  test('what was issued names its assertion by hash; no assertion is logged or stored whole', async () => {
    const jti = randomUUID();
    const assertion = await idp.sign(now(claims({ jti })));
    const { access_token } = await granted(await present(assertion));
    await mustRefuse(assertion, 'replayed');
    const audited = server.db.kysely.selectFrom('audit_events').select('detail').orderBy('id');
    const events = await audited.execute();
    const issued = events.filter(({ detail }) => detail.assertion_issuer === idp.issuer).at(-1);
    expect(issued?.detail).toMatchObject({
      assertion_jti_hash: (await lastRefusal()).jti_hash,
      jti: (await introspect(access_token)).jti,
    });
    const [, payload = '', signature = ''] = assertion.split('.');
    const everything = server.logged() + JSON.stringify(events);
    for (const secret of [assertion, payload, signature, jti]) {
      expect(everything).not.toContain(secret);
    }
  });
});
