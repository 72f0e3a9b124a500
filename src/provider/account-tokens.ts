import type { Context } from 'koa';
import {
  type Membership,
  newTokenPage,
  type ShownToken,
  tokenMadePage,
  tokenResourcePage,
  type User,
} from '../accounts/index.ts';
import { type Fields, multiple, readForm, sendPage, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import {
  offeredLives,
  type PersonalToken,
  PersonalTokenRefusal,
  resourcesFor,
} from '../tokens/index.ts';
import { readSession } from './browser-session.ts';
import type { ProviderDeps } from './deps.ts';
import type { LiveProvider } from './provider.ts';
import { ownPage, signInUrl } from './return-to.ts';
import { seeOther } from './see-other.ts';

const longestForm = 32 * 1024;
/** How long a form is known to have been sent, in milliseconds. */
const rememberSent = 86_400_000;
/** Expired tokens that the account page still shows. */
const mostExpired = 10;

/** What was typed into the form so far. */
type Typed = {
  name: string;
  scopes: readonly string[];
  life: number;
  workspaceId: string | undefined;
};
type Filled = {
  typed?: Typed;
  refusal?: PersonalTokenRefusal;
  /** the one to be chosen already */
  workspaceId?: string | undefined;
};
type Choice = {
  resource: Resource;
  scopes: string[];
  /** Where the resource is workspace-scoped. */
  workspaces?: Membership[];
};

/** `/account/tokens`: a person's own access tokens, made and revoked. */
export function accountTokens(deps: ProviderDeps, live: LiveProvider) {
  const { base, csrf, now, tokens } = deps;
  const home = `${base}/account`;
  const form = `${home}/tokens/new`;

  /** After the sign-in, a page that was asked for is there; a form that was sent is not sent again. */
  async function signedIn(ctx: Context): Promise<User | undefined> {
    const session = await readSession(live.current, ctx);
    const user = session && (await deps.accounts.find(session.userId));
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (!user) seeOther(ctx, isRead ? signInUrl(base, ctx.originalUrl) : `${home}/sign-in`);
    return user;
  }

  function sendForm(
    ctx: Context,
    { resource, scopes, workspaces }: Choice,
    { typed, refusal, workspaceId = typed?.workspaceId }: Filled = {},
  ): void {
    const { lives, usual } = offeredLives(tokens.personal.maximum);
    const only = scopes.length === 1;
    const page = newTokenPage({
      action: `${home}/tokens`,
      csrf: csrf.issue(ctx, 'new-token'),
      once: crypto.randomUUID(),
      resource: shownResource(resource),
      workspaces: workspaces?.map(({ id, slug, name }) => ({
        ...{ id, name, detail: slug },
        checked: workspaces.length === 1 || id === workspaceId,
      })),
      scopes: inWordsOf(resource, scopes).map((scope) => ({
        ...scope,
        checked: typed ? typed.scopes.includes(scope.name) : only,
      })),
      name: typed?.name ?? '',
      lives,
      life: typed && lives.includes(typed.life) ? typed.life : usual,
      cancelUrl: home,
      now: now(),
      ...(refusal && { problem: { field: refusal.field, sentence: refusal.description } }),
    });
    sendPage(ctx, page, { status: refusal?.status ?? 200 });
  }

  /** Makes it, shows it in this answer and never again. */
  async function make(ctx: Context, user: User, choice: Choice, sent: Fields): Promise<void> {
    const typed = readTyped(sent);
    try {
      const { name, scopes, life: expiresIn, workspaceId } = typed;
      const { value, ...made } = await tokens.personal.create(
        { userId: user.id, resource: choice.resource, workspaceId, name, scopes, expiresIn },
        { actor: { kind: 'user', id: user.id }, meta: deps.auditMeta() },
      );
      deps.metrics.tokenIssued({ grantType: 'personal_access_token', tokenType: 'Bearer' });
      const token = shownToken(deps, made);
      sendPage(ctx, tokenMadePage({ value, token, accountUrl: home, now: now() }));
    } catch (refusal) {
      if (!(refusal instanceof PersonalTokenRefusal)) throw refusal;
      sendForm(ctx, choice, { typed, refusal });
    }
  }

  return {
    async list(ctx: Context): Promise<void> {
      seeOther(ctx, `${home}#tokens`);
    },

    async showForm(ctx: Context): Promise<void> {
      const user = await signedIn(ctx);
      if (!user) return;
      const choices = await choicesOf(deps, user);
      const query = new URLSearchParams(ctx.querystring);
      const slug = query.get('resource');
      const chosen = choices.find(({ resource }) => resource.slug === slug);
      const only = choices.length === 1 ? choices[0] : undefined;
      const choice = chosen ?? only;
      if (choice)
        return sendForm(ctx, choice, { workspaceId: query.get('workspace') ?? undefined });
      if (choices.length === 0) throw nothingToMake();
      const resources = choices.map(({ resource }) => shownResource(resource));
      sendPage(ctx, tokenResourcePage({ action: form, resources, cancelUrl: home }));
    },

    async create(ctx: Context): Promise<void> {
      const user = await signedIn(ctx);
      if (!user) return;
      const sent = await readForm(ctx, longestForm);
      csrf.check(ctx, 'new-token', single(sent, 'csrf'));
      const slug = single(sent, 'resource');
      const choices = await choicesOf(deps, user);
      const choice = choices.find(({ resource }) => resource.slug === slug);
      if (!choice) throw nothingToMake();
      const once = single(sent, 'once') ?? '';
      if (!/^[0-9a-f-]{36}$/.test(once)) throw incomplete();
      // A browser that reloads the answer sends the form again: that must not make a second token.
      const sentBefore = new Date(now().getTime() + rememberSent);
      const isNew = await tokens.claimReplay(`new-token:${user.id}:${once}`, sentBefore);
      if (!isNew) return seeOther(ctx, `${home}#tokens`);
      await make(ctx, user, choice, sent);
    },

    async revoke(ctx: Context): Promise<void> {
      const user = await signedIn(ctx);
      if (!user) return;
      const sent = await readForm(ctx, longestForm);
      csrf.check(ctx, 'account', single(sent, 'csrf'));
      const ended = await tokens.personal.revoke(single(sent, 'token') ?? '', {
        actor: { kind: 'user', id: user.id },
        meta: deps.auditMeta(),
        ownedBy: user.id,
        reason: 'account_page',
      });
      if (!ended) throw gone();
      seeOther(ctx, `${ownPage(base, single(sent, 'return_to')) ?? home}#tokens`);
    },
  };
}

/**
 * What the account page lists: every live token, and those that expired not long ago.
 *
 * @param workspaceId only those for this workspace
 */
export async function shownTokens(
  deps: ProviderDeps,
  userId: string,
  workspaceId?: string,
): Promise<ShownToken[]> {
  const { personal } = deps.tokens;
  const now = deps.now();
  const which = { userId, now, ...(workspaceId !== undefined && { workspaceIds: [workspaceId] }) };
  const pages = await Promise.all([
    personal.list({ ...which, status: 'active', limit: 200 }),
    personal.list({ ...which, status: 'expired', limit: mostExpired }),
  ]);
  return pages.flatMap(({ items }) => items).map((token) => shownToken(deps, token));
}

/** Whether there is anything that this person could make a token for. */
export async function canMakeTokens(deps: ProviderDeps, user: User): Promise<boolean> {
  return (await choicesOf(deps, user)).length > 0;
}

/** What somebody can make a token for; of a workspace, those in which they may use anything of it. */
async function choicesOf({ resources, workspaces }: ProviderDeps, user: User): Promise<Choice[]> {
  const memberships = await workspaces.membershipsOf(user.id);
  const workspaceRoles = memberships.map(({ role }) => role);
  const choices = resourcesFor({ ...user, workspaceRoles }, resources.all());
  return choices.map((choice) =>
    choice.resource.workspaceScoped
      ? { ...choice, workspaces: memberships.filter((one) => isOfUse(user, choice.resource, one)) }
      : choice,
  );
}

function isOfUse(user: User, resource: Resource, { role }: Membership): boolean {
  return resourcesFor({ ...user, workspaceRoles: [role] }, [resource]).length > 0;
}

function readTyped(sent: Fields): Typed {
  return {
    name: single(sent, 'name') ?? '',
    scopes: multiple(sent, 'scope'),
    life: Number(single(sent, 'expires')),
    workspaceId: single(sent, 'workspace'),
  };
}

function shownToken({ resources }: ProviderDeps, token: PersonalToken): ShownToken {
  const resource = resources.resolve(token.resource);
  return {
    id: token.id,
    name: token.name,
    resource: { name: resource?.displayName ?? token.resource, uri: token.resource },
    workspace: token.workspace?.name,
    scopes: inWordsOf(resource, token.scopes),
    created: token.createdAt,
    expires: token.expiresAt,
    expired: token.status === 'expired',
    lastUsed: token.lastUsedAt,
    lastUsedThrough: token.lastUsedFrom,
  };
}

function shownResource({ slug, displayName, uri }: Resource) {
  return { slug, name: displayName, uri };
}

function inWordsOf(resource: Resource | undefined, scopes: readonly string[]) {
  return scopes.map((name) => ({
    name,
    description: resource?.scopes.find((scope) => scope.name === name)?.description ?? name,
  }));
}

function nothingToMake(): OAuthError {
  return new OAuthError(
    'invalid_target',
    'There is nothing here that you can make such a token for. The operator of this server decides who may use what.',
    { status: 404 },
  );
}

function incomplete(): OAuthError {
  return new OAuthError('invalid_request', 'The form is not complete. Open it again.');
}

function gone(): OAuthError {
  return new OAuthError('invalid_request', 'This token is gone. Reload the page.', { status: 404 });
}
