import type { Context } from 'koa';
import {
  AccountRefusal,
  type Accounts,
  type ChangeMeta,
  linkUsedPage,
  minPasswordLength,
  setupPage,
} from '../accounts/index.ts';
import {
  createCsrf,
  currentRequest,
  type Fields,
  readForm,
  sendPage,
  single,
} from '../http/index.ts';
import { ownerPage } from './setup-page.ts';

const action = '/admin/setup';
const done = '/admin/setup/done';
const form = 'setup';
const longestForm = 16 * 1024;
const refusedOnPage = new Set(['email', 'password', 'name', 'token']);

/** The link that `serve` prints. The token stands in the fragment, which browsers send to nobody. */
export function setupUrl(adminUrl: string, token: string): string {
  return `${new URL(adminUrl).origin}${action}#${token}`;
}

export interface SetupDeps {
  setup: Pick<Accounts['setup'], 'needed' | 'redeem'>;
  issuer: string;
  /** Signs the cookie that ties the form to its browser: `session.secret`. */
  cookieSecret: string;
}

/** The pages on which the first owner is made. */
export function setupRoutes({ setup, issuer, cookieSecret }: SetupDeps) {
  const csrf = () => createCsrf({ site: currentRequest().site, secret: cookieSecret });

  const showForm = (ctx: Context, view: Partial<Parameters<typeof setupPage>[0]>, status = 200) => {
    const token = csrf().issue(ctx, form);
    sendPage(ctx, setupPage({ action, csrf: token, minPasswordLength, ...view }), { status });
  };

  const showUsed = (ctx: Context) => {
    const next = `This server has an owner, who adds everybody else. Your account is at ${issuer}/account.`;
    sendPage(ctx, linkUsedPage({ reason: 'used', next }), { status: 410 });
  };

  return {
    async show(ctx: Context): Promise<void> {
      if (await setup.needed()) showForm(ctx, {});
      else showUsed(ctx);
    },

    async redeem(ctx: Context): Promise<void> {
      const fields = await readForm(ctx, longestForm);
      csrf().check(ctx, form, fields.csrf);
      if (!(await setup.needed())) return showUsed(ctx);
      const typed = typedIn(fields);
      try {
        await setup.redeem(typed, requestMeta());
      } catch (error) {
        if (!(error instanceof AccountRefusal) || !refusedOnPage.has(error.field)) throw error;
        const { email, name } = typed;
        const token = error.field === 'token' ? undefined : typed.token;
        const problem = `${error.description}.`;
        return showForm(ctx, { email, name, token, problem }, error.status);
      }
      ctx.status = 303;
      ctx.redirect(done);
    },

    async done(ctx: Context): Promise<void> {
      if (await setup.needed()) ctx.redirect(action);
      else sendPage(ctx, ownerPage({ issuer }));
    },
  };
}

function typedIn(fields: Fields) {
  const text = (name: string) => (single(fields, name) ?? '').trim();
  return {
    token: text('token').replace(/^.*#/, ''), // people paste the whole link
    email: text('email'),
    name: text('name'),
    password: single(fields, 'password') ?? '',
  };
}

function requestMeta(): ChangeMeta {
  const { receivedAt, ip, userAgent, traceId } = currentRequest();
  return { at: receivedAt, ip, userAgent, traceId };
}
