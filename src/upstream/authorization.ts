import { randomBytes } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { findMembership, lockMembership } from '../accounts/index.ts';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import { type Database, hashId } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { identityScopes, parseScope } from '../oauth/index.ts';
import { ConnectError, type ConnectFailure } from './authorization-problem.ts';
import {
  insertAuthorization,
  type PendingAuthorization,
  putConnection,
  takeAuthorization,
} from './connections-queries.ts';
import { sealTokens } from './connections-sealing.ts';
import type { ConnectingBrowser } from './connections-types.ts';
import type { createIssuerLookup, OAuthDiscovery } from './discovery.ts';
import type { OAuthClient } from './oauth-client.ts';
import { UpstreamProblem } from './problem.ts';
import { hasGivenEndpoints, type Registrations } from './registration.ts';
import type { Registration } from './registration-row.ts';
import type { McpServer } from './server.ts';
import { lockServer } from './server-queries.ts';
import type { Servers } from './servers.ts';
import type { UpstreamTokens } from './token-answer.ts';

/** Milliseconds that a person has at the other server, or to open a link (T15). */
const validFor = 10 * 60_000;

export interface AuthorizationDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  /** Our own issuer. */
  issuer: string;
  client: Pick<OAuthClient, 'redeem'>;
  registrations: Registrations;
  servers: Pick<Servers, 'find' | 'connected'>;
  issuerMetadata: ReturnType<typeof createIssuerLookup>;
}

/** An answer that a browser brought. */
export interface ConnectAnswer {
  /** Of the callback's path. */
  uuid: string;
  /** Of the callback, as it came. */
  query: string;
  userId: string;
  browser: ConnectingBrowser;
}

export type Authorization = ReturnType<typeof createAuthorization>;

/** How a member connects: the browser goes out with {@link begin} and comes back to {@link accept}. */
export function createAuthorization(deps: AuthorizationDeps) {
  const { db, box, now, registrations, servers } = deps;

  /** Membership is asked for anew at every step: people leave. */
  async function requireMember({ workspaceId, publicId }: McpServer, userId: string) {
    const membership = await findMembership(db.kysely, { workspaceId, userId });
    if (!membership) throw new ConnectError('gone', { serverId: publicId, userId });
    return membership;
  }

  function check(
    pending: PendingAuthorization,
    { uuid, userId, browser }: ConnectAnswer,
    server: McpServer | undefined,
  ): McpServer {
    const refuse = (failure: ConnectFailure) =>
      new ConnectError(failure, { userId, ...(server && { serverId: server.publicId }) });
    const isHere =
      pending.browser_hash === hashId(browser.mark) &&
      pending.session_hash === hashId(browser.sessionUid);
    // Attack: somebody else finishes what a member began, or has a member finish what they began (T21).
    if (!isHere || pending.user_id !== userId) throw refuse('browser');
    if (pending.expires_at <= now()) throw refuse('expired');
    if (server?.url !== pending.server_url) throw refuse('gone');
    if (server.uuid !== uuid) throw refuse('swapped');
    return server;
  }

  async function redeem(
    server: McpServer,
    registration: Registration,
    { pending, query, state }: { pending: PendingAuthorization; query: string; state: string },
  ): Promise<UpstreamTokens> {
    const answer = new URLSearchParams(query);
    if (hasGivenEndpoints(server)) {
      await requireItsEndpoint(deps, answer.getAll('iss'), server);
      answer.delete('iss');
    }
    return deps.client.redeem(registration, {
      ...{ query: answer, state, resource: pending.resource },
      codeVerifier: box.open(pending.verifier_sealed, contextOf(state)),
      scopes: parseScope(pending.scope),
      requester: server.workspaceId,
    });
  }

  /** Everything is asked again where it cannot change any more: who leaves or changes it now, waits. */
  async function store(
    server: McpServer,
    { userId, issuer, tokens }: { userId: string; issuer: string; tokens: UpstreamTokens },
    meta: AuditMeta,
  ): Promise<void> {
    const owner = { serverId: server.id, userId, issuer };
    const at = now();
    const actor = { kind: 'user', id: userId } as const;
    await db.kysely.transaction().execute(async (trx) => {
      const row = await lockServer(trx, { id: server.id });
      const role = await lockMembership(trx, { workspaceId: server.workspaceId, userId });
      if (row?.url !== server.url || row.auth_type !== 'oauth' || role === undefined) {
        throw new ConnectError('gone', { serverId: server.publicId, userId });
      }
      await putConnection(trx, {
        ...{ server_id: server.id, user_id: userId, id: newId(), kind: 'oauth', issuer },
        ...{ status: 'connected', problem: null, lease: null, lease_until: null },
        ...sealTokens(box, owner, tokens),
        scopes: tokens.scopes,
        expires_at: tokens.expiresAt ?? null,
        ...{ connected_at: at, refreshed_at: null, last_used_at: null },
      });
      const { publicId: server_id, workspaceId: workspace_id } = server;
      const detail = { server_id, workspace_id, method: 'oauth', issuer, scopes: tokens.scopes };
      await recordAudit(trx, { type: 'upstream_connected', actor, userId, detail }, meta);
      await servers.connected(trx, server.id, { actor, meta });
    });
  }

  return {
    /**
     * Where to send the browser of a member who wants to connect.
     *
     * @throws UpstreamProblem; ConnectError for who is no member any more
     */
    async begin(server: McpServer, userId: string, browser: ConnectingBrowser): Promise<URL> {
      await requireMember(server, userId);
      const registration = await registrations.ensure(server);
      const { discovery, clientId, redirectUri } = registration;
      const [state, codeVerifier] = [newSecret(), newSecret()];
      const scopes = scopesFor(server, discovery);
      const url = new URL(discovery.authorizationEndpoint);
      const parameters = {
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        resource: discovery.resource,
        state,
        ...(scopes.length > 0 && { scope: scopes.join(' ') }),
        ...(scopes.includes('offline_access') && { prompt: 'consent' }),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      const at = now();
      await insertAuthorization(db.kysely, {
        state_hash: hashId(state),
        ...{ server_id: server.id, server_url: server.url, user_id: userId },
        issuer: discovery.issuer,
        browser_hash: hashId(browser.mark),
        session_hash: hashId(browser.sessionUid),
        verifier_sealed: box.seal(codeVerifier, contextOf(state)),
        ...{ scope: scopes.join(' '), resource: discovery.resource },
        ...{ created_at: at, expires_at: new Date(at.getTime() + validFor) },
      });
      return url;
    },

    /**
     * Takes the answer of an authorization server and holds it to what was begun: once, within ten minutes,
     * in the same browser and session, by the same member, at the callback of the same server. Nothing is
     * stored otherwise (U05, U13).
     *
     * @throws ConnectError
     */
    async accept(answer: ConnectAnswer, meta: AuditMeta): Promise<McpServer> {
      const states = new URLSearchParams(answer.query).getAll('state');
      const state = states.length === 1 ? states[0] : undefined;
      const pending = state ? await takeAuthorization(db.kysely, hashId(state)) : undefined;
      if (!pending || state === undefined)
        throw new ConnectError('state', { userId: answer.userId });
      const found = await servers.find({ id: pending.server_id });
      const server = check(pending, answer, found);
      const { user_id: userId, issuer } = pending;
      await requireMember(server, userId);
      const registration = await registrations.find(server.id, issuer);
      const place = { serverId: server.publicId, userId };
      if (!registration) throw new ConnectError('gone', place);
      const brought = { pending, query: answer.query, state };
      const tokens = await redeem(server, registration, brought).catch(async (cause) => {
        await registrations.forgetIfUnknown(registration, cause);
        throw new ConnectError(failureOf(cause), { ...place, cause });
      });
      await store(server, { userId, issuer, tokens }, meta);
      return server;
    },
  };
}

/**
 * Whoever gave endpoints told no issuer to compare with; so an issuer that names itself (RFC 9207) must have
 * that token endpoint. Attack: a member who gives the authorization endpoint of one server and a token
 * endpoint of their own, to which the codes of the others then go (mix-up, RFC 9700 §4.4).
 *
 * @throws UpstreamProblem
 */
async function requireItsEndpoint(
  { issuerMetadata }: Pick<AuthorizationDeps, 'issuerMetadata'>,
  [iss, ...more]: readonly string[],
  { oauthTokenEndpoint, workspaceId }: McpServer & { oauthTokenEndpoint: string },
): Promise<void> {
  if (iss === undefined) return;
  const isAt = URL.parse(iss)?.origin === new URL(oauthTokenEndpoint).origin;
  if (isAt && more.length === 0) return;
  const metadata = more.length === 0 ? await issuerMetadata(iss, workspaceId) : undefined;
  if (metadata?.tokenEndpoint === oauthTokenEndpoint) return;
  const problem = 'iss of the answer is an issuer with another token endpoint.';
  throw new UpstreamProblem('tokens', problem, { field: 'iss' });
}

/** What the server's registration says, else what the server itself asks for; `offline_access` where it exists. */
function scopesFor({ oauthScopes }: McpServer, discovery: OAuthDiscovery): string[] {
  const given = parseScope(oauthScopes);
  const asked = given.length > 0 ? given : (discovery.scopesRequested ?? []);
  const own = asked.filter((scope) => given.length > 0 || !identityScopes.has(scope));
  const [offline] = ['offline_access'].filter((one) => discovery.scopesSupported?.includes(one));
  return [...new Set([...own, ...(offline === undefined ? [] : [offline])])];
}

function failureOf(error: unknown): ConnectFailure {
  if (!(error instanceof UpstreamProblem)) throw error;
  if (error.oauthError === 'access_denied') return 'cancelled';
  if (error.code === 'unreachable' || error.code === 'paused') return 'unreachable';
  return error.code === 'refused' ? 'refused_there' : 'not_accepted';
}

const contextOf = (state: string) => `upstream_authorization:${hashId(state)}`;

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function newId(): string {
  return `con_${randomBytes(15).toString('hex')}`;
}
