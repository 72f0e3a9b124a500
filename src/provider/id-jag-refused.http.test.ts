import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { basic, granted, refused } from './answers.testing.ts';
import { type DocumentHost, startDocumentHost } from './document-host.testing.ts';
import { createProver } from './dpop.testing.ts';
import { type Claims, type Idp, idpKey, startIdp } from './id-jag-idp.testing.ts';
import {
  rs1,
  startServer,
  type TestServer,
  type TestServerOptions,
  webSecret,
} from './server.testing.ts';

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const cimd = 'https://client.test/client.json';
const guarded = 'https://guarded.test/mcp';
const bound = 'https://bound.test/mcp';

let host: DocumentHost;
let idp: Idp;
let server: TestServer;
beforeAll(async () => {
  host = await startDocumentHost(['idp.test', 'client.test']);
  idp = await startIdp(host, { issuer: 'https://idp.test' });
  publish(cimd);
  server = await serverWith();
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  const secret = { client_secret: webSecret, token_endpoint_auth_method: 'client_secret_basic' };
  const client = { client_id: 'XAA', grant_types: [jwtBearer], redirect_uris: [] };
  await server.app.rooms.clients.create({ ...client, ...secret }, 'cli', by);
});
afterAll(async () => {
  await server?.close();
  await host?.close();
});

function serverWith({ extra = '' }: Pick<TestServerOptions, 'extra'> = {}) {
  return startServer({
    fetch: host.fetch,
    resources: `
  - slug: guarded
    uri: ${guarded}
    display_name: For one group
    scopes: [{ name: "mcp:read", description: Read }]
    access:
      - { groups: [staff], scopes: ["mcp:read"] }
      - { users: [ada@corp.test], scopes: ["mcp:read"] }
  - slug: bound
    uri: ${bound}
    display_name: Bound tokens only
    scopes: [{ name: "mcp:read", description: Read }]
    dpop: required`,
    extra: `trusted_issuers: [{ issuer: "${idp.issuer}" }]\n${extra}`,
  });
}

function publish(client_id: string) {
  const redirect_uris = ['http://127.0.0.1/cb'];
  const grant_types = ['authorization_code', jwtBearer];
  host.serve(client_id, { client_id, client_name: 'Desktop', redirect_uris, grant_types });
}

/** The claims of a good assertion, with changes. */
function claims(changes: Claims = {}): Claims {
  const iat = Math.floor(server.now().getTime() / 1000);
  const who = { iss: idp.issuer, sub: randomUUID(), aud: server.url, client_id: 'XAA' };
  return { ...who, resource: rs1, jti: randomUUID(), iat, exp: iat + 300, ...changes };
}

function present(assertion: string, headers: Record<string, string> = {}) {
  const form = { grant_type: jwtBearer, assertion };
  return server.post('/oauth/token', form, { ...basic('XAA', webSecret), ...headers });
}

function presentPublicly(assertion: string) {
  const form = { grant_type: jwtBearer, assertion, client_id: cimd };
  return server.post('/oauth/token', form);
}

async function refusals(): Promise<Record<string, unknown>[]> {
  const rows = await server.db.kysely
    .selectFrom('audit_events')
    .select('detail')
    .where('type', '=', 'assertion_refused')
    .orderBy('id')
    .execute();
  return rows.map(({ detail }) => detail);
}

async function countPeople(): Promise<number> {
  return (await server.db.kysely.selectFrom('users').select('id').execute()).length;
}

describe('what strangers make us write down', () => {
  test('a forged assertion of a client that anybody can be MUST NOT be in the audit log', async () => {
    const before = (await refusals()).length;
    const forged = await idp.sign(claims({ client_id: cimd }), {}, await idpKey('idp-1'));
    const unknown = await idp.sign(claims({ client_id: cimd, iss: 'https://evil.test' }));
    for (const [assertion, reason] of [
      [forged, 'signature'],
      [unknown, 'issuer'],
      ['x', 'malformed'],
    ] as const) {
      const { trace_id } = await refused(await presentPublicly(assertion), 400, 'invalid_grant');
      const lines = server.logged().split('\n');
      const line = lines.find((one) => one.includes(String(trace_id)) && one.includes('refused'));
      expect(line).toContain(`"reason":"${reason}"`);
    }
    expect(await refusals()).toHaveLength(before);
  });

  test('what a trusted issuer has signed, and what a client of the operator presents, is', async () => {
    const before = (await refusals()).length;
    const signed = await idp.sign(claims({ client_id: 'XAA' }));
    await refused(await presentPublicly(signed), 400, 'invalid_grant');
    const forged = await idp.sign(claims(), {}, await idpKey('idp-1'));
    await refused(await present(forged), 400, 'invalid_grant');
    expect((await refusals()).slice(before)).toMatchObject([
      { reason: 'client', verified: true },
      { reason: 'signature', verified: false },
    ]);
  });

  test('names that they make up are cut', async () => {
    const long = 'x'.repeat(3000);
    const iss = `https://evil.test/${long}`;
    await refused(await present(await idp.sign(claims({ iss }))), 400, 'invalid_grant');
    await refused(await present(await idp.sign(claims(), { kid: long })), 400, 'invalid_grant');
    const [issuer, kid] = (await refusals()).slice(-2);
    expect(issuer?.reason).toBe('issuer');
    expect(String(issuer?.issuer)).toHaveLength(200);
    expect(String(kid?.got)).toHaveLength(200);
    expect(JSON.stringify([issuer, kid]).length).toBeLessThan(1200);
  });
});

describe('an account MUST NOT be made for an assertion that is refused', () => {
  test('for scopes that nobody new may have', async () => {
    const before = await countPeople();
    await refused(
      await present(await idp.sign(claims({ resource: guarded }))),
      400,
      'invalid_scope',
    );
    expect(await countPeople()).toBe(before);
    expect((await refusals()).at(-1)).toMatchObject({ reason: 'scope_not_allowed' });
  });

  test('but is for somebody who may, by the address that their issuer vouches for', async () => {
    const person = { resource: guarded, email: 'ada@corp.test' };
    await granted(await present(await idp.sign(claims(person))));
  });

  test('without the proof that the resource demands, and the assertion is not used up', async () => {
    const [before, written] = [await countPeople(), (await refusals()).length];
    const assertion = await idp.sign(claims({ resource: bound }));
    await refused(await present(assertion), 400, 'invalid_dpop_proof');
    expect(await countPeople()).toBe(before);
    expect(await refusals()).toHaveLength(written);
    const proof = await (await createProver()).headers(`${server.url}/oauth/token`);
    expect((await granted(await present(assertion, proof))).token_type).toBe('DPoP');
    expect(await countPeople()).toBe(before + 1);
  });
});

describe('the document of a client MUST NOT be fetched for a jwt-bearer grant', () => {
  const unknown = () => {
    const client_id = `https://client.test/${randomUUID()}.json`;
    publish(client_id);
    return client_id;
  };

  test.each(['/oauth/introspect', '/oauth/revoke'])('at %s', async (path) => {
    const client_id = unknown();
    await server.post(path, { grant_type: jwtBearer, token: 'x', client_id });
    expect(host.hits(client_id)).toBe(0);
  });

  test('where there is no such grant', async () => {
    const client_id = unknown();
    const off = await serverWith({ extra: 'xaa: { enabled: false }' });
    try {
      await off.post('/oauth/token', { grant_type: jwtBearer, assertion: 'x', client_id });
      expect(host.hits(client_id)).toBe(0);
    } finally {
      await off.close();
    }
  });
});
