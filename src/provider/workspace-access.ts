import type { Context } from 'koa';
import type { Membership, User } from '../accounts/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { readSession } from './browser-session.ts';
import type { ProviderDeps } from './deps.ts';
import type { LiveProvider } from './provider.ts';
import { signInUrl } from './return-to.ts';
import { seeOther } from './see-other.ts';

/** A member who opened a page of their workspace. */
export interface Visitor {
  user: User;
  workspace: Membership;
  /** Path of the workspace page, under which everything of it lies. */
  url: string;
  /** Key of the forms of this workspace, as this person is shown them. */
  form: string;
}

/** Who is signed in in this browser, if their account is active. */
export async function signedInUser(
  { accounts }: Pick<ProviderDeps, 'accounts'>,
  live: LiveProvider,
  ctx: Context,
): Promise<User | undefined> {
  const session = await readSession(live.current, ctx);
  const user = session && (await accounts.find(session.userId));
  return user?.status === 'active' ? user : undefined;
}

/** Opens the pages of a workspace to its members, and tells nobody else that it is there. */
export function workspaceAccess(deps: ProviderDeps, live: LiveProvider) {
  const { base, workspaces } = deps;

  return {
    /**
     * The member who asks; signed out, they are sent to sign in and back, and the answer is undefined.
     *
     * @throws OAuthError 404 for a workspace that they are no member of, as for one that there is not (AD07)
     */
    async visitor(ctx: Context): Promise<Visitor | undefined> {
      const user = await signedInUser(deps, live, ctx);
      if (!user) {
        const isRead = ctx.method === 'GET';
        seeOther(ctx, signInUrl(base, isRead ? ctx.originalUrl : `${base}/account`));
        return undefined;
      }
      const which = String(ctx.params.workspace);
      const found = /^[a-z0-9-]{1,64}$/.test(which) ? await workspaces.find(which) : undefined;
      const key = found && { workspaceId: found.id, userId: user.id };
      const workspace = key && (await workspaces.membership(key));
      if (!workspace) throw unknown();
      const url = `${base}/account/workspaces/${workspace.slug}`;
      // Attack: a form that one person was shown, sent by another who signed in since.
      return { user, workspace, url, form: `workspace ${workspace.id} ${user.id}` };
    },

    /** @throws OAuthError 404, as for what is not there */
    requireAdmin({ workspace }: Visitor): void {
      if (workspace.role !== 'admin') throw unknown();
    },
  };
}

export type WorkspaceAccess = ReturnType<typeof workspaceAccess>;

function unknown(): OAuthError {
  return new OAuthError(
    'invalid_request',
    'There is no such page of a workspace that you are a member of. Your account page lists your workspaces.',
    { status: 404 },
  );
}
