import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GuardedFetch, GuardedFetchError } from '../http/index.ts';
import { basic, granted, refused } from './answers.testing.ts';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { type Claims, type Idp, idpKey, startIdp } from './id-jag-idp.testing.ts';
import {
  rs1,
  startServer,
  type TestServer,
  type TestServerOptions,
  webSecret,
} from './server.testing.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const metadata = 'https://idp.test/.well-known/openid-configuration';

let host: DocumentHost;
let idp: Idp;
let server: TestServer;
beforeAll(async () => {
  host = await startDocumentHost(['idp.test']);
  idp = await startIdp(host, { issuer: 'https://idp.test' });
  server = await serverWith({ fetch: host.fetch });
});
afterAll(async () => {
  await server?.close();
  await host?.close();
});

async function serverWith(ways: Pick<TestServerOptions, 'fetch' | 'operatorFetch'>) {
  const extra = `trusted_issuers: [{ issuer: "${idp.issuer}" }]`;
  const started = await startServer({ ...ways, extra });
  const by = { actor: { kind: 'cli' as const }, meta: { at: started.now() } };
  const client = {
    client_id: 'XAA',
    client_secret: webSecret,
    grant_types: [jwtBearer],
    redirect_uris: [],
  };
  const method = { token_endpoint_auth_method: 'client_secret_basic' };
  await started.app.rooms.clients.create({ ...client, ...method }, 'cli', by);
  return started;
}

/** The claims of a good assertion, by the clock of the server. */
function fresh(changes: Claims = {}): Claims {
  const iat = Math.floor(server.now().getTime() / 1000);
  const who = { iss: idp.issuer, sub: 'U-1', aud: server.url, client_id: 'XAA', resource: rs1 };
  return { ...who, jti: randomUUID(), iat, exp: iat + 300, ...changes };
}

function present(assertion: string, to = server) {
  const form = { grant_type: jwtBearer, assertion };
  return to.post('/oauth/token', form, basic('XAA', webSecret));
}

async function mustRefuse(assertion: string, reason: string) {
  await refused(await present(assertion), 400, 'invalid_grant');
  const { detail } = await server.db.kysely
    .selectFrom('audit_events')
    .select('detail')
    .where('type', '=', 'assertion_refused')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  expect(detail).toMatchObject({ reason });
}

test('a rotated key is found by its kid; unknown kids MUST NOT make us fetch without end', async () => {
  const next = await idpKey('idp-2');
  await granted(await present(await idp.sign(fresh())));
  server.advance(61);
  idp.publish([idp.key.jwk, next.jwk]);
  const before = idp.fetchedKeys();
  await granted(await present(await idp.sign(fresh(), { kid: 'idp-2' }, next)));
  expect(idp.fetchedKeys()).toBe(before + 1);
  for (let n = 0; n < 10; n += 1) {
    await mustRefuse(await idp.sign(fresh(), { kid: `made-up-${n}` }), 'key_unknown');
  }
  expect(idp.fetchedKeys()).toBe(before + 1);
  await granted(await present(await idp.sign(fresh())));
});

test('a key with an alg verifies that one only', async () => {
  const rsa = await idpKey('rsa', 'PS256');
  server.advance(61);
  idp.publish([idp.key.jwk, rsa.jwk]);
  await granted(await present(await idp.sign(fresh(), { kid: 'rsa', alg: 'PS256' }, rsa)));
  const { jwk } = await idpKey('rsa', 'RS256');
  expect(jwk.alg).toBe('RS256');
  const es = await idp.sign(fresh(), { kid: 'rsa', alg: 'ES256' });
  await mustRefuse(es, 'key_unknown');
});

test('metadata of another issuer MUST NOT give keys (RFC 8414 §3.3)', async () => {
  host.serve(metadata, { issuer: 'https://strict.test/tenant', jwks_uri: 'https://idp.test/keys' });
  try {
    server.advance(3600);
    await mustRefuse(await idp.sign(fresh()), 'keys_unavailable');
  } finally {
    host.serve(metadata, { issuer: idp.issuer, jwks_uri: 'https://idp.test/keys' });
    server.advance(16);
  }
  await granted(await present(await idp.sign(fresh())));
});

test('an issuer that cannot be reached MUST NOT be asked at every request, and its keys stay good', async () => {
  await granted(await present(await idp.sign(fresh())));
  host.down = true;
  try {
    server.advance(700);
    const before = host.hits();
    for (let n = 0; n < 5; n += 1) await granted(await present(await idp.sign(fresh())));
    // Its metadata twice, once where each standard puts it, and its keys.
    expect(host.hits()).toBe(before + 3);
    server.advance(3700);
    await mustRefuse(await idp.sign(fresh()), 'keys_unavailable');
  } finally {
    host.down = false;
  }
  server.advance(61);
  await granted(await present(await idp.sign(fresh())));
});

test('of many first uses at once one MUST fetch the keys', async () => {
  server.advance(700);
  const before = idp.fetchedKeys();
  const assertions = await Promise.all(Array.from({ length: 10 }, () => idp.sign(fresh())));
  for (const answer of await Promise.all(assertions.map((one) => present(one))))
    await granted(answer);
  expect(idp.fetchedKeys()).toBe(before + 1);
});

test('strangers who use up what we do for strangers MUST NOT keep us from the keys of an issuer', async () => {
  const busy: GuardedFetch = async () => {
    throw new GuardedFetchError({ kind: 'busy', scope: 'host' });
  };
  const flooded = await serverWith({ fetch: busy, operatorFetch: host.fetch });
  try {
    const iat = Math.floor(flooded.now().getTime() / 1000);
    const assertion = await idp.sign(fresh({ aud: flooded.url, iat, exp: iat + 300 }));
    await granted(await present(assertion, flooded));
  } finally {
    await flooded.close();
  }
});
