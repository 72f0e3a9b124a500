import { randomBytes } from 'node:crypto';
import { findMembership, type User } from '../accounts/index.ts';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import { hashId } from '../db/index.ts';
import { plainText } from '../http/index.ts';
import type { Resource } from '../resources/index.ts';
import { checkCredentialResource } from '../tokens/index.ts';
import { unknownWorkspace } from './caller.ts';
import type { ApiDeps } from './deps.ts';
import {
  checkShare,
  chooseServed,
  isFor,
  linkLife,
  mayOpen,
  servedBy,
} from './reconnect-policy.ts';
import {
  claimReconnectLink,
  findReconnectLink,
  insertReconnectLink,
  linksSince,
  lockWorkspace,
  type UsableLink,
} from './reconnect-queries.ts';

/** What a resource server asks for. */
export interface LinkRequest {
  clientId: string;
  workspaceId: string;
  /** Needed where the client is the resource server of several. */
  resource?: string | undefined;
  /** `sub` of the token in whose call it was asked for: only they may open the link. */
  userId?: string | undefined;
  label?: string | undefined;
}

/** A link as whoever may open it sees it. */
export interface OpenLink {
  row: UsableLink;
  workspace: { name: string; slug: string };
  resource: Resource;
  label: string;
}

export type ReconnectLinks = ReturnType<typeof createReconnectLinks>;

/** One-time links with which a person connects a client to their workspace again. */
export function createReconnectLinks({
  db,
  clients,
  resources,
  workspaces,
  tokens,
  now,
}: Pick<ApiDeps, 'db' | 'clients' | 'resources' | 'workspaces' | 'tokens' | 'now'>) {
  /**
   * Makes a link. Its secret is returned only here.
   *
   * @throws OAuthError access_denied, invalid_target, 404 for an unknown workspace or who is no member of it,
   *   429 for too many
   */
  async function create(
    { clientId, workspaceId, userId, label, ...request }: LinkRequest,
    meta: AuditMeta,
  ): Promise<{ secret: string; expiresAt: Date }> {
    const served = servedBy(clientId, resources.all());
    const asked = request.resource && (resources.resolve(request.resource) ?? 'unknown');
    const resource = chooseServed(served, asked || undefined);
    checkCredentialResource(resource);
    if (userId !== undefined && !(await workspaces.membership({ workspaceId, userId }))) {
      throw unknownWorkspace();
    }
    const at = now();
    const expiresAt = new Date(at.getTime() + linkLife);
    const secret = randomBytes(32).toString('base64url');
    const id = `rl_${randomBytes(12).toString('base64url')}`;
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await lockWorkspace(trx, workspaceId))) throw unknownWorkspace();
      const since = new Date(at.getTime() - linkLife);
      checkShare(await linksSince(trx, { workspaceId, clientId, since }), at);
      await insertReconnectLink(trx, {
        ...{ id, secret_hash: hashId(secret), client_id: clientId, workspace_id: workspaceId },
        ...{ resource: resource.uri, user_id: userId ?? null, label: shownLabel(label) ?? null },
        ...{ created_at: at, expires_at: expiresAt },
      });
      const event = {
        ...{ actor: { kind: 'client' as const, id: clientId }, clientId, userId },
        resource: resource.uri,
      };
      const detail = { workspace_id: workspaceId, link_id: id, expires_at: expiresAt };
      const named = { ...detail, label: shownLabel(label) };
      await recordAudit(trx, { type: 'reconnect_link_created', ...event, detail: named }, meta);
    });
    return { secret, expiresAt };
  }

  /**
   * Looks at a link; any number of times, since programs open links too before people do.
   *
   * @returns undefined whatever is wrong with it: used, expired, guessed, for somebody else, or what it hangs
   *   on is gone
   */
  async function find(secret: string, user: User): Promise<OpenLink | undefined> {
    const row = await findReconnectLink(db.kysely, { secretHash: hashId(secret), now: now() });
    if (!row) return undefined;
    const key = { workspaceId: row.workspace_id, userId: user.id };
    const workspace = await workspaces.membership(key);
    if (!workspace || !isFor(row, { id: user.id, role: workspace.role })) return undefined;
    const resource = resources.resolve(row.resource);
    const client = await clients.find(row.client_id, { refresh: false });
    if (client?.status !== 'active' || !mayOpen(row.client_id, resource)) return undefined;
    const label = row.label ?? client.clientName ?? client.clientId;
    return { row, workspace, resource, label: label.slice(0, longestLabel) };
  }

  /**
   * Uses a link up and makes the credential, both or neither: of two that confirm at once, one gets it.
   *
   * @returns undefined as {@link find}
   * @throws CredentialRefusal with a sentence where none can be made; the link stays usable
   */
  async function redeem(
    secret: string,
    user: User,
    meta: AuditMeta,
  ): Promise<{ link: OpenLink; credential: string } | undefined> {
    const link = await find(secret, user);
    if (!link) return undefined;
    const { row, resource, label } = link;
    const { id, workspace_id: workspaceId, client_id: clientId } = row;
    const actor = { kind: 'user', id: user.id } as const;
    const by = { ...meta, actor };
    return db.kysely.transaction().execute(async (trx) => {
      if (!(await claimReconnectLink(trx, { secretHash: hashId(secret), now: now() }))) {
        return undefined;
      }
      const made = await tokens.credentials.create({
        ...{ workspaceId, resource, userId: user.id, label, meta: by, trx },
        connector: { kind: 'reconnect_link', id },
      });
      // The membership is locked by now: nobody is less than they were when the link was looked at.
      const role = (await findMembership(trx, { workspaceId, userId: user.id }))?.role;
      if (!isFor(row, { id: user.id, role })) throw unknownWorkspace();
      const detail = { workspace_id: workspaceId, link_id: id, credential_id: made.id };
      const event = { actor, userId: user.id, clientId, resource: resource.uri, detail };
      await recordAudit(trx, { type: 'reconnect_link_used', ...event }, meta);
      return { link, credential: made.credential };
    });
  }

  return { create, find, redeem };
}

const longestLabel = 100;

function shownLabel(label: string | undefined): string | undefined {
  return (label && plainText(label).slice(0, longestLabel)) || undefined;
}
