import type { Context } from 'koa';
import {
  type BeganAt,
  type ProviderSignInError,
  providerProblemPage,
  providerProblemStatus,
  reasonsOf,
} from '../accounts/index.ts';
import { currentRequest, sendPage } from '../http/index.ts';
import type { ProviderDeps } from './deps.ts';

type Deps = Pick<
  ProviderDeps,
  'base' | 'federation' | 'identityProviders' | 'metrics' | 'auditMeta'
>;

/** Our page for a sign-in elsewhere that failed; the reason goes to the log and the audit log. */
export async function sendProviderProblem(
  deps: Deps,
  ctx: Context,
  error: ProviderSignInError,
): Promise<void> {
  const { failure, provider, beganAt } = error;
  const { log, traceId } = currentRequest();
  log.warn(
    { failure, provider, reasons: reasonsOf(error.cause) },
    'a sign-in at an identity provider failed',
  );
  await deps.federation.recordFailure(error, deps.auditMeta());
  deps.metrics.signIn(failure === 'disabled' ? 'disabled' : 'invalid');
  const chosen = deps.identityProviders.all().find(({ slug }) => slug === provider);
  const page = providerProblemPage({
    ...{ failure, traceId, providerName: chosen?.display_name },
    backUrl: backTo(deps.base, beganAt),
  });
  if (failure === 'unreachable') ctx.set('Retry-After', '30');
  sendPage(ctx, page, { status: providerProblemStatus(failure), opener: 'keep' });
}

function backTo(base: string, beganAt: BeganAt | undefined): string {
  if (beganAt?.purpose === 'admin') return `${beganAt.origin ?? ''}/admin/sign-in`;
  if (beganAt?.interactionUid) return `${base}/login/${beganAt.interactionUid}`;
  return `${base}/account/sign-in`;
}
