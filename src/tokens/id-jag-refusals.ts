import { type ErrorCode, OAuthError } from '../oauth/index.ts';

/**
 * Every reason for which an identity assertion is refused, and what the operator does about it. For the log
 * and the audit event `assertion_refused`; docs/enterprise.md lists them.
 */
export const idJagRefusals = {
  missing: 'The request has no assertion parameter.',
  malformed: 'It is no signed JWT in compact form, or it is longer than 8 KiB.',
  type: 'Its header has another typ than oauth-id-jag+jwt, as an ID token or an access token has.',
  algorithm: 'It is not signed by an accepted asymmetric algorithm.',
  issuer: 'Its iss is no enabled trusted issuer, byte for byte.',
  keys_unavailable: 'The keys of the issuer could not be fetched, or are no usable key set.',
  key_unknown: 'No key of the issuer has its kid and algorithm, also after asking again.',
  signature: 'Its signature is not by the key that it names.',
  audience: 'Its aud is not our issuer alone.',
  client: 'Its client_id is not the client that presents it.',
  subject: 'It has no usable sub: text of up to 255 characters.',
  tenant: 'It has a tenant claim: issuers that several organisations share are not supported.',
  unsupported_claim: 'It has authorization_details or act, which would have to be enforced.',
  expired: 'Its exp is missing or has passed.',
  not_yet_valid: 'Its iat is missing or its iat or nbf lies in the future: compare the clocks.',
  lifetime: 'More than an hour lies between its iat and its exp.',
  jti: 'It has no usable jti: text of up to 1,024 characters.',
  replayed: 'Its jti has been used already.',
  key_binding: 'Its cnf is not the thumbprint (jkt) of a DPoP key.',
  proof: 'It is bound to a DPoP key (cnf) and the request has no proof by that key.',
  resource: 'Its resource is missing, more than one, or not registered and enabled here.',
  scope: 'Its scope is malformed, or none of it is registered at the resource.',
  client_kind: 'Clients that registered themselves may not present assertions.',
  client_not_allowed: 'The trusted issuer is not for this client (clients).',
  resource_not_allowed: 'The trusted issuer may not speak for this resource (resources).',
  resource_not_allowed_for_client: 'This client may not ask for the resource (its resources).',
  resource_mismatch: 'The request names another resource than the assertion.',
  workspace:
    'Its resource is scoped to workspaces, no assertion names one, and the person is not a member of exactly one.',
  scope_not_allowed: 'Of its scope nothing is left within what issuer, client and person may have.',
  subject_unknown: 'subject is strict, and nobody is linked to its sub.',
  user_disabled: 'The account of its sub is disabled.',
} as const;

export type IdJagReason = keyof typeof idJagRefusals;

const notAccepted =
  'The identity assertion was not accepted. Ask the identity provider for a new one for this server, this client and this resource, and present it once before it expires. The operator finds the reason by the trace id.';

/**
 * An identity assertion that is refused: precise inside, the same words outside whatever is wrong, so that the
 * answer does not tell what we trust or know.
 *
 * Does NOT hide that by time: an unknown kid makes us ask a trusted issuer for its keys, at most once a minute.
 */
export class IdJagRefusal extends OAuthError {
  readonly reason: IdJagReason;
  readonly got: string | undefined;

  /** @param got what the assertion has instead, for the operator */
  constructor(
    reason: IdJagReason,
    got?: unknown,
    { cause, error = 'invalid_grant', description = notAccepted }: RefusalOptions = {},
  ) {
    const seen = got === undefined ? undefined : shown(got);
    const detail = { reason, ...(seen !== undefined && { got: seen }) };
    super(error, description, { cause, detail });
    this.reason = reason;
    this.got = seen;
  }
}

interface RefusalOptions {
  cause?: unknown;
  error?: ErrorCode;
  description?: string;
}

/** Up to 200 characters of what somebody wrote. */
export function shown(got: unknown): string {
  const text = typeof got === 'string' ? got : JSON.stringify(got);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
