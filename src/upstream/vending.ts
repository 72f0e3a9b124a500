import type { Workspaces } from '../accounts/index.ts';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { OAuthError, parseScope } from '../oauth/index.ts';
import type { Connections } from './connections.ts';
import type { Granted } from './connections-types.ts';
import { UpstreamProblem } from './problem.ts';
import type { McpServer } from './server.ts';
import type { Servers } from './servers.ts';

/** A token exchange whose target is none of our resources (RFC 8693 §2.1). */
export interface VendingRequest {
  /** The authenticated client that asks. */
  clientId: string;
  /** The subject token: verified, alive, and the client's to exchange. */
  subject: { jti: string; userId: string; workspaceId?: string | undefined };
  /** `mcp_…` or uuid of a server. */
  audience: readonly string[];
  /** URL of a server. */
  resource: readonly string[];
  scope: string | undefined;
}

export interface VendedToken {
  accessToken: string;
  scopes: readonly string[];
  /** Whole seconds; none where the authorization server did not tell. */
  expiresIn?: number;
}

export interface VendingDeps {
  db: Database;
  now: () => Date;
  workspaces: Pick<Workspaces, 'membership' | 'membershipsOf'>;
  servers: Pick<Servers, 'find' | 'byUrl'>;
  connections: Pick<Connections, 'accessFor' | 'connectLink'>;
}

export type Vending = ReturnType<typeof createVending>;

/** Names of servers: no other audience is looked up. */
const publicId = /^mcp_[0-9a-f]{8,64}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Hands the token that a member has at another MCP server to a client that an operator let have it: for that
 * member only, with nothing that was not connected, and never without a line in the audit log.
 */
export function createVending({ db, now, workspaces, servers, connections }: VendingDeps) {
  async function byName(name: string): Promise<McpServer | undefined> {
    if (publicId.test(name)) return servers.find({ publicId: name });
    return uuid.test(name) ? servers.find({ uuid: name }) : undefined;
  }

  /** Within the workspace of the subject token; of a token without one, within those of the person. */
  async function byUrl(url: string, { userId, workspaceId }: VendingRequest['subject']) {
    const workspaceIds =
      workspaceId === undefined
        ? (await workspaces.membershipsOf(userId)).map(({ id }) => id)
        : [workspaceId];
    const found = await servers.byUrl(url, workspaceIds);
    if (found.length < 2) return found[0];
    throw refuse(
      'Several MCP servers of this person have this URL. Send audience with the id of one, mcp_…',
      'ambiguous',
    );
  }

  async function serverFor(request: VendingRequest): Promise<McpServer> {
    const { audience, resource, subject } = request;
    const names = [...audience, ...resource].filter((name) => name !== '');
    if (names.length !== 1) {
      throw refuse('Name one MCP server, by audience or by resource.', 'several_targets');
    }
    const [name = ''] = names;
    const server = audience.includes(name) ? await byName(name) : await byUrl(name, subject);
    if (!server || !(await isTheirs(server, subject))) throw unknown();
    return server;
  }

  async function isTheirs({ workspaceId }: McpServer, subject: VendingRequest['subject']) {
    if (subject.workspaceId !== undefined && subject.workspaceId !== workspaceId) return false;
    const { userId } = subject;
    return (await workspaces.membership({ workspaceId, userId })) !== undefined;
  }

  async function accessTo(server: McpServer, userId: string): Promise<Granted & { token: object }> {
    const access = await connections.accessFor(server, userId).catch((error: unknown) => {
      if (error instanceof UpstreamProblem) return undefined;
      throw error;
    });
    if (access?.ok && access.token) return { ...access, token: access.token };
    if (access?.ok === false && access.code === 'authentication_required') {
      const authorizationUrl = await connections.connectLink(server, userId);
      throw new OAuthError(
        'consent_required',
        `The user has to connect this MCP server first, at authorization_url.`,
        { detail: { reason: 'not_connected' }, members: { authorization_url: authorizationUrl } },
      );
    }
    throw new OAuthError(
      'temporarily_unavailable',
      'The authorization server of this MCP server does not answer. Try again later.',
      { status: 503, headers: { 'Retry-After': String(retryAfterOf(access)) } },
    );
  }

  return {
    /** Whether a server is asked for: an audience has the form of its id, or the URL is one of the person's. */
    async isMeant({
      audience,
      resource,
      subject,
    }: Pick<VendingRequest, 'audience' | 'resource' | 'subject'>) {
      if (audience.some((name) => publicId.test(name) || uuid.test(name))) return true;
      for (const url of resource) if (await byUrl(url, subject)) return true;
      return false;
    },

    /** @throws OAuthError invalid_target, invalid_scope, consent_required, temporarily_unavailable */
    async vend(request: VendingRequest, meta: AuditMeta): Promise<VendedToken> {
      const { clientId, subject } = request;
      const server = await serverFor(request);
      const { userId } = subject;
      requireAllowed(server, clientId);
      const { token } = await accessTo(server, userId);
      requireConnected(parseScope(request.scope), token.scopes);
      // A refresh takes its time, and any of this may have changed meanwhile.
      requireAllowed(await serverFor(request), clientId);
      const { publicId: server_id, workspaceId: workspace_id } = server;
      await recordAudit(
        db.kysely,
        {
          type: 'upstream_token_vended',
          ...{ actor: { kind: 'client', id: clientId }, clientId, userId, resource: server.url },
          detail: {
            ...{ server_id, workspace_id, issuer: token.issuer },
            ...{ scopes: token.scopes, subject_jti: subject.jti },
          },
        },
        meta,
      );
      const expiresIn =
        token.expiresAt && Math.floor((token.expiresAt.getTime() - now().getTime()) / 1000);
      return {
        accessToken: token.value,
        scopes: token.scopes,
        ...(expiresIn !== undefined && { expiresIn }),
      };
    },
  };
}

/** @throws OAuthError invalid_target */
function requireAllowed({ gatewayClients, authType, enabled }: McpServer, clientId: string): void {
  if (!gatewayClients.includes(clientId)) {
    throw refuse(
      'This client may not have tokens for this MCP server. The operator lists who may in its gateway clients.',
      'not_a_gateway_client',
    );
  }
  if (authType !== 'oauth' || !enabled) {
    throw refuse('This MCP server is disabled, or has no tokens to hand out.', 'no_tokens');
  }
}

/** A stored token cannot be narrowed, and is never widened: what is asked for must have been connected. */
function requireConnected(requested: readonly string[], connected: readonly string[]): void {
  const beyond = requested.filter((scope) => !connected.includes(scope));
  if (beyond.length === 0) return;
  throw new OAuthError(
    'invalid_scope',
    `The user has connected this MCP server without ${beyond.join(' ')}. Ask for less, or have it connected again.`,
  );
}

function unknown(): OAuthError {
  return refuse(
    'No resource and no MCP server of this person has this name here. Send the id of one, mcp_…, as audience.',
    'unknown_server',
  );
}

function refuse(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_target', description, { detail: { reason } });
}

function retryAfterOf(access: object | undefined): number {
  const seconds = access && 'retryAfter' in access ? access.retryAfter : undefined;
  return typeof seconds === 'number' ? seconds : 30;
}
