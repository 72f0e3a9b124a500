import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grantTypes, tokenTypes } from '../oauth/index.ts';
import { answerJson, startHookServer } from '../tokens/hook-server.testing.ts';
import { basic } from './answers.testing.ts';
import { code, good, redeem, tokens } from './flow.testing.ts';
import { alice, bob, startServer, type TestServer, webSecret, webCallback } from './server.testing.ts';

const secret = 'whsec_ZW5vdWdoIGxldHRlcnMgZm9yIGEga2V5IG9mIDMy';
const plain = 'https://plain.test/mcp';
const hooked = 'https://hooked.test/mcp';
const skippy = 'https://skippy.test/mcp';
const cons = 'https://cons.test/mcp';
let hook: Awaited<ReturnType<typeof startHookServer>>;
let server: TestServer;
const as = (c: string) => basic(c, webSecret);
beforeAll(async () => {
  hook = await startHookServer();
  const asked = `url: "${hook.url}", secret: "${secret}", timeout: 5s`;
  server = await startServer({
    resources: `
  - { slug: plain, uri: "${plain}", clients: [RS1, GATE], access_ttl: 60s, scopes: [{ name: use }] }
  - { slug: hooked, uri: "${hooked}", clients: [RS1, GATE, GATE2], token_format: opaque, claims_hook: { ${asked} }, scopes: [{ name: use }, {name: admin}], exchange: { clients: [GATE, GATE2], consent: operator } }
  - { slug: skippy, uri: "${skippy}", clients: [RS1, GATE], claims_hook: { ${asked}, on_failure: skip }, scopes: [{ name: use }], exchange: { clients: [GATE], consent: operator } }
  - { slug: cons, uri: "${cons}", clients: [RS1], scopes: [{ name: use }], exchange: { clients: [GATE] } }`,
  });
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  for (const id of ['GATE', 'GATE2'])
    await server.app.rooms.clients.create(
      { client_id: id, client_secret: webSecret, redirect_uris: [webCallback], grant_types: [grantTypes.authorizationCode, grantTypes.refreshToken, grantTypes.tokenExchange, grantTypes.clientCredentials] },
      'cli', by);
});
afterAll(async () => { await server.close(); await hook.close(); });

const ex = (subject: string, by = 'GATE', form: Record<string, string> = {}) =>
  server.post('/oauth/token', { grant_type: grantTypes.tokenExchange, subject_token: subject, subject_token_type: tokenTypes.accessToken, ...form }, as(by));
const intro = async (token: string, by = 'RS1') => (await server.post('/oauth/introspect', { token }, as(by))).json() as Promise<any>;
const tokenOf = async (client: string, resource: string, person = alice) => {
  const flow = good({ client_id: client, redirect_uri: webCallback, resource, scope: 'use' });
  const v = await code(server, flow, { person });
  const r = await redeem(server, flow, v, {}, as(client));
  return (await r.json()) as any;
};

test('A lifetime beyond subject via slow hook', async () => {
  hook.reset();
  const subject = await tokens(server, good({ resource: plain, scope: 'use' }));
  const sexp = decodeJwt(subject.access_token).exp;
  hook.answers((res) => setTimeout(() => answerJson(res, { claims: {} }), 4000));
  let t = (await (await ex(subject.access_token, 'GATE', { resource: hooked })).json()) as any;
  const one = await intro(t.access_token);
  const t2 = (await (await ex(t.access_token, 'GATE2', { resource: hooked })).json()) as any;
  const two = await intro(t2.access_token);
  console.log('A subject exp', sexp, 'child exp', one.exp, 'grandchild', two.exp, 'diff', one.exp - (sexp ?? 0), two.exp - (sexp ?? 0));
});

test('B hook answers NUL / lone surrogate / __proto__', async () => {
  for (const raw of ['{"claims":{"x":"a\\u0000b"}}', '{"claims":{"x":"\\ud800"}}', '{"claims":{"x":{"__proto__":{"a":1}}}}', '{"claims":{"__proto__":{"a":1}}}', '{"claims":{"x":{"\\u0000":1}}}', '{"claims":{"constructor":1,"toString":2}}', '{"claims":{"error":"x","error_description":"y"}}']) {
    for (const resource of [hooked, skippy]) {
      hook.reset(); server.advance(10);
      const subject = await tokens(server, good({ resource: plain, scope: 'use' }));
      hook.answers((res) => { res.writeHead(200, { 'content-type': 'application/json' }).end(raw); });
      const r = await ex(subject.access_token, 'GATE', { resource });
      const body = await r.text();
      const at = r.status === 200 ? JSON.parse(body).access_token : undefined;
      console.log('B', raw, resource, r.status, body.slice(0, 200), at && JSON.stringify(await intro(at)));
    }
  }
  hook.reset();
});

test('C actor forged by other persons token', async () => {
  const bobs = await tokenOf('GATE', cons, bob);
  const subject = await tokens(server, good({ resource: plain, scope: 'use' }));
  const r = await ex(subject.access_token, 'GATE', { actor_token: bobs.access_token, actor_token_type: tokenTypes.accessToken });
  const b = (await r.json()) as any;
  console.log('C', r.status, JSON.stringify(decodeJwt(b.access_token)), 'bob', decodeJwt(bobs.access_token).sub);
  // actor revoked: does it end?
  await server.post('/oauth/revoke', { token: bobs.access_token }, as('GATE'));
  console.log('C actor revoked; intro', JSON.stringify(await intro(b.access_token)));
  await server.db.kysely.updateTable('users').set({ status: 'disabled' }).where('email', '=', bob.email).execute();
  console.log('C actor disabled; intro', (await intro(b.access_token)).active);
  await server.db.kysely.updateTable('users').set({ status: 'active' }).where('email', '=', bob.email).execute();
});

test('D zombie after client suspend/resume, user disable/enable', async () => {
  const m = (await (await server.post('/oauth/token', { grant_type: 'client_credentials', resource: plain }, as('GATE'))).json()) as any;
  console.log('D methods', Object.keys(server.app.rooms.clients), Object.keys(server.app.rooms.accounts));
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  const subject = await tokens(server, good({ resource: plain, scope: 'use' }));
  const child = (await (await ex(subject.access_token, 'GATE')).json()) as any;
  console.log('D before', (await intro(m.access_token)).active, (await intro(child.access_token)).active);
  const clients = server.app.rooms.clients as any;
  await clients.suspend?.('GATE', by, 'x');
  console.log('D suspended', (await intro(m.access_token)).active, (await intro(child.access_token)).active);
  await clients.resume?.('GATE', by);
  console.log('D resumed', (await intro(m.access_token)).active, (await intro(child.access_token)).active);
});

test('E disabled resource', async () => {
  const t = await tokenOf('GATE', cons);
  const src = await tokens(server, good({ resource: plain, scope: 'use' }));
  const child = (await (await ex(src.access_token, 'GATE', { resource: skippy })).json()) as any;
  await server.db.kysely.updateTable('resources').set({ enabled: false }).where('uri', 'in', [cons, plain]).execute();
  await server.app.rooms.resources.reload();
  console.log('E own client', JSON.stringify(await intro(t.access_token, 'GATE')), 'RS', JSON.stringify(await intro(t.access_token, 'RS1')), 'child of token of disabled resource', (await intro(child.access_token)).active);
  await server.db.kysely.updateTable('resources').set({ enabled: true }).where('uri', 'in', [cons, plain]).execute();
  await server.app.rooms.resources.reload();
});

test('F log leaks', async () => {
  const log = server.logged();
  console.log('F eyJ', /eyJ[\w-]{5,}\.[\w-]+/.exec(log)?.[0]?.slice(0, 40), 'oat', /[a-z]+_(oat|pat)_\w+/.exec(log)?.[0], 'sec', log.includes(secret), log.includes(webSecret), 'bytes', log.length);
  console.log([...new Set(log.split('\n').filter((l) => l.includes('"level":50') || l.includes('"level":60')))].slice(0, 6).map((l) => l.slice(0, 700)).join('\n'));
});
