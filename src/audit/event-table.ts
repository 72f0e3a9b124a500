import { adminEvents } from './event-tables/admin.ts';
import { auditLogEvents } from './event-tables/audit-log.ts';
import { backupEvents } from './event-tables/backup.ts';
import { clientsEvents } from './event-tables/clients.ts';
import { consentEvents } from './event-tables/consent.ts';
import { federationEvents } from './event-tables/federation.ts';
import { issuersEvents } from './event-tables/issuers.ts';
import { keysEvents } from './event-tables/keys.ts';
import { mcpServersEvents } from './event-tables/mcp-servers.ts';
import { operationsEvents } from './event-tables/operations.ts';
import { peopleEvents } from './event-tables/people.ts';
import { reconnectLinksEvents } from './event-tables/reconnect-links.ts';
import { resourcesEvents } from './event-tables/resources.ts';
import { tokensEvents } from './event-tables/tokens.ts';
import { upstreamConnectionsEvents } from './event-tables/upstream-connections.ts';
import { workspaceCredentialsEvents } from './event-tables/workspace-credentials.ts';
import { workspaceInvitationsEvents } from './event-tables/workspace-invitations.ts';
import { workspacesEvents } from './event-tables/workspaces.ts';

/**
 * Every audit event there is: the one table from which the `AuditEvent` type and docs/audit-events.md
 * come. Detail fields keep wire names; none may ever hold a secret, a token or a password.
 */
export const auditEvents = {
  ...tokensEvents,
  ...consentEvents,
  ...clientsEvents,
  ...peopleEvents,
  ...adminEvents,
  ...keysEvents,
  ...resourcesEvents,
  ...operationsEvents,
  ...issuersEvents,
  ...federationEvents,
  ...workspacesEvents,
  ...reconnectLinksEvents,
  ...mcpServersEvents,
  ...workspaceCredentialsEvents,
  ...workspaceInvitationsEvents,
  ...upstreamConnectionsEvents,
  ...backupEvents,
  ...auditLogEvents,
} as const;
