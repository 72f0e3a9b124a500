import { type ApiCaller, unknownWorkspace } from './caller.ts';
import { changedBy, createServerOf, type McpServersDeps, standingOf } from './mcp-servers-deps.ts';
import {
  changedFields,
  newServer,
  readBody,
  readParameters,
  restListQuery,
} from './mcp-servers-input.ts';
import { withUpstream } from './mcp-servers-problems.ts';
import { restServer } from './mcp-servers-wire.ts';
import type { ApiRoute } from './route.ts';

/** `/api/mcp-servers`: other MCP servers by their prefixed id. */
export function mcpServerRestRoutes(deps: McpServersDeps): ApiRoute[] {
  const { upstream, memberOf } = deps;
  const serverOf = createServerOf(deps);
  const by = changedBy(deps);

  return [
    {
      ...{ method: 'POST', path: '/api/mcp-servers', scope: 'apps:write' },
      async handle(ctx, caller) {
        const { workspaceId, ...input } = await readBody(ctx, newServer);
        const { workspace } = await memberOf(caller, workspaceId, 'apps:write');
        const which = { workspaceId: workspace.id, userId: caller.user.id, input };
        const server = await upstream.servers.create(which, by(caller));
        ctx.status = 201;
        ctx.body = restServer(server, undefined);
      },
    },
    {
      ...{ method: 'GET', path: '/api/mcp-servers', scope: 'apps:read' },
      async handle(ctx, caller) {
        const { workspaceId, ...query } = readParameters(ctx, restListQuery);
        const workspaceIds = await workspacesOf(deps, caller, workspaceId);
        const page = await upstream.servers.list({ ...query, workspaceIds });
        const ids = page.items.map(({ id }) => id);
        const standings = await upstream.connections.statusesOf(ids, caller.user.id);
        const items = page.items.map((server) => restServer(server, standings.get(server.id)));
        ctx.body = { items, next_cursor: page.next_cursor ?? null };
      },
    },
    {
      ...{ method: 'GET', path: '/api/mcp-servers/:id', scope: 'apps:read' },
      async handle(ctx, caller) {
        const which = { publicId: String(ctx.params.id) };
        const server = await serverOf(caller, which, { scope: 'apps:read' });
        ctx.body = restServer(server, await standingOf(deps, server, caller));
      },
    },
    {
      ...{ method: 'PATCH', path: '/api/mcp-servers/:id', scope: 'apps:write' },
      handle: (ctx, caller) =>
        withUpstream(ctx, async () => {
          const which = { publicId: String(ctx.params.id) };
          const { id } = await serverOf(caller, which, { scope: 'apps:write' });
          const input = await readBody(ctx, changedFields);
          const server = await upstream.servers.update(id, input, by(caller));
          ctx.body = restServer(server, await standingOf(deps, server, caller));
        }),
    },
    {
      ...{ method: 'DELETE', path: '/api/mcp-servers/:id', scope: 'apps:admin' },
      async handle(ctx, caller) {
        const which = { publicId: String(ctx.params.id) };
        const server = await serverOf(caller, which, { scope: 'apps:admin' });
        await upstream.servers.remove(server.id, by(caller));
        ctx.status = 204;
      },
    },
  ];
}

/** The one that was asked for, or all of the caller's that the token is good for. */
async function workspacesOf(
  { workspaces, memberOf }: McpServersDeps,
  caller: ApiCaller,
  asked: string | undefined,
): Promise<string[]> {
  if (asked !== undefined) return [(await memberOf(caller, asked, 'apps:read')).workspace.id];
  const { workspaceId } = caller;
  const all = await workspaces.membershipsOf(caller.user.id);
  const own = all.map(({ id }) => id).filter((id) => (workspaceId ?? id) === id);
  if (workspaceId !== undefined && own.length === 0) throw unknownWorkspace();
  return own;
}
