import type { Context } from 'koa';
import {
  AccountRefusal,
  type ChangeMeta,
  confirmPage,
  invitationMadePage,
  invitationUrl,
  type Leaving,
  WorkspaceRefusal,
  type WorkspaceRole,
  whatEnds,
} from '../accounts/index.ts';
import { listWorkspaceGrants } from '../consent/index.ts';
import { foreign, html, readForm, sendPage, single } from '../http/index.ts';
import type { ProviderDeps } from './deps.ts';
import { seeOther } from './see-other.ts';
import type { Visitor } from './workspace-access.ts';
import type { WorkspacePages } from './workspace-pages.ts';

const longestForm = 16 * 1024;

/** What members do among themselves: roles, leaving, invitations. */
export function workspacePeople(deps: ProviderDeps, pages: WorkspacePages) {
  const { base, csrf, workspaces, accounts, tokens, now } = deps;
  const { visitor: visit, requireAdmin } = pages.access;

  const meta = ({ user }: Visitor): ChangeMeta => ({
    ...deps.auditMeta(),
    actor: { kind: 'user', id: user.id },
  });

  /** Reads a form of the page. @throws OAuthError 403 for one from elsewhere */
  async function formOf(ctx: Context, { form }: Visitor) {
    const fields = await readForm(ctx, longestForm);
    csrf.check(ctx, form, single(fields, 'csrf'));
    return (name: string): string => single(fields, name) ?? '';
  }

  /** Does it, or shows the page again with why not. */
  async function attempt(ctx: Context, visitor: Visitor, work: () => Promise<void>) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof WorkspaceRefusal) || error.status !== 409) throw error;
      await pages.send(ctx, visitor, { status: 409, problem: error.description });
    }
  }

  /** How much a person has in the workspace that ends with their membership. */
  async function leavingOf(workspaceId: string, userId: string): Promise<Leaving> {
    const grants = await listWorkspaceGrants(deps.db.kysely, { workspaceId, userId });
    const own = { userId, workspaceIds: [workspaceId], status: 'active', limit: 200 } as const;
    const { items } = await tokens.personal.list({ ...own, now: now() });
    const credentials = await tokens.credentials.list({ workspaceId });
    return {
      connections: grants.length,
      tokens: items.length,
      credentials: credentials.filter(({ createdBy }) => createdBy.id === userId).length,
    };
  }

  return {
    async changeRole(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const field = await formOf(ctx, visitor);
      const key = { workspaceId: visitor.workspace.id, userId: field('user'), by: visitor.user.id };
      await attempt(ctx, visitor, async () => {
        await workspaces.changeRoleAs({ ...key, role: roleIn(field('role')) }, meta(visitor));
        pages.done(ctx, visitor, 'role');
      });
    },

    /** Says what ends with the membership, before it does. */
    async askToRemove(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const { workspace, url, form } = visitor;
      const userId = String(ctx.params.user);
      const isId = /^[\w.:-]{1,200}$/.test(userId);
      const found = isId && (await workspaces.member({ workspaceId: workspace.id, userId }));
      if (!found) return seeOther(ctx, url);
      const page = confirmPage({
        question: html`Remove ${foreign(found.name ?? found.email, 60)} from ${foreign(workspace.name, 60)}?`,
        consequences: whatEnds('their', await leavingOf(workspace.id, userId)),
        ...{ action: `${url}/members/remove`, hidden: { user: userId } },
        ...{ csrf: csrf.issue(ctx, form), act: 'Remove', cancelUrl: url },
      });
      sendPage(ctx, page);
    },

    async remove(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const field = await formOf(ctx, visitor);
      const key = { workspaceId: visitor.workspace.id, userId: field('user'), by: visitor.user.id };
      await attempt(ctx, visitor, async () => {
        await workspaces.removeAs(key, meta(visitor));
        if (key.userId === visitor.user.id) return seeOther(ctx, `${base}/account`);
        pages.done(ctx, visitor, 'removed');
      });
    },

    async askToLeave(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      const { workspace, user, url, form } = visitor;
      const page = confirmPage({
        question: html`Leave ${foreign(workspace.name, 60)}?`,
        consequences: whatEnds('your', await leavingOf(workspace.id, user.id)),
        ...{ action: `${url}/leave`, hidden: {} },
        ...{ csrf: csrf.issue(ctx, form), act: 'Leave', cancelUrl: url },
      });
      sendPage(ctx, page);
    },

    async leave(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      await formOf(ctx, visitor);
      const key = { workspaceId: visitor.workspace.id, userId: visitor.user.id };
      await attempt(ctx, visitor, async () => {
        await workspaces.leave(key, meta(visitor));
        seeOther(ctx, `${base}/account`);
      });
    },

    /** Makes an invitation, and shows its link in this answer and never again. */
    async invite(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const field = await formOf(ctx, visitor);
      const { workspace, url } = visitor;
      const asked = { email: field('email'), role: roleIn(field('role')) };
      try {
        const { token, invitation } = await accounts.invitations.create(
          { workspaceId: workspace.id, source: 'account', ...asked },
          meta(visitor),
        );
        const { email, role, expiresAt: expires } = invitation;
        const page = invitationMadePage({
          ...{ email, role, expires, workspaceName: workspace.name, backUrl: url, now: now() },
          url: invitationUrl(deps.config.server.issuer, token),
        });
        sendPage(ctx, page);
      } catch (error) {
        const isRefused = error instanceof AccountRefusal || error instanceof WorkspaceRefusal;
        if (!isRefused || error.status === 404) throw error;
        const problem = `${error.description.replace(/\.$/, '')}.`;
        await pages.send(ctx, visitor, { status: error.status, typed: { ...asked, problem } });
      }
    },

    async revokeInvitation(ctx: Context): Promise<void> {
      const visitor = await visit(ctx);
      if (!visitor) return;
      requireAdmin(visitor);
      const field = await formOf(ctx, visitor);
      const key = { workspaceId: visitor.workspace.id, id: field('invitation') };
      await accounts.invitations.revoke(key, meta(visitor));
      pages.done(ctx, visitor, 'invitation');
    },
  };
}

function roleIn(text: string): WorkspaceRole {
  return text === 'admin' ? 'admin' : 'member';
}
