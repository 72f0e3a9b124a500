import type { Kysely } from 'kysely';
import { type ChangeMeta, lockMembership, type User } from '../accounts/index.ts';
import { type Actor, recordAudit } from '../audit/index.ts';
import { hashId, type Tables } from '../db/index.ts';
import type { Resource } from '../resources/index.ts';
import { endCredential } from './issuance-ending.ts';
import { insertIssuance, lockPerson, lockResource } from './personal-access-tokens-queries.ts';
import { newWorkspaceCredential } from './workspace-credential-form.ts';
import { credentialCreated, type EndReason } from './workspace-credentials-events.ts';
import {
  type CredentialKind,
  CredentialRefusal,
  checkCredentialResource,
  checkMaker,
  credentialGrants,
  credentialScopes,
  mostCredentials,
  neverExpires,
} from './workspace-credentials-policy.ts';
import {
  countLive,
  insertCredential,
  lockWorkspace,
  selectDefault,
} from './workspace-credentials-queries.ts';
import type { CredentialConnector, WorkspaceCredential } from './workspace-credentials-rows.ts';

/** A credential just made; its value is known this once. */
export interface NewCredential {
  /** `<credential-id>.<secret>`; only its hash is kept. */
  credential: string;
  /** The part before the dot. */
  id: string;
}

export interface Making {
  kind: CredentialKind;
  workspaceId: string;
  /** Workspace-scoped. */
  resource: Resource;
  /** The member whom it acts for. */
  userId: string;
  label: string;
  connector?: CredentialConnector | undefined;
  /** Without an actor it is the member themself. */
  meta: ChangeMeta;
}

/**
 * Makes a credential; a default one ends the one before it. Locks what it hangs on in the order of everybody else: person,
 * resource, membership, workspace.
 *
 * @throws CredentialRefusal with the field to correct
 */
export async function make(trx: Kysely<Tables>, request: Making): Promise<NewCredential> {
  const { kind, workspaceId, resource, userId, label, connector } = request;
  const meta = changedBy({ meta: request.meta, by: { id: userId } });
  const scope = await allowed(trx, request);
  if (kind === 'default') await endDefault(trx, { workspaceId, resource: resource.uri }, meta);
  else await checkCount(trx, { userId, workspaceId });
  const { id, value } = newWorkspaceCredential();
  const issued = {
    ...{ jti: hashId(value), grant_type: credentialGrants[kind], sub: userId, scope },
    ...{ resource: resource.uri, workspace_id: workspaceId },
  };
  await insertIssuance(trx, {
    ...{ ...issued, kind: 'workspace_credential', token_type: 'Bearer', root_jti: issued.jti },
    ...{ issued_at: meta.at, expires_at: neverExpires },
  });
  await insertCredential(trx, {
    ...{ jti: issued.jti, id, workspace_id: workspaceId, user_id: userId, label },
    ...{ connector_kind: connector?.kind ?? null, connector_id: connector?.id ?? null },
    created_at: meta.at,
  });
  const event = credentialCreated(issued, { id, label, connector }, meta.actor);
  await recordAudit(trx, event, meta);
  return { credential: value, id };
}

/**
 * What it may do at first; nobody takes away what it hangs on until the end of the transaction.
 *
 * @throws CredentialRefusal
 */
async function allowed(
  trx: Kysely<Tables>,
  { kind, workspaceId, resource, userId }: Making,
): Promise<string> {
  checkCredentialResource(resource);
  const person = await lockPerson(trx, userId);
  if (person?.status !== 'active') {
    throw new CredentialRefusal('account', 'This account is disabled: it can have no credentials.');
  }
  if (!(await lockResource(trx, resource.uri))) {
    throw new CredentialRefusal('resource', `There is no resource ${resource.uri} any more.`);
  }
  const role = await lockMembership(trx, { workspaceId, userId });
  checkMaker(role, kind);
  if (kind === 'default') await lockWorkspace(trx, workspaceId);
  const scopes = credentialScopes(resource, { ...person, workspaceRoles: role ? [role] : [] });
  if (scopes.length > 0) return scopes.join(' ');
  throw new CredentialRefusal(
    'account',
    `This account may use nothing at ${resource.uri}. The operator of the server decides who may.`,
    403,
  );
}

async function endDefault(
  trx: Kysely<Tables>,
  which: { workspaceId: string; resource: string },
  meta: Made,
): Promise<void> {
  const jti = await selectDefault(trx, which);
  if (jti !== undefined) await endCredential(trx, { jti, reason: 'regenerated', meta });
}

/** Attack: a client that makes credentials without end out of reconnect links. */
async function checkCount(
  trx: Kysely<Tables>,
  member: { userId: string; workspaceId: string },
): Promise<void> {
  if ((await countLive(trx, member)) < mostCredentials) return;
  throw new CredentialRefusal(
    'account',
    `There are ${mostCredentials} live credentials, which is the most that one member can have in a workspace. Revoke one first.`,
    409,
  );
}

/** Ends a credential that is there, and tells who did it. What has ended before ends silently. */
export async function end(
  trx: Kysely<Tables>,
  credential: WorkspaceCredential,
  { reason, meta }: { reason: EndReason; meta: Made },
): Promise<WorkspaceCredential> {
  const { jti } = credential;
  const ended = await endCredential(trx, { jti, reason, meta });
  return ended.includes(jti)
    ? { ...credential, revokedAt: meta.at, status: 'revoked' }
    : credential;
}

type Made = ChangeMeta & { actor: Actor };

/** Whose change it is: without an actor it is that of a member. */
export function changedBy({ meta, by }: { meta: ChangeMeta; by: Pick<User, 'id'> }): Made {
  return { ...meta, actor: meta.actor ?? { kind: 'user', id: by.id } };
}
