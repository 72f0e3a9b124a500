import type { Context } from 'koa';
import {
  AccountRefusal,
  acceptInvitationPage,
  deadInvitationPage,
  isInvited,
  minPasswordLength,
  type OpenInvitation,
  openInvitationPage,
  otherAddressPage,
  type ShownInvite,
  type User,
  WorkspaceRefusal,
} from '../accounts/index.ts';
import { readForm, sendPage, single } from '../http/index.ts';
import { namesPerson } from '../resources/index.ts';
import { endSession, startSession } from './browser-session.ts';
import type { ProviderDeps } from './deps.ts';
import type { LiveProvider } from './provider.ts';
import { signInUrl } from './return-to.ts';
import { seeOther } from './see-other.ts';
import { signedInUser } from './workspace-access.ts';

const longestForm = 16 * 1024;
const form = 'invitation';

/**
 * `/account/invitations/{token}`: where an invitation to a workspace leads. Looking at it changes nothing.
 * Nothing here tells a used or expired link from one that never was (BF05).
 */
export function invitations(deps: ProviderDeps, live: LiveProvider) {
  const { base, csrf, accounts, config, resources } = deps;
  const home = `${base}/account`;
  const pathOf = (token: string) => `${home}/invitations/${encodeURIComponent(token)}`;

  const sendDead = (ctx: Context) =>
    sendPage(ctx, deadInvitationPage({ accountUrl: home }), { status: 404 });

  /**
   * Whether a link makes an account. Attack: an admin of a workspace who invites an address to which the operator
   * gave rights at a resource, and takes them with the account: nobody has checked whose address it is.
   */
  const makesAccount = ({ source, email }: OpenInvitation): boolean =>
    config.session.local_sign_in &&
    (source !== 'account' || !resources.all().some((resource) => namesPerson(resource, email)));

  /** The page that fits who is signed in. */
  async function sendInvitation(
    ctx: Context,
    { token, invitation, user }: { token: string; invitation: OpenInvitation; user?: User },
    failed: { status?: number; problem?: string } = {},
  ): Promise<void> {
    const invite = shown(invitation);
    const action = pathOf(token);
    const { status = 200, problem } = failed;
    if (!user) {
      const join = { action, csrf: csrf.issue(ctx, form), minPasswordLength, problem };
      const back = signInUrl(base, action);
      const made = makesAccount(invitation) && { join };
      const page = openInvitationPage({ invite, signInUrl: back, ...made });
      return sendPage(ctx, page, { status });
    }
    const common = { invite, email: user.email, action, csrf: csrf.issue(ctx, form) };
    const page = isInvited(invitation, user)
      ? acceptInvitationPage({ ...common, cancelUrl: home })
      : otherAddressPage({ ...common, accountUrl: home });
    sendPage(ctx, page, { status });
  }

  async function join(ctx: Context, token: string, user: User): Promise<void> {
    const meta = { ...deps.auditMeta(), actor: { kind: 'user', id: user.id } as const };
    const { workspaceId } = await accounts.invitations.accept({ token, user }, meta);
    seeOther(ctx, `${home}/workspaces/${workspaceId}?done=joined`);
  }

  async function joinAsNew(
    ctx: Context,
    { token, invitation }: { token: string; invitation: OpenInvitation },
    password: string,
  ): Promise<void> {
    try {
      const answer = await accounts.invitations.acceptAsNew({ token, password }, deps.auditMeta());
      await startSession(deps, live.current, ctx, answer.user.id);
      seeOther(ctx, `${home}/workspaces/${answer.workspaceId}?done=joined`);
    } catch (error) {
      if (!(error instanceof AccountRefusal)) throw error;
      const problem = `${error.description}.`;
      await sendInvitation(ctx, { token, invitation }, { status: error.status, problem });
    }
  }

  return {
    async show(ctx: Context): Promise<void> {
      const token = String(ctx.params.token);
      const invitation = await accounts.invitations.open(token);
      if (!invitation) return sendDead(ctx);
      const user = await signedInUser(deps, live, ctx);
      await sendInvitation(ctx, { token, invitation, ...(user && { user }) });
    },

    async submit(ctx: Context): Promise<void> {
      const fields = await readForm(ctx, longestForm);
      csrf.check(ctx, form, single(fields, 'csrf'));
      const token = String(ctx.params.token);
      const invitation = await accounts.invitations.open(token);
      if (!invitation) return sendDead(ctx);
      const user = await signedInUser(deps, live, ctx);
      const act = single(fields, 'act');
      try {
        if (act === 'switch' && user) {
          await endSession(deps, live.current, ctx);
          return seeOther(ctx, signInUrl(base, pathOf(token)));
        }
        if (act === 'join' && user && isInvited(invitation, user))
          return await join(ctx, token, user);
        if (act === 'create' && !user && makesAccount(invitation)) {
          return await joinAsNew(ctx, { token, invitation }, single(fields, 'password') ?? '');
        }
      } catch (error) {
        if (!(error instanceof WorkspaceRefusal)) throw error;
        return sendDead(ctx);
      }
      // Somebody signed in or out in another tab: the page as it is for them now.
      await sendInvitation(ctx, { token, invitation, ...(user && { user }) });
    },
  };
}

function shown({ workspace, email, role, invitedBy }: OpenInvitation): ShownInvite {
  return { workspaceName: workspace.name, email, role, ...(invitedBy && { invitedBy }) };
}
