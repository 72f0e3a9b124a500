import type { Context } from 'koa';
import {
  AccountRefusal,
  minPasswordLength,
  passwordPage,
  passwordSetPage,
} from '../accounts/index.ts';
import { readForm, sendPage, single } from '../http/index.ts';
import type { ProviderDeps } from './deps.ts';
import { seeOther } from './see-other.ts';

const longestForm = 16 * 1024;
const form = 'choose-password';

/**
 * `/account/password`: where an invitation or a reset link leads. The token stands in the fragment of the
 * link, which browsers send to nobody. Nothing here tells a used link from one that never was (BF05).
 */
export function choosePassword({
  base,
  csrf,
  accounts,
  auditMeta,
}: Pick<ProviderDeps, 'base' | 'csrf' | 'accounts' | 'auditMeta'>) {
  const action = `${base}/account/password`;
  const done = `${action}/done`;

  function showForm(ctx: Context, failed: Failed = {}): void {
    const { status = 200, ...view } = failed;
    const token = csrf.issue(ctx, form);
    sendPage(ctx, passwordPage({ action, csrf: token, minPasswordLength, ...view }), { status });
  }

  return {
    async show(ctx: Context): Promise<void> {
      showForm(ctx);
    },

    async submit(ctx: Context): Promise<void> {
      const fields = await readForm(ctx, longestForm);
      csrf.check(ctx, form, single(fields, 'csrf'));
      const token = (single(fields, 'token') ?? '').trim().replace(/^.*#/, ''); // people paste the whole link
      const password = single(fields, 'password') ?? '';
      try {
        await accounts.passwordLinks.redeem({ token, password }, auditMeta());
      } catch (error) {
        if (!(error instanceof AccountRefusal)) throw error;
        const kept = error.field === 'token' ? undefined : token;
        const problem = `${error.description}.`;
        return showForm(ctx, { token: kept, problem, status: error.status });
      }
      seeOther(ctx, done);
    },

    async done(ctx: Context): Promise<void> {
      sendPage(ctx, passwordSetPage({ signInUrl: `${base}/account/sign-in` }));
    },
  };
}

interface Failed {
  token?: string | undefined;
  problem?: string;
  status?: number;
}
