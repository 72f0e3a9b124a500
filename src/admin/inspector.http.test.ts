import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { good, refresh, tokens } from '../provider/flow.testing.ts';
import { alice, rs1 } from '../provider/server.testing.ts';
import { startApi, type TestApi } from './api.testing.ts';
import { grants, inspector, issuances, tokens as personalTokens } from './contract/index.ts';

const path = '/admin/api/inspector';
const opaque = `
  - slug: opaque
    uri: https://opaque.test/mcp
    display_name: Opaque tokens
    token_format: opaque
    scopes: [{ name: "o:use", description: Use it }]`;

let api: TestApi;
let userId: string;
/** Everything that must be found nowhere afterwards. */
const pasted: string[] = [];
beforeAll(async () => {
  api = await startApi({ resources: opaque });
  const row = await api.server.db.kysely
    .selectFrom('users')
    .select('id')
    .where('email', '=', alice.email)
    .executeTakeFirstOrThrow();
  userId = row.id;
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.server.db.kysely.updateTable('clients').set({ status: 'active' }).execute();
});

async function inspect(token: string) {
  pasted.push(token);
  const answer = await api.client.call(inspector.inspect, { body: { token } });
  expect(JSON.stringify(answer)).not.toContain(token);
  return answer;
}

const ids = (answer: { reasons: { id: string }[] }) => answer.reasons.map(({ id }) => id);

test('a good JWT is verified, explained claim by claim, and its record is found', async () => {
  const { access_token: token } = await tokens(api.server);
  const answer = await inspect(`  Authorization: Bearer ${token}\n`);
  expect(answer).toMatchObject({
    kind: 'access_token',
    format: 'jwt',
    verdict: 'active',
    reasons: [],
    header: { alg: 'ES256', typ: 'at+jwt' },
    client: { id: 'PUB', name: 'Public client' },
    person: { id: userId, username: alice.email },
    resource: rs1,
  });
  expect(answer.checks.map(({ id, passed }) => [id, passed])).toEqual([
    ['shape', true],
    ['signature', true],
    ['typ', true],
    ['issuer', true],
    ['expiry', true],
    ['record', true],
  ]);
  const said = new Map(answer.claims.map((claim) => [claim.name, claim]));
  expect(said.get('aud')).toMatchObject({ value: rs1, shown: 'First server' });
  expect(said.get('client_id')?.shown).toBe('Public client');
  expect(said.get('scope')?.shown).toBe('mcp:read: Read things');
  expect(said.get('exp')?.shown).toMatch(/Z, in 1[45] minutes$/);
  expect(answer.claims.every(({ meaning }) => meaning.length > 10)).toBe(true);
  const params = { id: answer.issuance_id ?? '' };
  expect((await api.client.call(issuances.get, { params })).sub).toBe(userId);
});

test.each([
  [
    'a changed signature',
    (token: string) =>
      token.replace(
        /\.([\w-])([\w-]*)$/,
        (_, first, rest) => `.${first === 'A' ? 'B' : 'A'}${rest}`,
      ),
    'bad_signature',
  ],
  ['another spelling of the same signature', otherSpelling, 'bad_signature'],
  ['the algorithm none', (token: string) => `${unsigned(token)}`, 'bad_signature'],
])('a JWT with %s MUST NOT be called good', async (_what, change, why) => {
  const { access_token: token } = await tokens(api.server);
  const answer = await inspect(change(token));
  expect(answer.verdict).toBe('inactive');
  expect(ids(answer)).toContain(why);
  expect(answer.checks.find(({ id }) => id === 'signature')?.passed).toBe(false);
});

/** The last character of 64 bytes has four bits that mean nothing. */
function otherSpelling(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) + 1];
}

/** The same claims with `alg` none. */
function unsigned(token: string): string {
  const [, body = ''] = token.split('.');
  return new UnsecuredJWT(JSON.parse(Buffer.from(body, 'base64url').toString())).encode();
}

test('a JWT in our name by another key, and of another type, is refused with why', async () => {
  const { privateKey } = await generateKeyPair('ES256');
  const claims = { iss: api.server.url, aud: rs1, sub: userId, jti: 'made-up', client_id: 'PUB' };
  const sign = (typ: string) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'theirs', typ })
      .setExpirationTime('1h')
      .sign(privateKey);
  const answer = await inspect(await sign('at+jwt'));
  expect(answer).toMatchObject({ kind: 'access_token', verdict: 'inactive', issuance_id: null });
  expect(ids(answer)).toEqual(['unknown_key', 'unknown']);
  expect(ids(await inspect(await sign('JWT')))).toContain('other_type');
});

test('a JWT of another issuer is decoded only, and says so', async () => {
  const { privateKey } = await generateKeyPair('ES256');
  const foreign = await new SignJWT({ iss: 'https://other.test', sub: 'x', team: ['a'] })
    .setProtectedHeader({ alg: 'ES256' })
    .setExpirationTime(1)
    .sign(privateKey);
  const answer = await inspect(foreign);
  expect(answer).toMatchObject({
    kind: 'foreign_jwt',
    verdict: 'not_ours',
    summary: expect.stringContaining('decoded, not verified'),
    issuance_id: null,
  });
  expect(answer.claims.map(({ name }) => name)).toEqual(['iss', 'sub', 'team', 'exp']);
  expect(ids(answer)).toEqual(['other_issuer', 'expired']);
});

test('an issuer that differs in a slash only is told apart', async () => {
  const { privateKey } = await generateKeyPair('ES256');
  const token = await new SignJWT({ iss: `${api.server.url}/`, sub: 'x' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setExpirationTime('1h')
    .sign(privateKey);
  const answer = await inspect(token);
  expect(answer.reasons[0]).toMatchObject({ id: 'other_issuer' });
  expect(answer.reasons[0]?.detail).toContain('slash at its end');
});

test('opaque, personal and refresh tokens are found by their hash', async () => {
  const flow = good({ resource: 'https://opaque.test/mcp', scope: 'o:use offline_access' });
  const issued = await tokens(api.server, flow);
  expect(await inspect(issued.access_token)).toMatchObject({
    ...{ kind: 'access_token', format: 'opaque', verdict: 'active', reasons: [] },
    resource: 'https://opaque.test/mcp',
  });
  const { refresh_token: old } = await tokens(api.server);
  const before = await inspect(old);
  expect(before).toMatchObject({ kind: 'refresh_token', verdict: 'active' });
  await refresh(api.server, old);
  const used = await inspect(old);
  expect(used).toMatchObject({ verdict: 'inactive' });
  expect(ids(used)).toEqual(['used']);
  const pat = await api.client.call(personalTokens.create, {
    body: { sub: userId, name: 'CI', resource: rs1, scope: 'mcp:read' },
  });
  expect(await inspect(pat.token)).toMatchObject({
    ...{ kind: 'personal_access_token', verdict: 'active', issuance_id: pat.id, client: null },
    person: { username: alice.email },
  });
});

test('why a token is not good any more is told: each of the reasons', async () => {
  const { accounts } = api.server.app.rooms;
  const { access_token: token } = await tokens(api.server);
  const { issuance_id: id, grant_id: grant } = await inspect(token);
  await api.server.db.kysely
    .updateTable('clients')
    .set({ status: 'suspended' })
    .where('client_id', '=', 'PUB')
    .execute();
  expect(ids(await inspect(token))).toEqual(['client_suspended']);
  await api.server.db.kysely.updateTable('clients').set({ status: 'active' }).execute();
  await api.client.call(issuances.revoke, { params: { id: id ?? '' } });
  const revoked = await inspect(token);
  expect(revoked.reasons).toMatchObject([
    { id: 'revoked', detail: expect.stringMatching(/^It was revoked.*by admin api_key\.$/) },
  ]);
  expect(revoked.summary).toContain('is refused. It was revoked');
  const { access_token: second } = await tokens(api.server);
  const { items } = await api.client.call(grants.list);
  await api.client.call(grants.revoke, { params: { id: grant ?? items[0]?.id ?? '' } });
  expect(ids(await inspect(second))).toEqual(
    expect.arrayContaining(['grant_revoked', 'authorization_ended']),
  );
  const { access_token: third } = await tokens(api.server);
  await accounts.disable(userId, { at: api.server.now() });
  expect(ids(await inspect(third))).toContain('person_disabled');
  await accounts.enable(userId, { at: api.server.now() });
  const { access_token: fourth } = await tokens(api.server);
  api.server.advance(3600);
  expect((await inspect(fourth)).reasons).toMatchObject([
    { id: 'expired', detail: expect.stringContaining('ago') },
  ]);
});

/** Without how long ago something was, which changes while one looks. */
const timeless = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer).replaceAll(/, (in )?[\w ]+( ago)?"/g, '"'));

test('claims as JSON are explained, vouched for by nobody, and their record is found', async () => {
  const { access_token: token } = await tokens(api.server);
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  await api.server.app.rooms.flows.flush();
  const asObject = await api.client.call(inspector.inspect, { body: { claims } });
  expect(asObject).toMatchObject({
    ...{ kind: 'claims', format: 'json', verdict: 'active', issuance_id: claims.jti },
    flow_id: expect.stringMatching(/^flow_/),
    summary: expect.stringContaining('nobody vouches'),
  });
  expect(timeless(await inspect(JSON.stringify(claims, null, 2)))).toEqual(timeless(asObject));
  const foreign = await api.client.call(inspector.inspect, {
    body: { claims: { ...claims, client_id: 'WEB' } },
  });
  expect(foreign).toMatchObject({ verdict: 'not_ours', issuance_id: null });
});

test.each([
  ['garbage', 'tr0ub4dor&3-distinctive-garbage', 'unknown', 'not_ours'],
  ['a mistyped opaque token', `as_oat_${'x'.repeat(49)}`, 'unknown', 'unreadable'],
  ['a cut JWT', 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczov.sig', 'unknown', 'unreadable'],
  ['dots', '...', 'unknown', 'not_ours'],
  [
    'an encrypted token',
    `${Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url')}.a.b.c.d`,
    'encrypted_jwt',
    'not_ours',
  ],
  ['broken JSON', '{"iss": ', 'unknown', 'unreadable'],
  [
    'JSON that is far too deep',
    `{"a":${'['.repeat(200)}${']'.repeat(200)}}`,
    'unknown',
    'unreadable',
  ],
  ['markup', '<img src=x onerror=alert(1)>', 'unknown', 'not_ours'],
])('%s is answered without a fault', async (_what, token, kind, verdict) => {
  expect(await inspect(token)).toMatchObject({ kind, verdict, issuance_id: null });
});

const jwtOf = (...parts: object[]) =>
  [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), 'c2ln'].join(
    '.',
  );

test.each([
  ['quotes within', `x${'"'.repeat(99_000)}x`],
  ['a word without end', `a_${'b'.repeat(99_000)}_`],
  ['slashes in iss', jwtOf({ alg: 'ES256' }, { iss: `x${'/'.repeat(70_000)}x` })],
])('%s of great length MUST NOT stop the server (OV05)', async (_what, token) => {
  const began = performance.now();
  await inspect(token);
  expect(performance.now() - began).toBeLessThan(2000);
});

test('claims that no table can hold are of nobody, and no fault (OV03)', async () => {
  const claims = { jti: '\0', sub: '\0', client_id: '\0', aud: '\0', exp: 1e300 };
  const answer = { verdict: 'not_ours', issuance_id: null };
  expect(await inspect(JSON.stringify(claims))).toMatchObject(answer);
  expect(await inspect(jwtOf({ alg: 'ES256' }, claims))).toMatchObject(answer);
});

test.each([
  ['neither', {}, 400],
  ['both', { token: 'x', claims: {} }, 400],
  ['an empty token', { token: '' }, 400],
  ['1 MB', { token: 'x'.repeat(1_000_000) }, 413],
  ['a long token', { token: 'y'.repeat(150_000) }, 400],
  ['a number', { token: 7 }, 400],
])('%s is refused', async (_what, body, status) => {
  const answer = await api.post(path, body);
  expect(answer.status).toBe(status);
  expect(answer.body.length).toBeLessThan(1000);
});

test('what was pasted MUST NOT be in the log nor in any table', async () => {
  const { kysely } = api.server.db;
  const events = JSON.stringify(await kysely.selectFrom('audit_events').selectAll().execute());
  const logged = api.server.logged();
  expect(pasted.length).toBeGreaterThan(15);
  for (const token of pasted.filter((one) => one.length > 20)) {
    expect(logged).not.toContain(token);
    expect(events).not.toContain(token);
  }
});
