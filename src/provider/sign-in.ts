import type { Context } from 'koa';
import { type SignInProblem, signInPage } from '../accounts/index.ts';
import { readForm, sendPage, single } from '../http/index.ts';
import { startSession } from './browser-session.ts';
import type { ProviderDeps } from './deps.ts';
import { noteFailedSignIn } from './flow-notes.ts';
import { finishInteraction, type Interaction, loadInteraction } from './interaction.ts';
import { leaveForProvider } from './leave-for-provider.ts';
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
        await finishInteraction(ctx, interaction, { person: session.userId });
        return;
      }
      await send(deps, ctx, interaction, { username: interaction.loginHint });
    },

    async submit(ctx: Context): Promise<void> {
      const form = await readForm(ctx, longestForm);
      deps.csrf.check(ctx, key(ctx.params), single(form, 'csrf'));
      const interaction = await loadInteraction(live.current, ctx);
      const slug = single(form, 'provider');
      if (slug !== undefined) {
        const beganAt = { purpose: 'login', interactionUid: interaction.uid } as const;
        const again = !onlyNobodyWasSignedIn(interaction);
        return leaveForProvider(deps, ctx, { slug, beganAt, again });
      }
      const answer = await checkPassword(deps, ctx, {
        username: single(form, 'username') ?? '',
        password: single(form, 'password') ?? '',
      });
      if (answer.userId === undefined) {
        noteFailedSignIn(deps, interaction, answer.problem.kind);
        return send(deps, ctx, interaction, answer);
      }
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

/** Starts their session, which ends the one before: one browser, one person. */
export async function continueAs(
  deps: ProviderDeps,
  ctx: Context,
  interaction: Interaction,
  userId: string,
): Promise<void> {
  const { session, stored, provider } = interaction;
  // Their other tab signed in while this one waited: its session is as fresh, and in use there.
  const isFresh = session?.userId === userId && onlyNobodyWasSignedIn(interaction);
  if (!isFresh) await startSession(deps, provider, ctx, userId);
  stored.params.prompt = withoutLogin(stored.params.prompt);
  await finishInteraction(ctx, interaction, { person: userId });
}

/** What a client's `prompt` still asks for after the sign-in. */
function withoutLogin(prompt: unknown): string | undefined {
  if (typeof prompt !== 'string') return undefined;
  const rest = prompt.split(' ').filter((one) => one !== 'login');
  return rest.length > 0 ? rest.join(' ') : undefined;
}

async function send(
  { base, clients, resources, csrf, config, identityProviders }: ProviderDeps,
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
    providers: identityProviders.buttons(),
    local: config.session.local_sign_in,
    ...shown,
  });
  const status = ctx.status === 404 ? 200 : ctx.status; // koa's default is 404
  sendPage(ctx, page, { status, formAction: 'anywhere' });
}

function key({ uid }: { uid?: string }): string {
  return `login:${uid}`;
}
