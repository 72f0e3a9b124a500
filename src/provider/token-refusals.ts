import type { AuditEvent } from '../audit/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Outcome, ReplayClaim } from '../tokens/index.ts';
import type { Claim, TokenRequest } from './token-request.ts';

/** @throws OAuthError unless the one write of the request wrote everything */
export function requireDone(outcome: Outcome, token: TokenRequest): void {
  if (outcome === 'done') return;
  if (outcome === 'lost_race') throw usedAlready();
  throw outcome === 'not_allowed' ? notAllowed() : replayed(outcome.replayed, token);
}

/** What the audit log tells of something that came a second time; nothing for other refusals. */
export function replayEvents(outcome: Outcome, token: TokenRequest): AuditEvent[] {
  if (typeof outcome === 'string') return [];
  const [issuance] = token.issuances;
  const clientId = issuance?.client_id ?? undefined;
  const who = { actor: { kind: 'client' as const, id: clientId }, clientId };
  const endpoint = 'token';
  switch (kindOf(outcome.replayed, token)) {
    case 'assertion':
      return [{ ...who, type: 'client_assertion_reused', detail: { endpoint } }];
    case 'authorization':
      return [
        { ...who, type: 'assertion_refused', detail: { reason: 'replayed', verified: true } },
      ];
    case 'proof':
      return [
        { ...who, type: 'dpop_proof_reused', detail: { jkt: issuance?.jkt ?? '', endpoint } },
      ];
  }
}

/** Whether a client assertion was among what came a second time. */
export function wasAssertion(again: ReplayClaim[], { claims }: TokenRequest): boolean {
  const assertion = claims.find(({ kind }) => kind === 'assertion');
  return again.some(({ id }) => id === assertion?.id);
}

function kindOf(again: ReplayClaim[], token: TokenRequest): Claim['kind'] {
  if (wasAssertion(again, token)) return 'assertion';
  const [first] = again;
  return token.claims.find(({ id }) => id === first?.id)?.kind ?? 'proof';
}

/** What was presented has been used up by somebody else, or earlier. */
export function usedAlready(): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'This code or refresh token has been used already. Start a new authorization.',
  );
}

function notAllowed(): OAuthError {
  return new OAuthError(
    'invalid_grant',
    'This authorization has ended: the client, the account, the grant or the resource is no longer active. Start a new authorization.',
  );
}

function replayed(again: ReplayClaim[], token: TokenRequest): OAuthError {
  switch (kindOf(again, token)) {
    case 'assertion':
      return new OAuthError(
        'invalid_client',
        'This client assertion has been used before. Sign a new one with a fresh jti.',
        { status: 401 },
      );
    case 'authorization':
      return new OAuthError(
        'invalid_grant',
        'This assertion has been used before. Ask its issuer for a new one.',
      );
    case 'proof':
      return new OAuthError(
        'invalid_dpop_proof',
        'This DPoP proof has been used before. Sign a new one with a fresh jti.',
      );
  }
}
