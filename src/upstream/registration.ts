import type { Insertable } from 'kysely';
import type { Database, UpstreamRegistrationsTable } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { callbackUri, clientDocumentUrl, clientMetadata } from './client-document.ts';
import { checkedEndpoint, type OAuthDiscovery } from './discovery-policy.ts';
import type { OAuthClient } from './oauth-client.ts';
import { UpstreamProblem } from './problem.ts';
import { readEnrolment } from './registration-answer.ts';
import {
  deleteRegistration,
  failConnectionsOfOthers,
  findGivenElsewhere,
  findRegistration,
  putRegistration,
} from './registration-queries.ts';
import {
  type AuthMethod,
  type Registration,
  secretContext,
  toRegistration,
} from './registration-row.ts';
import type { McpServer } from './server.ts';
import type { Ways } from './ways.ts';

export interface RegistrationDeps {
  db: Database;
  box: SecretBox;
  now: () => Date;
  /** Our own issuer. */
  issuer: string;
  ways: Ways;
  client: Pick<OAuthClient, 'enrol'>;
  discover: (url: string, requester: string) => Promise<OAuthDiscovery>;
  /** The secret that somebody gave for a server, in the clear. */
  givenSecret: (server: McpServer) => Promise<string | undefined>;
}

/** Seconds before a client secret expires in which a new one is fetched. */
const renewAhead = 3600;

/**
 * Who we are at the authorization server of a server: as somebody gave it, else by our own metadata document,
 * else by dynamic registration (MCP authorization 2026-07-28). What is known to one issuer is never sent to
 * another one (T20, U03): each has a registration of its own, and a changed issuer needs new consent.
 */
export function createRegistrations(deps: RegistrationDeps) {
  const { db, box, now, issuer: ourselves, ways, client, discover } = deps;

  /** What the server, or who registered it, says of its authorization server now. */
  async function discoveryOf(server: McpServer): Promise<OAuthDiscovery> {
    if (!hasGivenEndpoints(server)) return discover(server.url, server.workspaceId);
    const { oauthAuthorizationEndpoint: authorizationEndpoint, oauthTokenEndpoint: tokenEndpoint } =
      server;
    return {
      resource: server.url,
      issuer: new URL(checkedEndpoint('oauthTokenEndpoint', tokenEndpoint, ways.isWay)).origin,
      authorizationEndpoint: checkedEndpoint(
        'oauthAuthorizationEndpoint',
        authorizationEndpoint,
        ways.isWay,
      ),
      tokenEndpoint,
      codeChallengeMethodsSupported: ['S256'],
      clientIdMetadataDocumentSupported: false,
      authorizationResponseIssParameterSupported: false,
    };
  }

  async function newRegistration(
    server: McpServer,
    discovery: OAuthDiscovery,
  ): Promise<Registration> {
    const common = {
      ...{ serverId: server.id, issuer: discovery.issuer, discovery },
      redirectUri: callbackUri(ourselves, server.uuid),
    };
    const { oauthClientId: clientId } = server;
    if (clientId !== undefined) {
      const before = await findGivenElsewhere(db.kysely, common);
      if (before !== undefined) throw givenFor(before, discovery);
      const clientSecret = await deps.givenSecret(server);
      const authMethod = clientSecret === undefined ? 'none' : methodFor(discovery);
      return {
        ...{ ...common, kind: 'given', clientId, authMethod },
        ...(clientSecret !== undefined && { clientSecret }),
      };
    }
    if (discovery.clientIdMetadataDocumentSupported && ourselves.startsWith('https:')) {
      const documentUrl = clientDocumentUrl(ourselves, server.uuid);
      return { ...common, kind: 'document', clientId: documentUrl, authMethod: 'none' };
    }
    return { ...common, kind: 'dynamic', ...(await enrol(server, discovery)) };
  }

  async function enrol(
    server: McpServer,
    { issuer, registrationEndpoint, ...rest }: OAuthDiscovery,
  ) {
    if (registrationEndpoint === undefined) {
      throw new UpstreamProblem(
        'registration',
        `${issuer} registers no clients. Register one there with the redirect URI ${callbackUri(ourselves, server.uuid)}, and give oauthClientId and oauthClientSecret.`,
        { field: 'registration_endpoint' },
      );
    }
    const method = methodFor(rest);
    const metadata = clientMetadata(ourselves, server.uuid);
    const sent = { ...metadata, token_endpoint_auth_method: method };
    const place = { issuer, registrationEndpoint, requester: server.workspaceId };
    return readEnrolment(await client.enrol(place, sent), method);
  }

  return {
    /**
     * Our registration for a server, made where there is none or it does not fit any more.
     *
     * @throws UpstreamProblem
     */
    async ensure(server: McpServer): Promise<Registration> {
      const discovery = await discoveryOf(server);
      requirePkce(discovery);
      const at = { serverId: server.id, issuer: discovery.issuer };
      const row = await findRegistration(db.kysely, at);
      const known = row && toRegistration(row, box);
      const fits = known && stillFits(known, { server, discovery, ourselves, now: now() });
      const wanted = fits ? { ...known, discovery } : await newRegistration(server, discovery);
      // Two members who begin at once register twice: the first one counts, since it is in use already.
      const stored = await put(wanted, { over: row?.client_id });
      await failConnectionsOfOthers(db.kysely, at);
      return stored;
    },

    /** The one that a connection was made with. */
    async find(serverId: number, issuer: string): Promise<Registration | undefined> {
      const row = await findRegistration(db.kysely, { serverId, issuer });
      return row && toRegistration(row, box);
    },

    /** Forgets a registration that its issuer does not know any more: the next member makes another one. */
    async forgetIfUnknown({ kind, serverId, issuer }: Registration, problem: unknown) {
      const isUnknown =
        problem instanceof UpstreamProblem && problem.oauthError === 'invalid_client';
      if (isUnknown && kind === 'dynamic')
        await deleteRegistration(db.kysely, { serverId, issuer });
    },
  };

  /** @param replaced.over the client_id that it may take the place of @returns what is stored now */
  async function put(
    registration: Registration,
    { over }: { over: string | undefined },
  ): Promise<Registration> {
    const { serverId, issuer, clientSecret, discovery } = registration;
    const row: Insertable<UpstreamRegistrationsTable> = {
      server_id: serverId,
      issuer,
      kind: registration.kind,
      client_id: registration.clientId,
      client_secret_sealed:
        clientSecret === undefined ? null : box.seal(clientSecret, secretContext(registration)),
      client_secret_expires_at: registration.expiresAt ?? null,
      auth_method: registration.authMethod,
      redirect_uri: registration.redirectUri,
      discovery: JSON.stringify(discovery),
      created_at: now(),
    };
    await putRegistration(db.kysely, row, over);
    const stored = await findRegistration(db.kysely, { serverId, issuer });
    return stored ? toRegistration(stored, box) : registration;
  }
}

/** Somebody gave both endpoints, so that nothing is looked up, and no issuer is known. */
export function hasGivenEndpoints(
  server: McpServer,
): server is McpServer &
  Required<Pick<McpServer, 'oauthAuthorizationEndpoint' | 'oauthTokenEndpoint'>> {
  return server.oauthAuthorizationEndpoint !== undefined && server.oauthTokenEndpoint !== undefined;
}

export type Registrations = ReturnType<typeof createRegistrations>;

/** Attack: a server that names an authorization server of its own later, to be sent what we are known by (U03). */
function givenFor(before: string, { issuer }: OAuthDiscovery): UpstreamProblem {
  return new UpstreamProblem(
    'registration',
    `oauthClientId and oauthClientSecret were given for ${before}, and the server now names ${issuer}. Clear the registration, and give what ${issuer} knows us by.`,
    { field: 'oauthClientId' },
  );
}

/** MCP authorization: a client MUST refuse a server that does not say that it verifies PKCE. */
function requirePkce({ issuer, codeChallengeMethodsSupported: methods }: OAuthDiscovery): void {
  if (methods?.includes('S256')) return;
  throw new UpstreamProblem(
    'metadata',
    `code_challenge_methods_supported of ${issuer} has no S256, so nobody can connect safely.`,
    { field: 'code_challenge_methods_supported' },
  );
}

function stillFits(
  known: Registration,
  at: { server: McpServer; discovery: OAuthDiscovery; ourselves: string; now: Date },
): boolean {
  const { server, discovery, ourselves } = at;
  if (known.redirectUri !== callbackUri(ourselves, server.uuid)) return false;
  if (server.oauthClientId !== undefined) return false; // read again, it costs nothing
  if (known.kind === 'given') return false;
  if (known.kind === 'document') return discovery.clientIdMetadataDocumentSupported;
  return !known.expiresAt || known.expiresAt.getTime() > at.now.getTime() + renewAhead * 1000;
}

/** By the header unless the metadata says that only the body, or nothing, is taken (RFC 8414 §2). */
function methodFor({
  tokenEndpointAuthMethodsSupported: methods = ['client_secret_basic'],
}: Pick<OAuthDiscovery, 'tokenEndpointAuthMethodsSupported'>): AuthMethod {
  const known = ['client_secret_basic', 'client_secret_post', 'none'] as const;
  return known.find((method) => methods.includes(method)) ?? 'client_secret_basic';
}
