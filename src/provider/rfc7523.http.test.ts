import { randomUUID } from 'node:crypto';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, refused } from './answers.testing.ts';
import { code, good, redeem, refresh } from './flow.testing.ts';
import { startServer, type TestServer, webCallback, webSecret } from './server.testing.ts';

const [mine, foreign] = [await newKey('k1'), await newKey('k1')];
let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  for (const client_id of ['JWT', 'JWT2']) {
    const client = { client_id, redirect_uris: [webCallback], jwks: { keys: [mine.jwk] } };
    const method = { token_endpoint_auth_method: 'private_key_jwt' };
    await server.app.rooms.clients.create({ ...client, ...method }, 'cli', by);
  }
});
afterAll(() => server.close());

async function newKey(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

const seconds = () => Math.floor(Date.now() / 1000);
const tokenUrl = () => `${server.url}/oauth/token`;

/** The claims of a good assertion of the client JWT, with changes; undefined removes one. */
function claims(changes: Record<string, unknown> = {}) {
  const who = { iss: 'JWT', sub: 'JWT', aud: server.url };
  return { ...who, jti: randomUUID(), iat: seconds(), exp: seconds() + 60, ...changes };
}

function sign(payload = claims(), key = mine, header = {}) {
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
    .sign(key.privateKey);
}

/** The parameters that present an assertion (RFC 7523 §2.2). */
function presenting(client_assertion: string) {
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return { client_id: 'JWT', client_assertion_type, client_assertion };
}

async function newCode() {
  const flow = good({ client_id: 'JWT', redirect_uri: webCallback });
  return { flow, value: await code(server, flow) };
}

async function newTokens() {
  const { flow, value } = await newCode();
  return granted(await redeem(server, flow, value, presenting(await sign())));
}

/** An assertion that must not authenticate; the code that came with it stays good. */
async function mustRefuse(assertion: string, changes: Record<string, string> = {}) {
  const { flow, value } = await newCode();
  const form = { ...presenting(assertion), ...changes };
  await refused(await redeem(server, flow, value, form), 401, 'invalid_client');
  await granted(await redeem(server, flow, value, presenting(await sign())));
}

describe('a client assertion (RFC 7523 §3)', () => {
  test.each([
    ['the issuer', () => server.url],
    ['the token endpoint', tokenUrl],
    ['a list of the issuer', () => [server.url]],
    ['a list of both', () => [server.url, tokenUrl()]],
  ])('is accepted for %s', async (_what, aud) => {
    const { flow, value } = await newCode();
    await granted(
      await redeem(server, flow, value, presenting(await sign(claims({ aud: aud() })))),
    );
  });

  test('is accepted without client_id, which the assertion has', async () => {
    const { flow, value } = await newCode();
    const form = { ...presenting(await sign()), client_id: '' };
    await granted(await redeem(server, flow, value, form));
  });

  test.each([
    ['for another server', () => ({ aud: 'https://evil.test' })],
    ['for us with a slash', () => ({ aud: `${server.url}/` })],
    ['for us and another', () => ({ aud: [server.url, 'https://evil.test'] })],
    ['for nobody', () => ({ aud: undefined })],
    ['for an empty list', () => ({ aud: [] })],
    ['of another issuer', () => ({ iss: 'JWT2' })],
    ['without an issuer', () => ({ iss: undefined })],
    ['without an end', () => ({ exp: undefined })],
    ['over', () => ({ exp: seconds() - 10 })],
    ['that ends in 10 years', () => ({ exp: seconds() + 315_360_000 })],
    ['that ends in two hours', () => ({ exp: seconds() + 7200 })],
    ['whose end is a text', () => ({ exp: String(seconds() + 60) })],
    ['not yet good', () => ({ nbf: seconds() + 60 })],
    ['without an id', () => ({ jti: undefined })],
    ['whose id is empty', () => ({ jti: '' })],
    ['whose id is a list', () => ({ jti: ['x'] })],
  ])('%s MUST be refused', async (_what, changes) => {
    await mustRefuse(await sign(claims(changes())));
  });

  test.each([
    ['another', 'JWT2'],
    ['an unknown', 'NOBODY'],
    ['no', undefined],
  ])('about %s client MUST be refused', async (_what, sub) => {
    const assertion = await sign(claims({ sub }));
    await mustRefuse(assertion);
    await mustRefuse(assertion, { client_id: '' });
  });

  test.each([
    ['signed by a foreign key', () => sign(claims(), foreign)],
    ['of an unknown key', () => sign(claims(), mine, { kid: 'k2' })],
    ['of a key that is a path', () => sign(claims(), mine, { kid: '../../etc/passwd' })],
    ['of a key that is SQL', () => sign(claims(), mine, { kid: "' or 1=1--" })],
    ['with a key of its own', () => sign(claims(), foreign, { jwk: foreign.jwk })],
    ['not signed', async () => new UnsecuredJWT(claims()).encode()],
    ['signed by a hash of the public key', hashed],
    ['cut', async () => (await sign()).slice(0, -4)],
    ['without a signature', async () => (await sign()).replace(/\.[^.]+$/, '.')],
    ['no JWT', async () => 'x.y.z'],
    ['no text of three parts', async () => 'x'],
  ])('%s MUST be refused', async (_what, make) => {
    await mustRefuse(await make());
  });

  async function hashed() {
    const secret = new TextEncoder().encode(await exportSPKI(mine.publicKey));
    const header = { alg: 'HS256', kid: 'k1' };
    return new SignJWT(claims()).setProtectedHeader(header).sign(secret);
  }

  test('MUST be of the type jwt-bearer', async () => {
    const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer';
    for (const client_assertion_type of [saml, '']) {
      const { flow, value } = await newCode();
      const form = { ...presenting(await sign()), client_assertion_type };
      await refused(await redeem(server, flow, value, form), 400, 'invalid_request');
    }
  });

  test('MUST NOT be replaced by anything else', async () => {
    const { refresh_token } = await newTokens();
    const attempt = (form: Record<string, string>, headers = {}) =>
      refresh(server, refresh_token, { client_id: 'JWT', ...form }, headers);
    await refused(await attempt({}), 401, 'invalid_client');
    await refused(await attempt({ client_secret: webSecret }), 401, 'invalid_client');
    await refused(await attempt({}, basic('JWT', webSecret)), 401, 'invalid_client');
    const other = {
      ...presenting(await sign(claims({ iss: 'WEB', sub: 'WEB' }))),
      client_id: 'WEB',
    };
    await refused(await attempt(other), 401, 'invalid_client');
    await granted(await attempt(presenting(await sign())));
  });
});

describe('a client assertion is used once', () => {
  test('a second use MUST be refused, and costs no token', async () => {
    const form = presenting(await sign());
    const { flow, value } = await newCode();
    const { refresh_token } = await granted(await redeem(server, flow, value, form));
    await refused(await refresh(server, refresh_token, form), 401, 'invalid_client');
    await granted(await refresh(server, refresh_token, presenting(await sign())));
  });

  test('a refused request MUST use its assertion up all the same', async () => {
    const form = presenting(await sign());
    await refused(await refresh(server, 'unknown', form), 400, 'invalid_grant');
    const { refresh_token } = await newTokens();
    await refused(await refresh(server, refresh_token, form), 401, 'invalid_client');
  });

  test('it MUST hold across endpoints', async () => {
    const form = presenting(await sign());
    const ask = () => server.post('/oauth/introspect', { token: 'x', ...form });
    expect(await (await ask()).json()).toEqual({ active: false });
    await refused(await ask(), 401, 'invalid_client');
    const { refresh_token } = await newTokens();
    await refused(await refresh(server, refresh_token, form), 401, 'invalid_client');
  });

  test('of 20 parallel uses exactly one MUST be accepted', async () => {
    const families = await Promise.all(Array.from({ length: 5 }, newTokens));
    const form = presenting(await sign());
    const uses = Array.from({ length: 4 }, () => families).flat();
    const answers = await Promise.all(
      uses.map(({ refresh_token }) => refresh(server, refresh_token, form)),
    );
    const [winner, ...others] = answers.toSorted((a, b) => a.status - b.status);
    await granted(winner ?? Response.error());
    for (const loser of others) await refused(loser, 401, 'invalid_client');
    for (const { refresh_token } of families) {
      await granted(await refresh(server, refresh_token, presenting(await sign())));
    }
  });

  test("another client's assertion with the same id is another", async () => {
    const jti = randomUUID();
    const { flow, value } = await newCode();
    const theirs = claims({ jti, iss: 'JWT2', sub: 'JWT2' });
    const form = { ...presenting(await sign(theirs)), client_id: 'JWT2' };
    await refused(await redeem(server, flow, value, form), 400, 'invalid_grant');
    await granted(await redeem(server, flow, value, presenting(await sign(claims({ jti })))));
  });
});
