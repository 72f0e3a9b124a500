import { randomUUID } from 'node:crypto';
import type { BaseLogger } from 'pino';
import type { Metrics } from '../audit/index.ts';
import { type Circuit, createCircuit } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import { type ClaimsClient, type ClaimsUser, fits } from './claims.ts';
import { HookFailure, readHookAnswer, sendToHook } from './claims-hook-call.ts';
import { signWebhook } from './webhook.ts';

/** What is asked of a resource's claims hook. */
export interface ClaimsQuestion {
  client: ClaimsClient;
  /** Absent where the client itself is the subject. */
  user?: ClaimsUser | undefined;
  scope: string;
  grantType: string;
  workspaceId?: string | undefined;
  /** Claims by the mapping: the answer is put over them. */
  claims: Readonly<Record<string, unknown>>;
  /** For the hook's log: the trace id of the token request. */
  requestId?: string | undefined;
}

export interface ClaimsHooksDeps {
  /** The secret that requests for this resource are signed with; undefined when it cannot be read. */
  secretOf: (resource: Resource) => string | undefined;
  metrics: Pick<Metrics, 'claimsHookCalled'>;
  log: Pick<BaseLogger, 'warn'>;
  now: () => Date;
}

export interface ClaimsHooks {
  /**
   * The claims of a token after its resource's hook has been asked; without a hook, those of the question.
   *
   * @throws OAuthError temporarily_unavailable with Retry-After, where there is no usable answer and
   *   the hook's `on_failure` is `deny`
   */
  extend(resource: Resource, question: ClaimsQuestion): Promise<Record<string, unknown>>;
}

/** Failures in a row that make a hook rest, and for how many seconds. */
export const hookRest = { failures: 5, pause: 5 } as const;

/** Signed questions to the hooks of resources (`resources[].claims_hook`); docs/claims.md is the protocol. */
export function createClaimsHooks(deps: ClaimsHooksDeps): ClaimsHooks {
  const circuit = createCircuit(hookRest, deps.now);
  return {
    async extend(resource, question) {
      const hook = resource.claimsHook;
      if (!hook) return { ...question.claims };
      try {
        const claims = merged(question.claims, await ask(deps, circuit, resource, question));
        deps.metrics.claimsHookCalled('answered');
        return claims;
      } catch (error) {
        if (!(error instanceof HookFailure)) throw error;
        const { reason, message } = error;
        deps.metrics.claimsHookCalled(reason);
        const failure = { resource: resource.slug, reason, message, on_failure: hook.on_failure };
        deps.log.warn(failure, 'a claims hook gave no usable answer');
        if (hook.on_failure === 'skip') return { ...question.claims };
        throw unavailable(error, circuit.retryAfter(resource.uri));
      }
    },
  };
}

async function ask(
  { secretOf, now }: ClaimsHooksDeps,
  circuit: Circuit,
  resource: Resource,
  question: ClaimsQuestion,
): Promise<Record<string, unknown>> {
  const { uri, claimsHook: hook } = resource;
  const secret = secretOf(resource);
  if (!hook || !secret) throw new HookFailure('unreadable_secret', 'the secret cannot be opened');
  if (!circuit.allows(uri)) throw new HookFailure('resting', 'it failed repeatedly just now');
  try {
    const body = JSON.stringify(wire(uri, question));
    const message = { id: `msg_${randomUUID()}`, body, at: now() };
    const response = await sendToHook(hook, body, signWebhook(secret, message));
    circuit.answered(uri);
    return readHookAnswer(response);
  } catch (error) {
    // An answer that is of no use may be one account's fault, and must not stop the others.
    if (error instanceof HookFailure && error.isDown) circuit.failed(uri);
    else circuit.answered(uri);
    throw error;
  }
}

/** The request's body, under wire names. */
function wire(resource: string, question: ClaimsQuestion) {
  const { client, user, scope, grantType, workspaceId, claims, requestId } = question;
  return {
    version: 1,
    event: 'access_token.claims',
    request_id: requestId ?? null,
    resource,
    grant_type: grantType,
    scope,
    client: { client_id: client.clientId, name: client.clientName ?? null, kind: client.kind },
    user: user
      ? { id: user.id, email: user.email, name: user.name ?? null, groups: user.groups }
      : null,
    workspace_id: workspaceId ?? null,
    claims,
  };
}

/** The answer over the mapping; null takes a claim away. */
function merged(
  before: Readonly<Record<string, unknown>>,
  answer: Record<string, unknown>,
): Record<string, unknown> {
  const claims = Object.fromEntries(
    Object.entries({ ...before, ...answer }).filter(([, value]) => value !== null),
  );
  if (!fits(claims)) throw new HookFailure('unusable_answer', 'its claims are too large');
  return claims;
}

function unavailable(cause: HookFailure, retryAfter: number): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'The claims of this resource could not be determined just now. Try again in a moment: the code or refresh token was not used up.',
    { cause, detail: { reason: cause.reason }, headers: { 'Retry-After': String(retryAfter) } },
  );
}
