import type { Context } from 'koa';
import type { Clients } from '../clients/index.ts';
import { hostOf, type StepReport, withoutQuery } from '../flows/index.ts';
import { addressBucket, currentRequest } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { ProviderDeps } from './deps.ts';
import { failureOf } from './flow-authorize.ts';
import { flowNamed } from './flow-context.ts';
import type { Interaction } from './interaction.ts';
import { flowParameter } from './prompts.ts';

type Registered = Awaited<ReturnType<Clients['register']>>;
type Deps = Pick<ProviderDeps, 'flows' | 'now'>;

/** A client has fetched a document of ours; who it is shows later, if at all. */
export function noteDocument({ flows, now }: Deps, ctx: Context): void {
  const name = ctx.path.includes('/oauth-protected-resource')
    ? 'resource_metadata'
    : 'server_metadata';
  if (ctx.path.endsWith('/jwks.json')) return;
  const { address, ...request } = told(now);
  const answer = { state: 'ok', answer: '200', note: 'fetched from the same address' } as const;
  flows.fetched(address, { ...request, ...answer, name, request: `GET ${ctx.path}` });
}

/** Registers a client and tells what became of it (RFC 7591): a refusal is an attempt that ended there. */
export async function noteRegistration(
  { flows, now }: Deps,
  body: unknown,
  register: () => Promise<Registered>,
): Promise<Registered> {
  const step = { ...told(now), name: 'client', request: 'POST /oauth/register' } as const;
  try {
    const response = await register();
    const ok: StepReport = { ...step, state: 'ok', answer: '201', note: 'registered itself' };
    flows.registered(response.body.client_id, step.address, ok);
    return response;
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    const sent = redirectsIn(body);
    const failed: StepReport = {
      ...step,
      ...failureOf(error),
      facts: { redirect_uris: sent.join(' ') },
    };
    flows.tell({
      ...step,
      flowId: flowNamed(step.traceId),
      redirectHost: hostOf(sent[0]),
      begins: true,
      outcome: 'failed',
      steps: [failed],
    });
    throw error;
  }
}

/** Somebody could not sign in; the page is shown again, so the attempt goes on. */
export function noteFailedSignIn(
  { flows, now }: Deps,
  { stored, uid }: Interaction,
  problem: string,
): void {
  const flowId = stored.params[flowParameter];
  if (typeof flowId !== 'string' || uid === '') return;
  const step = { ...told(now), name: 'sign_in', request: 'POST /login/{uid}' } as const;
  const failed: StepReport = {
    ...step,
    state: 'failed',
    answer: problem,
    error: problem,
    sentence:
      problem === 'locked'
        ? 'Too many wrong passwords: this account or address has to wait.'
        : 'The e-mail address or the password was wrong.',
  };
  flows.tell({ ...step, flowId, outcome: 'open', steps: [failed] });
}

function told(now: () => Date) {
  const { traceId, ip } = currentRequest();
  return { traceId, address: addressBucket(ip), at: now() };
}

/** The redirect URIs that a registration asked for, a few of them. */
function redirectsIn(body: unknown): string[] {
  if (typeof body !== 'object' || body === null || !('redirect_uris' in body)) return [];
  const { redirect_uris: uris } = body;
  if (!Array.isArray(uris)) return [];
  return uris
    .filter((uri) => typeof uri === 'string')
    .slice(0, 5)
    .map(withoutQuery);
}
