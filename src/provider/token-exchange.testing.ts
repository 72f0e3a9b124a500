import { grantTypes, tokenTypes } from '../oauth/index.ts';
import { basic, granted } from './answers.testing.ts';
import type { Browser } from './browser.testing.ts';
import { code, good, redeem, type Tokens, tokens } from './flow.testing.ts';
import {
  alice,
  rs1,
  startServer,
  type TestServer,
  webCallback,
  webSecret,
} from './server.testing.ts';

/** `src` is where the subject tokens are for; TOOL, TOOL2, TOOL3 and DEEP are its servers. */
export const src = 'https://src.test/mcp';
/** Towards `partner` and `bound` (which wants DPoP) the operator lets TOOL exchange. */
export const partner = 'https://partner.test/mcp';
export const bound = 'https://bound.test/mcp';
/** Towards `mine` the user must have consented; only `staff` may use `limited`. */
export const mine = 'https://mine.test/mcp';
export const limited = 'https://limited.test/mcp';
/** A resource whose tokens are opaque. */
export const opaque = 'https://opaque.test/mcp';
/** Towards `masked` TOOL exchanges without being named. */
export const masked = 'https://masked.test/mcp';

const operator = 'exchange: { clients: [TOOL, TOOL2, TOOL3, MACHINE], consent: operator }';
const resources = `
  - slug: src
    uri: ${src}
    clients: [TOOL, TOOL2, TOOL3]
    default_scopes: ["s:read"]
    scopes:
      - { name: "s:read" }
      - { name: "s:write", implies: ["s:read"] }
      - { name: "both" }
  - { slug: partner, uri: "${partner}", clients: [PARTNER], access_ttl: 10m, default_scopes: ["p:use"], scopes: [{ name: "p:use" }, { name: "p:admin" }, { name: "both" }], ${operator} }
  - { slug: bound, uri: "${bound}", dpop: required, scopes: [{ name: "b:use" }], ${operator} }
  - { slug: mine, uri: "${mine}", clients: [MINE], scopes: [{ name: "m:read" }, { name: "m:write" }], exchange: { clients: [TOOL] } }
  - { slug: limited, uri: "${limited}", clients: [MINE], scopes: [{ name: "l:use" }, { name: "l:all" }], access: [{ groups: [staff], scopes: ["l:use"] }], ${operator} }
  - { slug: opaque, uri: "${opaque}", clients: [TOOL], token_format: opaque, token_prefix: op, scopes: [{ name: "o:use" }, { name: "o:more" }], ${operator} }
  - { slug: masked, uri: "${masked}", clients: [MINE], scopes: [{ name: "k:use" }], exchange: { clients: [TOOL, TOOL2, TOOL3], consent: operator, impersonation: [TOOL] } }`;

/** A server with these resources, and the clients that exchange. */
export async function startExchange(
  options: Parameters<typeof startServer>[0] = {},
): Promise<TestServer> {
  const server = await startServer({ ...options, resources });
  const by = { actor: { kind: 'cli' as const }, meta: { at: server.now() } };
  const create = (client_id: string, more: Record<string, unknown> = {}) =>
    server.app.rooms.clients.create(
      { client_id, client_secret: webSecret, grant_types: [grantTypes.tokenExchange], ...more },
      'cli',
      by,
    );
  const people = [grantTypes.authorizationCode, grantTypes.refreshToken, grantTypes.tokenExchange];
  const web = { redirect_uris: [webCallback], grant_types: people };
  for (const id of ['TOOL', 'WEB3']) await create(id, web);
  for (const id of ['TOOL2', 'TOOL3', 'PARTNER', 'MINE', 'STRANGER']) await create(id);
  const grants = [grantTypes.clientCredentials, grantTypes.tokenExchange];
  await create('MACHINE', { grant_types: grants });
  await create('CUT', { grant_types: grants, scope: 's:read' });
  return server;
}

export const as = (clientId: string) => basic(clientId, webSecret);

/** A token of alice for `src`, issued to the public client. */
export function subjectToken(
  server: TestServer,
  changes: Record<string, string> = {},
  options: { browser?: Browser } = {},
): Promise<Tokens> {
  return tokens(server, good({ resource: src, scope: 's:write', ...changes }), options);
}

/** A token that was issued to a confidential client. */
export async function tokenOf(
  server: TestServer,
  clientId: string,
  changes: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Tokens> {
  const params = { client_id: clientId, redirect_uri: webCallback, resource: rs1, ...changes };
  const flow = good(params);
  const value = await code(server, flow);
  return granted(await redeem(server, flow, value, {}, { ...as(clientId), ...headers }));
}

/** A token of a client's own (RFC 6749 §4.4). */
export async function machineToken(
  server: TestServer,
  clientId: string,
  form: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Tokens> {
  const grant = { grant_type: grantTypes.clientCredentials, resource: src };
  const sent = { ...as(clientId), ...headers };
  return granted(await server.post('/oauth/token', { ...grant, ...form }, sent));
}

/** Exchanges a token; undefined removes a parameter. */
export function exchange(
  server: TestServer,
  subject: string,
  {
    by = 'TOOL',
    headers = {},
    ...changes
  }: {
    by?: string;
    headers?: Record<string, string>;
    form?: Record<string, string | string[] | undefined>;
  } = {},
): Promise<Response> {
  const form: Record<string, string | string[] | undefined> = {
    grant_type: grantTypes.tokenExchange,
    subject_token: subject,
    subject_token_type: tokenTypes.accessToken,
    ...changes.form,
  };
  const kept = Object.entries(form).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return server.post('/oauth/token', Object.fromEntries(kept), { ...as(by), ...headers });
}

/** An answer of RFC 8693 §2.2.1. */
export interface Exchanged extends Tokens {
  issued_token_type: string;
}

/** The answer to an exchange that must succeed. */
export async function exchanged(...args: Parameters<typeof exchange>): Promise<Exchanged> {
  const answer: Tokens = await granted(await exchange(...args));
  return { issued_token_type: '', ...answer };
}

/** What a token is to a client that may ask (RFC 7662). */
export async function introspect(
  server: TestServer,
  token: string,
  by = 'TOOL',
): Promise<Record<string, unknown>> {
  const answer = await server.post('/oauth/introspect', { token }, as(by));
  return JSON.parse(await answer.text());
}

/** A personal access token of alice for `src`. */
export async function personalToken(server: TestServer, scopes: string[]) {
  const { rooms } = server.app;
  const { id: userId } = await server.db.kysely
    .selectFrom('users')
    .select('id')
    .where('email', '=', alice.email)
    .executeTakeFirstOrThrow();
  const resource = rooms.resources.resolve(src);
  if (!resource) throw new Error('no such resource');
  const by = { actor: { kind: 'user' as const, id: userId }, meta: { at: server.now() } };
  return rooms.tokens.personal.create({ userId, resource, scopes, name: 'laptop' }, by);
}
