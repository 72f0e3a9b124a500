import type {
  ConnectedServer,
  Connector,
  DefaultCredential,
  ShownEndpoint,
  WorkspaceView,
} from '../accounts/index.ts';
import { listWorkspaceGrants } from '../consent/index.ts';
import { type Resource, scopesOfUser } from '../resources/index.ts';
import type { WorkspaceCredential } from '../tokens/index.ts';
import { shownTokens } from './account-tokens.ts';
import type { ProviderDeps } from './deps.ts';
import { provenanceOf } from './provenance.ts';
import type { Visitor } from './workspace-access.ts';

/** Other MCP servers of a workspace, as one of its members stands to them. */
export type ConnectedServers = (
  user: Visitor['user'],
  workspace: Visitor['workspace'],
) => Promise<readonly ConnectedServer[]>;

/** What the page shows that has to be read first. */
export type WorkspaceFacts = Pick<
  WorkspaceView,
  'endpoints' | 'connectors' | 'credentials' | 'servers' | 'tokens'
>;

/** Members of a page of their list. */
export const membersShown = 100;

/** Reads what acts in a workspace, as far as this member may see it. */
export async function readFacts(
  deps: ProviderDeps,
  visitor: Visitor,
  connectedServers: ConnectedServers,
): Promise<WorkspaceFacts> {
  const { user, workspace, url } = visitor;
  const isAdmin = workspace.role === 'admin';
  const usable = usableResources(deps, visitor);
  const made = await deps.tokens.credentials.list({ workspaceId: workspace.id });
  const tokens = await shownTokens(deps, user.id, workspace.id);
  return {
    endpoints: usable.map((resource) => endpointOf(visitor, resource)),
    connectors: [
      ...(await grantsOf(deps, visitor)),
      ...made
        .filter(
          ({ kind, createdBy }) => kind === 'connector' && (isAdmin || createdBy.id === user.id),
        )
        .map((one) => credentialConnector(deps, visitor, one)),
    ],
    credentials: usable
      .filter(({ dpop }) => dpop !== 'required')
      .map((resource) => defaultCredential(resource, made)),
    tokens: {
      tokens,
      revokeAction: `${deps.base}/account/tokens/revoke`,
      returnTo: url,
      links: tokenLinks(deps, visitor, usable),
    },
    servers: await connectedServers(user, workspace),
  };
}

/** What this member may use in this workspace. */
export function usableResources({ resources }: ProviderDeps, { user, workspace }: Visitor) {
  return resources
    .all()
    .filter(({ enabled, workspaceScoped }) => enabled && workspaceScoped)
    .filter(
      (resource) =>
        scopesOfUser(resource, { ...user, workspaceRoles: [workspace.role] }).length > 0,
    );
}

/** A resource as clients of this workspace reach it. */
export function endpointOf({ workspace }: Visitor, resource: Resource): ShownEndpoint {
  const { uri, slug, displayName, dpop } = resource;
  const name = `${workspace.slug}-${slug}`.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 64);
  return { url: uri, name, title: displayName, bearer: dpop !== 'required' };
}

export function defaultCredential(
  { slug, displayName, uri }: Resource,
  made: readonly WorkspaceCredential[],
): DefaultCredential {
  const current = made.find(({ kind, resource }) => kind === 'default' && resource === uri);
  return {
    ...{ slug, title: displayName, uri },
    ...(current && {
      current: {
        ...{ id: current.id, by: current.createdBy.email, since: current.createdAt },
        ...(current.lastUsedAt && { lastUsed: current.lastUsedAt }),
        ...(current.lastUsedIp !== undefined && { lastUsedThrough: current.lastUsedIp }),
      },
    }),
  };
}

async function grantsOf(deps: ProviderDeps, { user, workspace }: Visitor): Promise<Connector[]> {
  const isAdmin = workspace.role === 'admin';
  const rows = await listWorkspaceGrants(deps.db.kysely, {
    workspaceId: workspace.id,
    ...(!isAdmin && { userId: user.id }),
  });
  const clients = new Map<string, Awaited<ReturnType<typeof deps.clients.find>>>();
  for (const clientId of new Set(rows.map((row) => row.clientId))) {
    clients.set(clientId, await deps.clients.find(clientId, { refresh: false }));
  }
  return rows.map((row) => {
    const client = clients.get(row.clientId);
    const resource = deps.resources.resolve(row.resource);
    return {
      id: row.id,
      name: client?.clientName ?? row.clientId,
      known: client ? provenanceOf(client) : { kind: 'dcr' },
      ...(row.user.id !== user.id && { by: row.user.email }),
      resource: { name: resource?.displayName ?? row.resource, uri: row.resource },
      scopes: row.scopes.map(
        (name) => resource?.scopes.find((scope) => scope.name === name)?.description || name,
      ),
      since: row.createdAt,
      ...(row.lastUsedAt && { lastUsed: row.lastUsedAt }),
    };
  });
}

function credentialConnector(
  { resources }: ProviderDeps,
  { user }: Visitor,
  made: WorkspaceCredential,
): Connector {
  const resource = resources.resolve(made.resource);
  const through = made.connector?.kind === 'reconnect_link' ? 'reconnect link' : undefined;
  return {
    id: made.id,
    name: made.label,
    known: { kind: 'credential', ...(through && { through }) },
    ...(made.createdBy.id !== user.id && { by: made.createdBy.email }),
    resource: { name: resource?.displayName ?? made.resource, uri: made.resource },
    since: made.createdAt,
    ...(made.lastUsedAt && { lastUsed: made.lastUsedAt }),
    ...(made.lastUsedIp !== undefined && { lastUsedThrough: made.lastUsedIp }),
  };
}

function tokenLinks(
  { base }: ProviderDeps,
  { workspace }: Visitor,
  usable: readonly Resource[],
): { url: string; for: string }[] {
  return usable
    .filter(({ dpop }) => dpop !== 'required')
    .map(({ slug, displayName }) => {
      const query = new URLSearchParams({ resource: slug, workspace: workspace.id });
      return { url: `${base}/account/tokens/new?${query}`, for: displayName };
    });
}
