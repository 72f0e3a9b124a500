import type { Context } from 'koa';
import { type WorkspaceRole, workspacePage } from '../accounts/index.ts';
import { readQuery, sendPage, single } from '../http/index.ts';
import type { ProviderDeps } from './deps.ts';
import type { LiveProvider } from './provider.ts';
import { seeOther } from './see-other.ts';
import { type Visitor, workspaceAccess } from './workspace-access.ts';
import { connectedServersOf } from './workspace-servers.ts';
import { membersShown, readFacts } from './workspace-view.ts';

/** What a redirect to the page may say was done. */
const sentences = {
  joined: 'You are a member of this workspace now.',
  role: 'The role is changed.',
  removed: 'They are no member any more, and what they had for this workspace has ended.',
  invitation: 'The invitation does not work any more.',
  disconnected: 'It is disconnected: what it had for this workspace has ended.',
  revoked: 'The token does not work any more.',
} as const;

export type Done = keyof typeof sentences;

/** What is said on the page besides. */
export interface Said {
  status?: number;
  /** A sentence: what was refused. */
  problem?: string;
  /** The form for invitations, as it was refused. */
  typed?: { email: string; role: WorkspaceRole; problem: string };
}

/** `GET /account/workspaces/{slug or id}`: the page of a workspace, for its members. */
export function workspacePages(deps: ProviderDeps, live: LiveProvider) {
  const connectedServers = connectedServersOf(deps);
  const { base, csrf, now, workspaces, accounts } = deps;
  const access = workspaceAccess(deps, live);

  async function send(ctx: Context, visitor: Visitor, said: Said = {}): Promise<void> {
    const { user, workspace, url, form } = visitor;
    const workspaceId = workspace.id;
    const isAdmin = workspace.role === 'admin';
    const query = ctx.method === 'GET' ? readQuery(ctx) : {};
    const page = await workspaces.members({
      ...{ workspaceId, sort: 'created_at', limit: membersShown },
      cursor: single(query, 'members'),
    });
    const invited = isAdmin && (await accounts.invitations.list({ workspaceId, limit: 200 }));
    const view = workspacePage({
      ...(await readFacts(deps, visitor, connectedServers)),
      ...{ user, workspace, url, accountUrl: `${base}/account`, signOutAction: `${base}/logout` },
      members: {
        members: page.items.map(({ userId: id, email, name, role, createdAt: since }) => ({
          ...{ id, email, role, since, isSelf: id === user.id },
          ...(name !== undefined && { name }),
        })),
        ...(page.next_cursor && {
          moreUrl: `${url}?members=${encodeURIComponent(page.next_cursor)}#members`,
        }),
        ...(invited && {
          admin: {
            invitations: invited.items.map(
              ({ createdAt: created, expiresAt: expires, ...rest }) => ({
                ...rest,
                ...{ created, expires },
              }),
            ),
            ...(said.typed && { typed: said.typed }),
          },
        }),
      },
      csrf: { workspace: csrf.issue(ctx, form), account: csrf.issue(ctx, 'account') },
      now: now(),
      done: sentenceOf(single(query, 'done')),
      problem: said.problem,
    });
    sendPage(ctx, view, { status: said.status ?? 200 });
  }

  return {
    access,
    send,

    async show(ctx: Context): Promise<void> {
      const visitor = await access.visitor(ctx);
      if (visitor) await send(ctx, visitor);
    },

    async list(ctx: Context): Promise<void> {
      seeOther(ctx, `${base}/account#workspaces`);
    },

    /** Back to the page, which says what was done; a reload does it no second time. */
    done(ctx: Context, { url }: Visitor, what: Done): void {
      seeOther(ctx, `${url}?done=${what}`);
    },
  };
}

export type WorkspacePages = ReturnType<typeof workspacePages>;

function sentenceOf(what: string | undefined): string | undefined {
  return Object.entries(sentences).find(([name]) => name === what)?.[1];
}
