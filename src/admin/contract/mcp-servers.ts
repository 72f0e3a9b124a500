import { z } from 'zod';
import { byId, exact, pageOf, paging, plain, route, search, time } from './route.ts';

const authType = z.enum(['none', 'api_key', 'oauth', 'direct_auth']);
const state = z
  .enum(['REGISTER', 'AUTHORIZE', 'READY'])
  .describe('How far it is set up: to be connected to, to be authorized by a member, working');

/** Another MCP server that a workspace uses. */
export const mcpServer = z.strictObject({
  id: z.string().describe('`mcp_…`, as in the REST API'),
  number: z.int().describe('Its id in the management API'),
  uuid: z.string(),
  workspace_id: z.string(),
  name: z.string(),
  url: z.string(),
  auth_type: authType,
  state,
  enabled: z.boolean(),
  oauth_client_id: z
    .string()
    .nullable()
    .describe('The client that somebody registered for us there'),
  oauth_scopes: z.string().nullable(),
  header_names: z.array(z.string()).describe('Headers that are sent too; their values are secret'),
  gateway_clients: z
    .array(z.string())
    .describe('Clients that may exchange for the tokens that members have there'),
  icon_url: z.string().nullable(),
  created_by: z.string().describe('Id of the person'),
  created_at: time,
  updated_at: time,
});

/** A member who has connected to it. */
export const mcpServerMember = z.strictObject({
  id: z.string().describe('Id of the person'),
  email: z.string(),
  name: z.string().nullable(),
  status: z.enum(['connected', 'error']),
  scopes: z.array(z.string()).describe('What was granted there'),
  connected_at: time,
  last_used_at: time.nullable(),
  expires_at: time.nullable(),
});

/** Other MCP servers, across workspaces. */
export const mcpServers = {
  list: route({
    ...plain,
    name: 'mcp-servers.list',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/mcp-servers',
    permission: 'viewer',
    summary: 'List MCP servers that workspaces use, newest first',
    query: z.strictObject({
      ...paging,
      ...search('id, name or URL'),
      sort: z.enum(['-created_at', 'created_at']).default('-created_at'),
      workspace_id: exact,
      auth_type: authType.optional(),
      state: state.optional(),
      enabled: z.enum(['true', 'false']).optional(),
    }),
    answer: pageOf(mcpServer),
  }),
  get: route({
    ...plain,
    name: 'mcp-servers.get',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/mcp-servers/{id}',
    permission: 'viewer',
    summary: 'One MCP server',
    params: byId,
    answer: mcpServer,
  }),
  members: route({
    ...plain,
    name: 'mcp-servers.members',
    workspaceAdmin: true,
    method: 'GET',
    path: '/admin/api/mcp-servers/{id}/members',
    permission: 'viewer',
    summary: 'Members who have connected to it, by e-mail address; 1,000 at most',
    params: byId,
    answer: z.strictObject({ items: z.array(mcpServerMember) }),
  }),
  update: route({
    ...plain,
    name: 'mcp-servers.update',
    method: 'PATCH',
    path: '/admin/api/mcp-servers/{id}',
    permission: 'operator',
    summary: 'Set which clients may exchange for the tokens that members have there',
    params: byId,
    body: z.strictObject({ gateway_clients: z.array(z.string().min(1).max(2048)).max(100) }),
    answer: mcpServer,
  }),
  disable: route({
    ...plain,
    name: 'mcp-servers.disable',
    method: 'POST',
    path: '/admin/api/mcp-servers/{id}/disable',
    permission: 'operator',
    summary: 'Disable it; members of the workspace can enable it again',
    params: byId,
    body: z.strictObject({
      clear_registration: z
        .boolean()
        .default(false)
        .describe('Also forget the client that we are there; every connection made with it ends'),
    }),
    answer: mcpServer,
  }),
  remove: route({
    ...plain,
    name: 'mcp-servers.remove',
    method: 'DELETE',
    path: '/admin/api/mcp-servers/{id}',
    permission: 'operator',
    summary: 'Delete it, with everything that members connected there',
    params: byId,
    answer: mcpServer.describe('As it was'),
  }),
};

export const mcpServerSchemas = { McpServer: mcpServer, McpServerMember: mcpServerMember };
