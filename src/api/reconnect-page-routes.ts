import type { Context } from 'koa';
import type { User } from '../accounts/index.ts';
import { hashId } from '../db/index.ts';
import { readForm, sendPage, single } from '../http/index.ts';
import { CredentialRefusal } from '../tokens/index.ts';
import type { ApiDeps } from './deps.ts';
import type { OpenLink, ReconnectLinks } from './reconnect-links.ts';
import {
  confirmReconnectPage,
  type ReconnectFacts,
  reconnectedPage,
  reconnectRefusedPage,
} from './reconnect-pages.ts';
import { isSecret, keepForReturn, keptForReturn } from './reconnect-return.ts';
import type { OpenRoute } from './route.ts';

const longestForm = 4096;

/** `/reconnect/{secret}`: where a link leads. Looking at it uses nothing up; the form does, once. */
export function reconnectPages(
  { base, csrf, auditMeta, metrics, bridge }: ApiDeps,
  links: ReconnectLinks,
): OpenRoute[] {
  const secretOf = (ctx: Context) => String(ctx.params.secret);
  const actionOf = (secret: string) => `${base}/reconnect/${secret}`;
  const keyOf = (secret: string, user: User) => `reconnect:${hashId(secret)}:${user.id}`;

  /** Guessed or not, a link is looked at only for somebody who is signed in. */
  async function signedIn(ctx: Context): Promise<User | undefined> {
    const user = await bridge.signedIn(ctx);
    if (user) return user;
    const secret = secretOf(ctx);
    const name = isSecret(secret) ? keepForReturn(ctx, secret) : 'unknown';
    bridge.askToSignIn(ctx, `${base}/reconnect/continue/${name}`);
    return undefined;
  }

  function refuse(ctx: Context, user: User): void {
    const token = csrf.issue(ctx, 'account');
    const view = { account: user.email, signOutAction: `${base}/logout`, csrf: token };
    sendPage(ctx, reconnectRefusedPage(view), { status: 404 });
  }

  function ask(ctx: Context, user: User, link: OpenLink, refusal?: CredentialRefusal): void {
    const secret = secretOf(ctx);
    const token = csrf.issue(ctx, keyOf(secret, user));
    const problem = refusal && { problem: refusal.description };
    const view = { ...factsOf(user, link), action: actionOf(secret), csrf: token, ...problem };
    sendPage(ctx, confirmReconnectPage(view), { status: refusal?.status ?? 200 });
  }

  return [
    {
      ...{ method: 'GET', path: '/reconnect/continue/:name', open: true, page: true },
      async handle(ctx) {
        const secret = keptForReturn(ctx, String(ctx.params.name));
        if (secret !== undefined) return seeOther(ctx, actionOf(secret));
        const user = await bridge.signedIn(ctx);
        if (user) return refuse(ctx, user);
        bridge.askToSignIn(ctx, `${base}/account`);
      },
    },
    {
      ...{ method: 'GET', path: '/reconnect/:secret', open: true, page: true },
      async handle(ctx) {
        const user = await signedIn(ctx);
        if (!user) return;
        const link = await links.find(secretOf(ctx), user);
        return link ? ask(ctx, user, link) : refuse(ctx, user);
      },
    },
    {
      ...{ method: 'POST', path: '/reconnect/:secret', open: true, page: true },
      async handle(ctx) {
        const sent = await readForm(ctx, longestForm);
        const user = await signedIn(ctx);
        if (!user) return;
        const secret = secretOf(ctx);
        // Attack: a form that one person was shown, sent by another who signed in since.
        csrf.check(ctx, keyOf(secret, user), single(sent, 'csrf'));
        if (single(sent, 'decision') !== 'connect') return seeOther(ctx, actionOf(secret));
        try {
          const done = await links.redeem(secret, user, auditMeta());
          if (!done) return refuse(ctx, user);
          metrics.tokenIssued({ grantType: 'workspace_credential', tokenType: 'Bearer' });
          const { link, credential } = done;
          const view = { ...factsOf(user, link), credential, accountUrl: `${base}/account` };
          sendPage(ctx, reconnectedPage(view));
        } catch (refusal) {
          if (!(refusal instanceof CredentialRefusal)) throw refusal;
          const link = await links.find(secret, user);
          return link ? ask(ctx, user, link, refusal) : refuse(ctx, user);
        }
      },
    },
  ];
}

function factsOf(user: User, { workspace, resource, label }: OpenLink): ReconnectFacts {
  const { displayName: name, uri } = resource;
  return { account: user.email, workspace, resource: { name, uri }, label };
}

function seeOther(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.redirect(to);
  ctx.body = '';
}
