import { changes, event, flag, list, number, optional, text } from '../fields.ts';

const server = text('the MCP server, `mcp_…`');
const workspace = text('the workspace that it belongs to');

/** Other MCP servers that members of a workspace registered. */
export const mcpServersEvents = {
  mcp_server_created: event('Another MCP server was registered in a workspace.', {
    server_id: server,
    workspace_id: workspace,
    name: text('what people call it'),
    url: text('its address'),
    auth_type: text('`none`, `api_key`, `oauth` or `direct_auth`'),
  }),
  mcp_server_updated: event('A registered MCP server was changed.', {
    server_id: server,
    workspace_id: workspace,
    changes: changes('what changed; of secrets only that they did'),
    credentials_dropped: flag('whether tokens and registrations of it ended'),
  }),
  mcp_server_enabled: event('A registered MCP server was enabled.', {
    server_id: server,
    workspace_id: workspace,
    by: text('`enable`, `test` or `connection`: what showed that it works'),
  }),
  mcp_server_disabled: event('A registered MCP server was disabled.', {
    server_id: server,
    workspace_id: workspace,
    registration_cleared: flag('whether we forgot the client that we are there'),
  }),
  mcp_server_tested: event('A registered MCP server was connected to for a test.', {
    server_id: server,
    workspace_id: workspace,
    success: flag('whether it answered as an MCP server'),
    latency_ms: number('how long it took'),
    problem: optional(text('what was wrong')),
  }),
  mcp_server_gateway_clients_changed: event(
    'Other clients may exchange tokens for those of the members of an MCP server.',
    {
      server_id: server,
      workspace_id: workspace,
      from: list('client_ids before'),
      to: list('client_ids now'),
    },
  ),
  mcp_server_deleted: event('A registered MCP server was deleted, with every credential for it.', {
    server_id: server,
    workspace_id: workspace,
    name: text('what people called it'),
    url: text('its address'),
  }),
} as const;
