/**
 * What the admin API takes and answers, noun by noun: the one table from which the router, the typed
 * client and docs/openapi.json come. Shared with the browser, so it imports nothing but zod.
 */
import { z } from 'zod';
import { apiKeySchemas, apiKeys } from './api-keys.ts';
import { audit, auditSchemas } from './audit.ts';
import { clientSchemas, clients } from './clients.ts';
import { doctor, doctorSchemas } from './doctor.ts';
import { document } from './document.ts';
import { flowSchemas, flows } from './flows.ts';
import { grantSchemas, grants } from './grants.ts';
import { identityProviderSchemas, identityProviders } from './identity-providers.ts';
import { inspector, inspectorSchemas } from './inspector.ts';
import { issuanceSchemas, issuances } from './issuances.ts';
import { keySchemas, keys } from './keys.ts';
import { maintenance, maintenanceSchemas } from './maintenance.ts';
import { mcpServerSchemas, mcpServers } from './mcp-servers.ts';
import { resourceSchemas, resources } from './resources.ts';
import type { Route } from './route.ts';
import { session, sessionSchemas } from './session.ts';
import { settings, settingsSchemas } from './settings.ts';
import { stats, statsSchemas } from './stats.ts';
import { tokenSchemas, tokens } from './tokens.ts';
import { trustedIssuerSchemas, trustedIssuers } from './trusted-issuers.ts';
import { userSchemas, users } from './users.ts';
import { workspaceCredentialSchemas, workspaceCredentials } from './workspace-credentials.ts';
import { workspaceSchemas, workspaces } from './workspaces.ts';

export type { Permission, Route } from './route.ts';
export {
  apiKeys,
  audit,
  clients,
  doctor,
  document,
  flows,
  grants,
  identityProviders,
  inspector,
  issuances,
  keys,
  maintenance,
  mcpServers,
  resources,
  session,
  settings,
  stats,
  tokens,
  trustedIssuers,
  users,
  workspaceCredentials,
  workspaces,
};

/** Every noun with its routes. */
export const contract = {
  'api-keys': apiKeys,
  audit,
  clients,
  doctor,
  document,
  flows,
  grants,
  'identity-providers': identityProviders,
  inspector,
  issuances,
  keys,
  maintenance,
  'mcp-servers': mcpServers,
  resources,
  session,
  settings,
  stats,
  tokens,
  'trusted-issuers': trustedIssuers,
  users,
  'workspace-credentials': workspaceCredentials,
  workspaces,
};

/** Every route that there is. */
export const routes: readonly Route[] = Object.values(contract).flatMap((noun) =>
  Object.values<Route>(noun),
);

/** What every failed call answers. */
export const failure = z.strictObject({
  error: z.string().describe('A code of docs/errors.md'),
  error_description: z.string().describe('What was wrong and what to do'),
  trace_id: z.string().describe('Finds the line of the log with the full reason'),
});

/** The schemas that have a name in openapi.json. */
export const schemas: Readonly<Record<string, z.ZodType>> = {
  ...apiKeySchemas,
  ...auditSchemas,
  ...clientSchemas,
  ...doctorSchemas,
  ...flowSchemas,
  ...grantSchemas,
  ...identityProviderSchemas,
  ...inspectorSchemas,
  ...issuanceSchemas,
  ...keySchemas,
  ...maintenanceSchemas,
  ...mcpServerSchemas,
  ...resourceSchemas,
  ...sessionSchemas,
  ...settingsSchemas,
  ...statsSchemas,
  ...tokenSchemas,
  ...trustedIssuerSchemas,
  ...userSchemas,
  ...workspaceCredentialSchemas,
  ...workspaceSchemas,
  Error: failure,
};
