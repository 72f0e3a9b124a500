import { OAuthError } from '../oauth/index.ts';
import {
  type ChangedBy,
  type McpServer,
  type ServerName,
  type Upstream,
  unknownServer,
} from '../upstream/index.ts';
import type { ApiCaller, ApiScope, MemberOf } from './caller.ts';
import type { ApiDeps } from './deps.ts';
import type { Standing } from './mcp-servers-wire.ts';

/** What the routes of MCP servers work with. */
export type McpServersDeps = Pick<ApiDeps, 'config' | 'workspaces' | 'auditMeta' | 'bridge'> & {
  upstream: Upstream;
  memberOf: MemberOf;
};

/** Who changes something, for the audit log. */
export function changedBy({ auditMeta }: Pick<McpServersDeps, 'auditMeta'>) {
  return ({ user }: Pick<ApiCaller, 'user'>): ChangedBy => ({
    actor: { kind: 'user', id: user.id },
    meta: auditMeta(),
  });
}

/**
 * A server in a workspace of the caller. One of another workspace looks like one that is not there (AD07).
 *
 * @param within the workspace of the path, where there is one
 * @throws OAuthError 404; 403 for a member where only an admin may
 */
export function createServerOf({ upstream, memberOf }: McpServersDeps) {
  return async (
    caller: ApiCaller,
    which: ServerName,
    { scope, within }: { scope: ApiScope; within?: string },
  ): Promise<McpServer> => {
    if (within !== undefined) await memberOf(caller, within, scope);
    const server = await upstream.servers.find(which);
    if (!server || (within !== undefined && server.workspaceId !== within)) throw unknownServer();
    if (within === undefined) {
      await memberOf(caller, server.workspaceId, scope).catch((error: unknown) => {
        const isForeign = error instanceof OAuthError && error.status === 404;
        throw isForeign ? unknownServer() : error;
      });
    }
    return server;
  };
}

/** How a member stands to a server. */
export async function standingOf(
  { upstream }: Pick<McpServersDeps, 'upstream'>,
  { id }: McpServer,
  { user }: Pick<ApiCaller, 'user'>,
): Promise<Standing | undefined> {
  return (await upstream.connections.statusesOf([id], user.id)).get(id);
}
