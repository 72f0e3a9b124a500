import type { Context } from 'koa';
import { type SignInProblem, signInPage } from '../accounts/index.ts';
import { readForm, sendPage, single } from '../http/index.ts';
import type { ProviderDeps } from './deps.ts';
import { finishInteraction, type Interaction, loadInteraction } from './interaction.ts';
import type { LiveProvider } from './provider.ts';

const longestForm = 32 * 1024;

/** `/login/{uid}`: signs a person in on the way of an authorization. */
export function signIn(deps: ProviderDeps, live: LiveProvider) {
  return {
    async show(ctx: Context): Promise<void> {
      const interaction = await loadInteraction(live.current, ctx);
      const { session } = interaction;
      // Another tab signed in while this one waited: go on as that person without asking twice.
      if (session && onlyNobodyWasSignedIn(interaction)) {
        await finishInteraction(ctx, interaction, { login: { accountId: session.userId } });
        return;
      }
      await send(deps, ctx, interaction, { username: interaction.loginHint });
    },

    async submit(ctx: Context): Promise<void> {
      const interaction = await loadInteraction(live.current, ctx);
      const form = await readForm(ctx, longestForm);
      deps.csrf.check(ctx, key(interaction), single(form, 'csrf'));
      const answer = await checkPassword(deps, ctx, {
        username: single(form, 'username') ?? '',
        password: single(form, 'password') ?? '',
      });
      if (answer.userId === undefined) return send(deps, ctx, interaction, answer);
      await continueAs(deps, ctx, interaction, answer.userId);
    },
  };
}

export interface FailedSignIn {
  userId?: undefined;
  username: string;
  problem: SignInProblem;
}

/** Checks what was typed; on failure sets the status of the answer and says what to show. */
export async function checkPassword(
  { accounts, auditMeta, metrics }: Pick<ProviderDeps, 'accounts' | 'auditMeta' | 'metrics'>,
  ctx: Context,
  { username, password }: { username: string; password: string },
): Promise<{ userId: string } | FailedSignIn> {
  const answer = await accounts.authenticate({ email: username, password, meta: auditMeta() });
  metrics.signIn(answer.ok ? 'succeeded' : answer.reason);
  if (answer.ok) return { userId: answer.user.id };
  if (answer.reason === 'invalid') {
    ctx.status = 400;
    return { username, problem: { kind: 'invalid' } };
  }
  const retryAfter = answer.retryAfter ?? 60;
  ctx.status = 429;
  ctx.set('Retry-After', String(retryAfter));
  return { username, problem: { kind: 'locked', retryAfter } };
}

function onlyNobodyWasSignedIn({ stored }: Interaction): boolean {
  return (
    stored.prompt.name === 'login' && stored.prompt.reasons.every((one) => one === 'no_session')
  );
}

/** If somebody else was signed in here, that session ends: one browser, one person. */
async function continueAs(
  { accounts }: ProviderDeps,
  ctx: Context,
  interaction: Interaction,
  userId: string,
): Promise<void> {
  const { session, stored } = interaction;
  if (session && session.userId !== userId) await accounts.sessions.endByUid(session.uid);
  if (stored.session?.accountId !== userId) stored.session = undefined;
  await finishInteraction(ctx, interaction, { login: { accountId: userId } });
}

async function send(
  { base, clients, resources, csrf }: ProviderDeps,
  ctx: Context,
  interaction: Interaction,
  shown: { username?: string; problem?: SignInProblem },
): Promise<void> {
  const { params, uid } = interaction;
  const client = await clients.find(params.clientId, { refresh: false });
  const page = signInPage({
    action: `${base}/login/${uid}`,
    csrf: csrf.issue(ctx, key(interaction)),
    clientName: client?.clientName ?? params.clientId,
    resourceName: resources.resolve(params.resource)?.displayName,
    ...shown,
  });
  const status = ctx.status === 404 ? 200 : ctx.status; // koa's default is 404
  sendPage(ctx, page, { status, formAction: 'anywhere' });
}

function key({ uid }: Interaction): string {
  return `login:${uid}`;
}
