import type { Kysely } from 'kysely';
import { recordAudit } from '../audit/index.ts';
import type { Tables } from '../db/index.ts';
import { emailKey } from './policy.ts';
import { findUserByEmailKey } from './queries.ts';
import type { ChangeMeta } from './user.ts';
import { addWorkspace, changeName } from './workspaces-changes.ts';
import { add, changeRole, type MembersDeps, remove } from './workspaces-members.ts';
import { memberRowsOf } from './workspaces-members-queries.ts';
import type { WorkspaceRole } from './workspaces-policy.ts';
import { findWorkspace, listUndeclaredWorkspaces } from './workspaces-queries.ts';

/** One row of `workspaces` in the configuration. */
export interface DeclaredWorkspace {
  slug: string;
  name: string;
}

/** What a row of `users` says of memberships. */
export interface DeclaredMemberships {
  email: string;
  workspaces: readonly { slug: string; role: WorkspaceRole }[];
}

/** Slugs, and memberships as `e-mail address in slug`. */
export interface WorkspacesReport {
  created: string[];
  updated: string[];
  /** Made elsewhere (admin UI, command line): left alone. */
  foreign: string[];
  /** Made by an earlier configuration and no longer in it: left alone. */
  undeclared: string[];
  /** Memberships in workspaces that there are not. */
  unknown: string[];
}

/**
 * Makes the workspaces and memberships that the configuration declares, and changes those that it declared
 * differently before. Nothing made elsewhere is touched. A workspace that is no longer declared is left
 * alone; somebody who is still declared, but no longer in a workspace, is removed from it, as from a group.
 *
 * @throws WorkspaceRefusal when a declared workspace is not acceptable
 */
export function createReconcileWorkspaces(deps: MembersDeps) {
  const { db, now } = deps;
  return (
    workspaces: readonly DeclaredWorkspace[],
    users: readonly DeclaredMemberships[],
    meta: ChangeMeta,
  ): Promise<WorkspacesReport> =>
    db.withLock('reconcile_workspaces', async () => {
      const report: WorkspacesReport = {
        ...{ created: [], updated: [], foreign: [], undeclared: [], unknown: [] },
      };
      for (const declared of workspaces) {
        const outcome = await transaction((trx) => reconcileOne(trx, declared, meta));
        if (outcome) report[outcome].push(declared.slug);
      }
      for (const user of users) {
        await transaction((trx) => reconcileMemberships(trx, user, report, meta));
      }
      const slugs = workspaces.map(({ slug }) => slug);
      report.undeclared.push(...(await listUndeclaredWorkspaces(db.kysely, slugs)));
      await record(report, meta);
      return report;
    });

  function transaction<T>(work: (trx: Kysely<Tables>) => Promise<T>): Promise<T> {
    return db.kysely.transaction().execute(work);
  }

  async function reconcileOne(
    trx: Kysely<Tables>,
    { slug, name }: DeclaredWorkspace,
    meta: ChangeMeta,
  ): Promise<'created' | 'updated' | 'foreign' | undefined> {
    const before = await findWorkspace(trx, slug);
    if (!before) {
      await addWorkspace(trx, { slug, name, source: 'config' }, now(), meta);
      return 'created';
    }
    if (before.source !== 'config') return 'foreign';
    const changed = await changeName(trx, { before, name, now: now(), meta });
    return changed && 'updated';
  }

  /** Of a person whom the configuration made; another's row it does not touch at all. */
  async function reconcileMemberships(
    trx: Kysely<Tables>,
    { email, workspaces }: DeclaredMemberships,
    report: WorkspacesReport,
    meta: ChangeMeta,
  ): Promise<void> {
    const user = await findUserByEmailKey(trx, emailKey(email));
    if (user?.source !== 'config') return;
    const rows = await memberRowsOf(trx, user.id);
    for (const { slug, role } of workspaces) {
      const row = rows.find((one) => one.slug === slug);
      const outcome = row
        ? row.source === 'config' &&
          (await changeRole(trx, { workspaceId: row.workspace_id, userId: user.id, role }, meta)) &&
          'updated'
        : await join(trx, { userId: user.id, slug, role }, meta);
      if (outcome) report[outcome].push(`${email} in ${slug}`);
    }
    const left = rows.filter(
      ({ slug, source }) => source === 'config' && !workspaces.some((one) => one.slug === slug),
    );
    for (const { workspace_id: workspaceId, slug } of left) {
      await remove(deps, trx, { workspaceId, userId: user.id }, meta);
      report.updated.push(`${email} in ${slug}`);
    }
  }

  async function join(
    trx: Kysely<Tables>,
    { userId, slug, role }: { userId: string; slug: string; role: WorkspaceRole },
    meta: ChangeMeta,
  ): Promise<'created' | 'unknown' | undefined> {
    const workspace = await findWorkspace(trx, slug);
    if (!workspace) return 'unknown';
    const member = { workspaceId: workspace.id, userId, role, source: 'config' } as const;
    return (await add(deps, trx, member, meta)) ? 'created' : undefined;
  }

  async function record(
    { created, updated, undeclared }: WorkspacesReport,
    meta: ChangeMeta,
  ): Promise<void> {
    if (created.length + updated.length === 0) return;
    const detail = { noun: 'workspaces', created, updated, undeclared };
    const actor = { kind: 'system' } as const;
    await recordAudit(db.kysely, { type: 'config_reconciled', actor, detail }, meta);
  }
}
