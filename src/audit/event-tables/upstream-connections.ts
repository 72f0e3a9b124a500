import { event, list, optional, text, time } from '../fields.ts';

const server = text('the MCP server, `mcp_…`');
const workspace = text('the workspace that it belongs to');

/** What members connect at other MCP servers, and who is handed their tokens; `userId` is the member. */
export const upstreamConnectionsEvents = {
  upstream_connected: event('A member connected another MCP server.', {
    server_id: server,
    workspace_id: workspace,
    method: text('`oauth`, or `direct_auth` where no tokens are needed'),
    issuer: optional(text('the authorization server')),
    scopes: optional(list('what was granted there')),
  }),
  upstream_refreshed: event('The tokens of a connection were refreshed.', {
    server_id: server,
    workspace_id: workspace,
    issuer: text('the authorization server'),
    expires_at: optional(time('when the new access token expires')),
  }),
  upstream_refresh_refused: event(
    'The authorization server did not refresh the tokens of a connection; the member must connect again.',
    {
      server_id: server,
      workspace_id: workspace,
      issuer: text('the authorization server'),
      reason: text('its error code'),
    },
  ),
  upstream_disconnected: event('The connection of a member to another MCP server ended.', {
    server_id: server,
    workspace_id: workspace,
    reason: text(
      '`disconnected`, `member_left`, `user_ended`, `server_changed` or `registration_cleared`',
    ),
  }),
  upstream_connect_refused: event(
    'Somebody came back from another authorization server, and was not connected.',
    {
      server_id: optional(server),
      reason: text('why, as on the page that they saw'),
    },
  ),
  upstream_token_vended: event(
    'A client exchanged a token for the token that a member has at another MCP server.',
    {
      server_id: server,
      workspace_id: workspace,
      issuer: text('the authorization server that issued it'),
      scopes: list('its scopes'),
      subject_jti: text('the exchanged token'),
    },
  ),
} as const;
