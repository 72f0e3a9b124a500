/**
 * Other MCP servers: the registry of those that a workspace uses, and what members connect there, with us as
 * the OAuth client. `upstream.ts` puts both together.
 */
export { ConnectError, type ConnectFailure } from './authorization-problem.ts';
export { clientDocument } from './client-document.ts';
export { createEndings, type Endings, endAllConnecting } from './connections-endings.ts';
export type { ConnectedMember, ConnectingBrowser, ConnectorStatus } from './connections-types.ts';
export { MustConnectError, ServerOffError } from './live.ts';
export { ProbeFailure } from './probe-failure.ts';
export { UpstreamProblem } from './problem.ts';
export type { McpServer } from './server.ts';
export { unknownServer } from './server-problems.ts';
export type { ServerName } from './server-queries.ts';
export { isOff } from './server-state-policy.ts';
export type { ChangedBy } from './servers.ts';
export { createUpstream, type Upstream, type WaysOut } from './upstream.ts';
