import type { Context } from 'koa';
import type { McpServer } from '../upstream/index.ts';
import type { ApiCaller, ApiScope } from './caller.ts';
import { changedBy, createServerOf, type McpServersDeps, standingOf } from './mcp-servers-deps.ts';
import {
  disableQuery,
  discoveryRequest,
  listQuery,
  readBody,
  readParameters,
  serverIdIn,
} from './mcp-servers-input.ts';
import { withUpstream } from './mcp-servers-problems.ts';
import { managedMember, managedServer, type Standing } from './mcp-servers-wire.ts';
import type { ApiRoute } from './route.ts';

/** Where the management API has its servers. */
export const serversPath = '/api/v2/w/:workspace_uuid/mcp-servers';

interface OnServer {
  method: ApiRoute['method'];
  /** Below the server's own path. */
  at: string;
  scope: ApiScope;
  /** @returns the body of the answer */
  handle(server: McpServer, caller: ApiCaller, ctx: Context): Promise<object>;
}

/** `/api/v2/w/{workspace_uuid}/mcp-servers`: other MCP servers of a workspace, and what members do with them. */
export function mcpServerRoutes(deps: McpServersDeps): ApiRoute[] {
  const { upstream, memberOf } = deps;
  return [
    {
      ...{ method: 'GET', path: serversPath, scope: 'apps:read' },
      async handle(ctx, caller) {
        const { workspace } = await memberOf(caller, workspaceIn(ctx), 'apps:read');
        const query = readParameters(ctx, listQuery);
        const servers = await upstream.servers.of({ ...query, workspaceId: workspace.id });
        const ids = servers.map(({ id }) => id);
        const standings = await upstream.connections.statusesOf(ids, caller.user.id);
        ctx.body = servers.map((server) => shown(deps, server, standings.get(server.id)));
      },
    },
    {
      ...{ method: 'POST', path: `${serversPath}/oauth-discovery`, scope: 'apps:write' },
      handle: (ctx, caller) =>
        withUpstream(ctx, async () => {
          const { workspace } = await memberOf(caller, workspaceIn(ctx), 'apps:write');
          const { url } = await readBody(ctx, discoveryRequest);
          ctx.body = await upstream.connections.discover(upstream.checkUrl(url), workspace.id);
        }),
    },
    ...serverRoutes(deps).map((route) => onServer(deps, route)),
  ];
}

function serverRoutes(deps: McpServersDeps): OnServer[] {
  const { upstream } = deps;
  const { servers, live, connections } = upstream;
  const by = changedBy(deps);
  const show = async (server: McpServer, caller: ApiCaller) =>
    shown(deps, server, await standingOf(deps, server, caller));
  const asking = (server: McpServer, { user }: ApiCaller) => ({ server, userId: user.id });

  return [
    { method: 'GET', at: '', scope: 'apps:read', handle: show },
    {
      ...{ method: 'DELETE', at: '', scope: 'apps:admin' },
      async handle({ id }, caller) {
        await servers.remove(id, by(caller));
        return { success: true, id };
      },
    },
    {
      ...{ method: 'POST', at: '/credentials', scope: 'apps:write' },
      async handle(server, { user }) {
        upstream.requireDirectAuth(server);
        await connections.connectDirectly(server, user.id, deps.auditMeta());
        return { success: true, serverId: server.id, connectorStatus: 'connected' };
      },
    },
    {
      ...{ method: 'POST', at: '/disable', scope: 'apps:write' },
      async handle({ id }, caller, ctx) {
        const { clear_registration: clearRegistration } = readParameters(ctx, disableQuery);
        return show(await servers.disable(id, { clearRegistration }, by(caller)), caller);
      },
    },
    {
      ...{ method: 'POST', at: '/enable', scope: 'apps:write' },
      async handle(server, caller) {
        await live.enable(asking(server, caller), by(caller));
        return show((await servers.find({ id: server.id })) ?? server, caller);
      },
    },
    {
      ...{ method: 'GET', at: '/members', scope: 'apps:read' },
      handle: async ({ id }) => (await connections.membersOf(id)).map(managedMember),
    },
    {
      ...{ method: 'POST', at: '/test', scope: 'apps:read' },
      handle: (server, caller) => live.test(asking(server, caller), by(caller)),
    },
    {
      ...{ method: 'GET', at: '/tools', scope: 'apps:read' },
      handle: async (server, caller) => ({ tools: await live.tools(asking(server, caller)) }),
    },
    {
      ...{ method: 'GET', at: '/prompts', scope: 'apps:read' },
      handle: async (server, caller) => ({ prompts: await live.prompts(asking(server, caller)) }),
    },
    {
      ...{ method: 'GET', at: '/resources', scope: 'apps:read' },
      handle: async (server, caller) => ({
        resources: await live.resources(asking(server, caller)),
      }),
    },
  ];
}

function onServer(deps: McpServersDeps, { method, at, scope, handle }: OnServer): ApiRoute {
  const serverOf = createServerOf(deps);
  return {
    ...{ method, path: `${serversPath}/:server_id${at}`, scope },
    handle: (ctx, caller) =>
      withUpstream(ctx, async () => {
        const within = workspaceIn(ctx);
        const server = await serverOf(caller, { id: serverIdIn(ctx) }, { scope, within });
        ctx.body = await handle(server, caller, ctx);
      }),
  };
}

function workspaceIn(ctx: Context): string {
  return String(ctx.params.workspace_uuid);
}

function shown({ upstream }: McpServersDeps, server: McpServer, standing: Standing | undefined) {
  return managedServer(server, standing, upstream.iconUrl(server));
}
