import { grantTypes, OAuthError } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';
import type { IssuedToken } from './exchange.ts';

/** The `act` claim (RFC 8693 §4.1): who acts now, and inside it who acted before. */
export interface Act {
  sub: string;
  act?: Act;
}

export interface Delegation {
  /** Undefined where the caller impersonates the subject. */
  act: Act | undefined;
  /** Actors that the new token names. */
  depth: number;
}

/**
 * Who the new token says is acting. Delegation is the rule: the actor is added outside of those that the
 * subject token names. Impersonation (§1.1), a token without `act`, is for the callers that the target
 * lists, for a token that nobody has exchanged yet (so that no actor is ever forgotten), and not for a
 * caller that names its actor. Attack: loops and endless chains, in which nobody is responsible (TX06).
 *
 * @param actor the caller's client_id, or `sub` of its actor_token
 * @param maxDepth `token_exchange.max_chain_depth`
 * @throws OAuthError invalid_request (§2.2.2)
 */
export function delegate({
  subject,
  target,
  callerId,
  actor,
  maxDepth,
}: {
  subject: Pick<IssuedToken, 'claims' | 'grant_type'>;
  target: Resource;
  callerId: string;
  /** `sub` of the actor_token, if one was sent. */
  actor: string | undefined;
  maxDepth: number;
}): Delegation {
  const chain = actorsIn(subject.claims?.act);
  const mayImpersonate = target.exchange?.impersonation.includes(callerId) ?? false;
  const isExchanged = subject.grant_type === grantTypes.tokenExchange;
  if (mayImpersonate && actor === undefined && !isExchanged) {
    return { act: undefined, depth: 0 };
  }
  const sub = actor ?? callerId;
  refuseLoop(chain, sub);
  if (chain.length >= maxDepth) throw tooDeep(maxDepth);
  return { act: nested([sub, ...chain]), depth: chain.length + 1 };
}

/** The actors of an `act` claim, the current one first. @throws TypeError: one of ours has no other form */
function actorsIn(act: unknown): string[] {
  if (act === undefined || act === null) return [];
  if (typeof act !== 'object' || !('sub' in act) || typeof act.sub !== 'string') {
    throw new TypeError('an issued token has an act claim that cannot be read');
  }
  return [act.sub, ...actorsIn('act' in act ? act.act : undefined)];
}

function nested(actors: readonly string[]): Act | undefined {
  return actors.reduceRight<Act | undefined>(
    (act, sub) => ({ sub, ...(act ? { act } : {}) }),
    undefined,
  );
}

/** One actor may narrow again what it was given; a token that comes back to an earlier one is a loop. */
function refuseLoop([current, ...earlier]: readonly string[], sub: string): void {
  if (sub === current || !earlier.includes(sub)) return;
  throw refused(
    'subject_token has been through this client before and came back: a loop. Exchange the token that it had then.',
    'actor_loop',
  );
}

function tooDeep(maxDepth: number): OAuthError {
  return refused(
    `subject_token names ${maxDepth} actors already, and this server allows no more. Exchange a token from further up the chain.`,
    'chain_too_deep',
  );
}

function refused(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_request', description, { detail: { reason } });
}
