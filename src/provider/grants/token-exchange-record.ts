import { tokenTypes } from '../../oauth/index.ts';
import { type Delegation, isPerson, workspaceOf } from '../../tokens/index.ts';
import type { MintRequest } from '../mint.ts';
import type { ExchangeQuestion } from './token-exchange-authority.ts';

/** Whose the token is and what it hangs on; a workspace stays with it where the resource knows workspaces. */
export function lineageOf({ subject, source, target }: ExchangeQuestion) {
  const { jti, root_jti, sub } = subject;
  const keepsWorkspace = target.workspaceScoped || target.uri === source.uri;
  return {
    parent: { jti, rootJti: root_jti ?? jti },
    ...(isPerson(subject) ? { userId: sub } : { machineId: sub }),
    ...(keepsWorkspace ? { workspace: workspaceOf(subject) } : {}),
  };
}

/** Who acts (RFC 8693 §4.1), and when the user signed in (RFC 9068 §2.2.1), which stays as it was. */
export function claimsOf({ subject }: ExchangeQuestion, { act }: Delegation) {
  const signedIn = subject.claims?.auth_time;
  return {
    ...(typeof signedIn === 'number' ? { auth_time: signedIn } : {}),
    ...(act ? { act } : {}),
  };
}

/** What the audit log tells of the exchange, in place of `token_issued`. */
export function eventFor(
  { caller, subject }: ExchangeQuestion,
  { depth }: Delegation,
): MintRequest['event'] {
  return ({ jti, scope, resource }) => ({
    type: 'token_exchanged',
    actor: { kind: 'client', id: caller.clientId },
    clientId: caller.clientId,
    userId: isPerson(subject) ? subject.sub : undefined,
    resource,
    detail: {
      subject_token_type: tokenTypes.accessToken,
      issued_token_type: tokenTypes.accessToken,
      scope,
      subject_jti: subject.jti,
      jti,
      chain_depth: depth,
    },
  });
}
