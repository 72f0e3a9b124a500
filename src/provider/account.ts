import type { Context } from 'koa';
import {
  accountPage,
  type ConnectedApp,
  type Membership,
  signedOutPage,
  signInPage,
} from '../accounts/index.ts';
import { recordAudit } from '../audit/index.ts';
import { type GrantRow, listGrants } from '../consent/index.ts';
import { readForm, readQuery, sendPage, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { canMakeTokens, shownTokens } from './account-tokens.ts';
import { endSession, readSession, startSession } from './browser-session.ts';
import type { ProviderDeps } from './deps.ts';
import { leaveForProvider } from './leave-for-provider.ts';
import { provenanceOf } from './provenance.ts';
import type { LiveProvider } from './provider.ts';
import { ownPage, signInUrl } from './return-to.ts';
import { seeOther } from './see-other.ts';
import { checkPassword, type FailedSignIn } from './sign-in.ts';

const longestForm = 32 * 1024;

/** `/account` and `/logout`: what a person has connected, their tokens, and the way out. */
export function account(deps: ProviderDeps, live: LiveProvider) {
  const { base, csrf, db, now } = deps;
  const home = `${base}/account`;

  const askedFor = (ctx: Context) => ownPage(base, readQuery(ctx).return_to);

  function sendSignIn(ctx: Context, failed?: FailedSignIn): void {
    const to = askedFor(ctx);
    const action = to === undefined ? `${home}/sign-in` : signInUrl(base, to);
    const page = signInPage({
      ...{ action, csrf: csrf.issue(ctx, 'account-sign-in'), ...failed },
      providers: deps.identityProviders.buttons(),
      local: deps.config.session.local_sign_in,
    });
    const status = ctx.status === 404 ? 200 : ctx.status;
    // Chromium holds form-action against the redirect to a provider.
    sendPage(ctx, page, { status, formAction: 'anywhere' });
  }

  return {
    async show(ctx: Context): Promise<void> {
      const session = await readSession(live.current, ctx);
      const user = session && (await deps.accounts.find(session.userId));
      if (!user) return seeOther(ctx, `${home}/sign-in`);
      const rows = await listGrants(db.kysely, user.id);
      const workspaces = await deps.workspaces.membershipsOf(user.id);
      const page = accountPage({
        user,
        now: now(),
        csrf: csrf.issue(ctx, 'account'),
        revokeAction: `${home}/revoke`,
        signOutAction: `${base}/logout`,
        workspaces: workspaces.map(({ slug, name, role }) => ({
          ...{ slug, name, role, url: `${home}/workspaces/${slug}` },
        })),
        apps: await Promise.all(rows.map((row) => connectedApp(deps, row, workspaces))),
        tokens: {
          tokens: await shownTokens(deps, user.id),
          revokeAction: `${home}/tokens/revoke`,
          ...((await canMakeTokens(deps, user)) && { newUrl: `${home}/tokens/new` }),
        },
      });
      sendPage(ctx, page);
    },

    async showSignIn(ctx: Context): Promise<void> {
      if (await readSession(live.current, ctx)) return seeOther(ctx, askedFor(ctx) ?? home);
      sendSignIn(ctx);
    },

    async signIn(ctx: Context): Promise<void> {
      const form = await readForm(ctx, longestForm);
      csrf.check(ctx, 'account-sign-in', single(form, 'csrf'));
      const slug = single(form, 'provider');
      if (slug !== undefined) {
        const beganAt = { purpose: 'account' } as const;
        return leaveForProvider(deps, ctx, { slug, beganAt, returnTo: askedFor(ctx) });
      }
      const answer = await checkPassword(deps, ctx, {
        username: single(form, 'username') ?? '',
        password: single(form, 'password') ?? '',
      });
      if (answer.userId === undefined) return sendSignIn(ctx, answer);
      await startSession(deps, live.current, ctx, answer.userId);
      seeOther(ctx, askedFor(ctx) ?? home);
    },

    async revoke(ctx: Context): Promise<void> {
      const session = await readSession(live.current, ctx);
      if (!session) return seeOther(ctx, `${home}/sign-in`);
      const form = await readForm(ctx, longestForm);
      csrf.check(ctx, 'account', single(form, 'csrf'));
      const grantId = single(form, 'grant') ?? '';
      const owned = (await listGrants(db.kysely, session.userId)).find((row) => row.id === grantId);
      if (!owned)
        throw new OAuthError('invalid_request', 'This connection is gone. Reload the page.', {
          status: 404,
        });
      const actor = { kind: 'user', id: session.userId } as const;
      const by = { actor, meta: deps.auditMeta(), reason: 'account page' };
      await deps.withdrawals.withdraw([grantId], by);
      seeOther(ctx, home);
    },

    async showSignOut(ctx: Context): Promise<void> {
      seeOther(ctx, home); // signing out is a POST: the button is on the account page
    },

    async signOut(ctx: Context): Promise<void> {
      const form = await readForm(ctx, longestForm);
      csrf.check(ctx, 'account', single(form, 'csrf'));
      const session = await endSession(deps, live.current, ctx);
      if (session) {
        const actor = { kind: 'user', id: session.userId } as const;
        const event = { type: 'user_logout', actor, userId: session.userId, detail: {} } as const;
        await recordAudit(db.kysely, event, deps.auditMeta());
      }
      sendPage(ctx, signedOutPage({ signInUrl: `${home}/sign-in` }));
    },
  };
}

async function connectedApp(
  { clients, resources }: ProviderDeps,
  row: GrantRow,
  workspaces: readonly Membership[],
): Promise<ConnectedApp> {
  const client = await clients.find(row.clientId, { refresh: false });
  const resource = resources.resolve(row.resource);
  return {
    grantId: row.id,
    clientName: client?.clientName ?? row.clientId,
    known: client ? provenanceOf(client) : { kind: 'dcr' },
    resource: { name: resource?.displayName ?? row.resource, uri: row.resource },
    workspace: workspaces.find(({ id }) => id === row.workspaceId)?.name,
    scopes: row.scopes.map((name) => ({
      name,
      description: resource?.scopes.find((scope) => scope.name === name)?.description ?? name,
    })),
    since: row.createdAt,
    lastUsed: row.lastUsedAt,
  };
}
