import type { Context } from 'koa';
import {
  type Accounts,
  recordAdminRefusal,
  type SignInProblem,
  signInPage,
} from '../accounts/index.ts';
import type { AuditMeta, Metrics } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import {
  createCsrf,
  currentRequest,
  readForm,
  readQuery,
  sendPage,
  single,
} from '../http/index.ts';
import { returnTo } from './policy.ts';
import type { AdminSessionCookies } from './session-cookies.ts';

/** Address of the sign-in page of the console. */
export const signInPath = '/admin/sign-in';
const form = 'admin-sign-in';
const longestForm = 32 * 1024;

/** An identity provider at which people may sign in to the administration. */
export interface SignInProvider {
  slug: string;
  displayName: string;
}

/** Other ways in than a password. */
export interface SignInElsewhere {
  /** Those of which the page shows a button, which posts the slug as `provider`. */
  providers: () => readonly SignInProvider[] | Promise<readonly SignInProvider[]>;
  /** Whether a password is taken, too. */
  local: boolean;
  /** Leads the browser to a provider, and in the end to `returnTo`. @throws OAuthError for an unknown one */
  begin: (ctx: Context, to: { slug: string; returnTo: string }) => Promise<void>;
}

export interface SignInDeps {
  db: Database;
  accounts: Pick<Accounts, 'authenticate'>;
  metrics: Pick<Metrics, 'signIn'>;
  sessions: AdminSessionCookies;
  auditMeta: () => AuditMeta;
  signInElsewhere?: SignInElsewhere | undefined;
}

/**
 * The pages on which people sign in to the administration with their own account.
 *
 * @param cookieSecret `session.secret`
 */
export function adminSignIn(deps: SignInDeps, cookieSecret: string) {
  const { sessions } = deps;
  const csrf = () => createCsrf({ site: currentRequest().site, secret: cookieSecret });

  async function show(ctx: Context, failed: Refused = {}): Promise<void> {
    const to = target(ctx);
    const providers = (await deps.signInElsewhere?.providers()) ?? [];
    const page = signInPage({
      action: `${signInPath}?return_to=${encodeURIComponent(to)}`,
      csrf: csrf().issue(ctx, form),
      note: 'to run this server. What you may do there depends on the role of your account.',
      providers: providers.map(({ slug, displayName }) => ({ slug, name: displayName })),
      local: deps.signInElsewhere?.local ?? true,
      ...(failed.username !== undefined && { username: failed.username }),
      ...(failed.problem && { problem: failed.problem }),
    });
    // Chromium holds form-action against where the answer leads, too.
    const formAction = providers.length > 0 ? 'anywhere' : 'self';
    sendPage(ctx, page, { status: failed.status ?? 200, formAction, opener: 'sever' });
  }

  return {
    async show(ctx: Context): Promise<void> {
      if (await sessions.read(ctx)) seeOther(ctx, target(ctx));
      else await show(ctx);
    },

    /** Same limits, same words and same work as signing in anywhere else on this server. */
    async submit(ctx: Context): Promise<void> {
      const fields = await readForm(ctx, longestForm);
      csrf().check(ctx, form, single(fields, 'csrf'));
      const slug = single(fields, 'provider');
      const { signInElsewhere: elsewhere } = deps;
      if (slug !== undefined && elsewhere) {
        return elsewhere.begin(ctx, { slug, returnTo: target(ctx) });
      }
      if (elsewhere?.local === false) return show(ctx, { status: 403 });
      const username = single(fields, 'username') ?? '';
      const password = single(fields, 'password') ?? '';
      const meta = deps.auditMeta();
      const purpose = 'admin' as const;
      const answer = await deps.accounts.authenticate({ email: username, password, purpose, meta });
      deps.metrics.signIn(answer.ok ? 'succeeded' : answer.reason);
      if (!answer.ok) return show(ctx, { username, ...refusal(ctx, answer) });
      if (await sessions.start(ctx, { user: answer.user })) return seeOther(ctx, target(ctx));
      await recordAdminRefusal(deps.db.kysely, answer, meta);
      return show(ctx, { username, problem: { kind: 'no_role' }, status: 403 });
    },

    /** Signs out of the administration in this browser; the form carries the `csrf` of the session. */
    async signOut(ctx: Context): Promise<void> {
      const fields = await readForm(ctx, longestForm);
      const signedIn = await sessions.read(ctx);
      if (signedIn) {
        sessions.check(ctx, signedIn, single(fields, 'csrf'));
        await sessions.end(ctx);
      }
      seeOther(ctx, signInPath);
    },
  };
}

interface Refused {
  username?: string;
  problem?: SignInProblem;
  status?: number;
}

function refusal(
  ctx: Context,
  { reason, retryAfter = 60 }: { reason: 'invalid' | 'locked'; retryAfter?: number },
): Refused {
  if (reason === 'invalid') return { problem: { kind: 'invalid' }, status: 400 };
  ctx.set('Retry-After', String(retryAfter));
  return { problem: { kind: 'locked', retryAfter }, status: 429 };
}

/** A parameter that was repeated or cannot be decoded is none. */
function target(ctx: Context): string {
  const asked = readQuery(ctx).return_to;
  return returnTo(typeof asked === 'string' ? asked : undefined);
}

function seeOther(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.set('Cache-Control', 'no-store');
  ctx.redirect(to);
  ctx.body = '';
}
