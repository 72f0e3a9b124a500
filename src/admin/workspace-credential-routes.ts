import type { z } from 'zod';
import type { Workspaces } from '../accounts/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resource, Resources } from '../resources/index.ts';
import type { NewCredential, Tokens, WorkspaceCredential } from '../tokens/index.ts';
import type { By } from './caller.ts';
import { workspaceCredentials as contract } from './contract/index.ts';
import type { workspaceCredential } from './contract/workspace-credentials.ts';
import { isTheirs } from './policy.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface WorkspaceCredentialDeps {
  tokens: Pick<Tokens, 'credentials'>;
  workspaces: Pick<Workspaces, 'find'>;
  resources: Pick<Resources, 'all' | 'resolve'>;
}

/** Workspace credentials: seen and ended, and made for a member. */
export function workspaceCredentialRoutes(deps: WorkspaceCredentialDeps): ServedRoute[] {
  const { credentials } = deps.tokens;
  /** @throws OAuthError 404 for a workspace that is none, or none of theirs (AD07) */
  const workspaceOf = async (id: string, { workspaceIds }: By) => {
    const workspace = isTheirs(workspaceIds, id) ? await deps.workspaces.find(id) : undefined;
    if (workspace?.id !== id) throw unknownId();
    return id;
  };
  const find = async (
    { id, credential_id }: { id: string; credential_id: string },
    by: By,
  ): Promise<WorkspaceCredential> => {
    const workspaceId = await workspaceOf(id, by);
    const found = await credentials.find(credential_id);
    if (found?.workspaceId !== workspaceId) throw unknownId();
    return found;
  };
  const shown = async ({ id, credential }: NewCredential) => {
    const made = await credentials.find(id);
    if (!made) throw unknownId(); // its workspace went away at this moment
    return { ...toWire(made), credential };
  };
  return [
    fulfil(contract.list, async ({ params: { id }, query: { status, cursor, limit } }, by) => {
      const workspaceId = await workspaceOf(id, by);
      const page = await credentials.page({ workspaceId, status, cursor, limit });
      return { items: page.items.map(toWire), next_cursor: page.next_cursor };
    }),

    fulfil(contract.get, async ({ params }, by) => toWire(await find(params, by))),

    fulfil(contract.create, async ({ params: { id }, body }, by) => {
      const workspaceId = await workspaceOf(id, by);
      const { sub: userId, label } = body;
      const resource = resourceOf(deps, body.resource);
      const request = { workspaceId, resource, userId, label, meta: changedBy(by) };
      return shown(await credentials.create(request));
    }),

    fulfil(contract.regenerate, async ({ params: { id }, body }, by) => {
      const workspaceId = await workspaceOf(id, by);
      const resource = resourceOf(deps, body.resource);
      const request = { workspaceId, resource, by: { id: body.sub }, meta: changedBy(by) };
      return shown(await credentials.regenerateDefault(request));
    }),

    fulfil(contract.revoke, async ({ params }, by) => {
      const { id } = await find(params, by);
      const ended = await credentials.end(id, { reason: 'operator', meta: changedBy(by) });
      if (!ended) throw unknownId();
      return toWire(ended);
    }),
  ];
}

function changedBy({ actor, meta }: By) {
  return { ...meta, actor };
}

function resourceOf({ resources }: WorkspaceCredentialDeps, uri: string): Resource {
  const resource = resources.resolve(uri);
  if (resource) return resource;
  const known = resources.all().filter((one) => one.enabled && one.workspaceScoped);
  throw new OAuthError(
    'invalid_target',
    `resource in the body is not registered here. Those that are scoped to workspaces: ${known.map((one) => one.uri).join(' ')}`,
  );
}

function toWire(credential: WorkspaceCredential): z.input<typeof workspaceCredential> {
  const { workspaceId, createdBy, connector, createdAt, revokedAt, ...rest } = credential;
  const { lastUsedAt, lastUsedIp, ...row } = rest;
  return {
    ...row,
    workspace_id: workspaceId,
    connector: connector?.kind ?? null,
    sub: createdBy.id,
    username: createdBy.email,
    created_at: createdAt.toISOString(),
    revoked_at: revokedAt?.toISOString() ?? null,
    last_used_at: lastUsedAt?.toISOString() ?? null,
    last_used_from: lastUsedIp ?? null,
  };
}
