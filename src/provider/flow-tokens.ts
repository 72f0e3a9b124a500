import type { KoaContextWithOIDC } from 'oidc-provider';
import { differencesOf, type FlowReport, type StepReport } from '../flows/index.ts';
import { grantTypes, type OAuthError } from '../oauth/index.ts';
import { refusalOf } from './explain-errors.ts';
import { failureOf } from './flow-authorize.ts';
import type { FlowDeps, Told } from './flow-context.ts';
import { askedForTokens, expectedOf } from './flow-requests.ts';
import { stateOf } from './request-state.ts';
import type { TokenRequest } from './token-request.ts';

/** Answers that a client comes back from: no failures. */
const expectedRefusals = new Set(['authorization_pending', 'slow_down', 'use_dpop_nonce']);
/** What ends an authorization; a refresh only goes on with it. */
const firstGrants = new Set<string>([grantTypes.authorizationCode, grantTypes.deviceCode]);

/**
 * What became of a token request. The first one of an authorization completes its flow; a failed one that
 * belongs to none, or comes later, is a flow of its own. Other successes are none.
 */
export async function tokenReport(
  { clients, resources }: FlowDeps,
  ctx: KoaContextWithOIDC,
  told: Told,
): Promise<FlowReport | undefined> {
  const refusal = refusalOf(ctx);
  const { form, token, flowId: own = '' } = stateOf(ctx);
  const grantType = String(form.grant_type ?? '');
  const flowId = token && flowOf(token);
  const step = { ...told, name: 'token', request: 'POST /oauth/token' } as const;
  const facts = { grant_type: grantType, DPoP: ctx.get('DPoP') ? 'proof sent' : undefined };
  if (!refusal) {
    if (!flowId || !firstGrants.has(grantType) || ctx.status !== 200) return undefined;
    const ok: StepReport = { ...step, state: 'ok', answer: '200', facts };
    return { flowId, ...told, ...headOf(token), outcome: 'succeeded', steps: [ok] };
  }
  if (expectedRefusals.has(refusal.error)) return undefined;
  const asked = askedForTokens(form, ctx.get('authorization'));
  const clientId = ctx.oidc.client?.clientId ?? asked.clientId ?? token?.source?.clientId;
  const client = clientId ? await clients.find(clientId, { refresh: false }) : undefined;
  const expected = expectedOf(client, resources.all(), token?.source);
  const differences = differencesOf(refusal.error, asked, expected);
  const failed: StepReport = { ...step, ...failureOf(refusal), differences, facts };
  const head = { clientId, clientName: client?.clientName, clientKind: client?.kind };
  const joins = flowId && firstGrants.has(grantType) && token?.mode === 'fresh';
  return {
    ...told,
    resource: asked.resource,
    ...headOf(token),
    ...(joins ? {} : head),
    flowId: joins ? flowId : own,
    begins: !joins,
    outcome: 'failed',
    steps: [withAge(failed, refusal, token)],
  };
}

/**
 * The first call with the tokens of an authorization, as far as the resource server asks about them: JWTs that
 * it verifies by itself are never seen here.
 */
export function callReport(
  { flows, resources }: FlowDeps,
  ctx: KoaContextWithOIDC,
  told: Told,
): void {
  const issued = stateOf(ctx).presented?.issued;
  const caller = ctx.oidc.client?.clientId;
  if (!issued?.family_id || !caller || !firstGrants.has(issued.grant_type)) return;
  if (caller === issued.client_id) return;
  const step = { ...told, name: 'first_call', request: 'POST /oauth/introspect' } as const;
  if (isActive(ctx.body)) {
    const note = `${caller} asked about the token`;
    flows.called(issued.family_id, { ...step, state: 'ok', answer: 'active', note });
    return;
  }
  const bound = resources.resolve(issued.resource)?.clients ?? [];
  flows.called(issued.family_id, {
    ...step,
    state: 'failed',
    answer: 'inactive',
    error: 'inactive',
    sentence: `${caller} asked about a token of ${issued.resource}, to which it is not bound.`,
    differences: [{ what: 'clients of the resource', sent: caller, expected: bound }],
  });
}

function flowOf({ source }: TokenRequest): string | undefined {
  const flow = source?.family.flow;
  return typeof flow === 'string' ? flow : undefined;
}

function headOf(token: TokenRequest | undefined) {
  const source = token?.source;
  if (!source) return {};
  const { userId, familyId } = source;
  const resource = source.payload.resource;
  return { userId, familyId, ...(typeof resource === 'string' ? { resource } : {}) };
}

function withAge(
  step: StepReport,
  { error }: OAuthError,
  token: TokenRequest | undefined,
): StepReport {
  const { source, receivedAt } = token ?? {};
  if (error !== 'invalid_grant' || !source || !receivedAt) return step;
  const late = Math.round((receivedAt.getTime() - source.expiresAt.getTime()) / 1000);
  if (late <= 0) return step;
  return { ...step, facts: { ...step.facts, 'came too late by': `${late} s` } };
}

/** An answer as a signed JWT is one for who may know. */
function isActive(body: unknown): boolean {
  if (typeof body === 'string') return true;
  return typeof body === 'object' && body !== null && 'active' in body && body.active === true;
}
