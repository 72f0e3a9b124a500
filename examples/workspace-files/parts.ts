import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type ProtectMcpOptions, protectMcp } from '../../src/resource-server/index.ts';
import { type FileCapStore, fileCapStore } from './cap-store.ts';
import { openDirectory as bestOpenDirectory, type OpenDirectory } from './directory.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { createLocks } from './locks.ts';
import { createQuota } from './quota.ts';
import { reconnectLinks } from './reconnect.ts';
import { createSessions, defaultSessionLimits, type SessionLimits } from './sessions.ts';
import { toolScopes, workspaceMcpServer } from './tools.ts';
import { createUploads } from './uploads.ts';
import { openWorkspace } from './workspace.ts';

export type WorkspaceFilesOptions = {
  /** The authorization server's issuer. */
  issuer: string;
  /** This server's URL as clients type it. */
  resource: string;
  /** This resource server's own client at the issuer: one of the resource's `clients` there. */
  client: { clientId: string; clientSecret: string };
  /** Directory that holds a home directory for each workspace, and this server's state in `.state`. */
  root: string;
  /** Tool calls per workspace and UTC day. Default: 1000. */
  dailyCap?: number;
  limits?: Partial<Limits>;
  sessions?: Partial<SessionLimits>;
  openDirectory?: OpenDirectory;
} & Pick<ProtectMcpOptions, 'dpop' | 'fetch' | 'clock' | 'onError'>;

/** Protects the server: tokens of all kinds, a scope for each tool, the daily cap. */
export function protection(options: WorkspaceFilesOptions, store: FileCapStore) {
  return protectMcp({
    issuer: options.issuer,
    resource: options.resource,
    resourceName: 'Workspace files',
    scopes: ['files:read', 'files:write'],
    implies: { 'files:write': 'files:read' },
    toolScopes,
    unlistedTools: 'deny',
    introspection: options.client,
    dailyCap: { limit: options.dailyCap ?? 1000, store },
    dpop: options.dpop,
    fetch: options.fetch,
    clock: options.clock,
    onError: options.onError,
  });
}

/** Everything behind the HTTP server. */
export function createParts(options: WorkspaceFilesOptions) {
  const { issuer, resource, client, onError } = options;
  const { root, state } = directories(options.root);
  const now = options.clock ?? (() => new Date());
  const caps = fileCapStore(join(state, 'caps'));
  const limits = { ...defaultLimits, ...options.limits };
  const openDirectory = options.openDirectory ?? bestOpenDirectory;
  const uploads = createUploads(join(state, 'uploads'), limits, now);
  const files = {
    root,
    openDirectory,
    limits,
    locks: createLocks(),
    quota: createQuota(limits.workspaceBytes),
  };
  const shared = {
    uploads,
    uploadUrl: `${resource}/uploads`,
    limits,
    openDirectory,
    now,
    onError,
    reconnectLink: reconnectLinks({ issuer, resource, client, fetch: options.fetch ?? fetch }),
  };
  const sessions = createSessions({
    limits: { ...defaultSessionLimits, ...options.sessions },
    now,
    onError,
    build: ({ workspaceId, sub }) =>
      workspaceMcpServer({ ...shared, sub, workspace: openWorkspace(workspaceId, files) }),
  });
  return {
    auth: protection(options, caps),
    sessions,
    uploads,
    limits,
    /** Lets go of what has expired. */
    async sweep(): Promise<void> {
      await sessions.sweep();
      await uploads.sweep();
      await caps.sweep(now());
    },
  };
}

function directories(path: string): { root: string; state: string } {
  mkdirSync(join(path, '.state'), { recursive: true, mode: 0o700 });
  const root = realpathSync(path);
  return { root, state: join(root, '.state') };
}
