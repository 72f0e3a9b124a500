import { OAuthError } from '../oauth/index.ts';
import type { RuleLog } from './compatibility.ts';
import { clientAssertionAlgorithms } from './jwks.ts';
import type { WireMetadata } from './metadata.ts';
import type { AssertionAlgorithm, AuthMethod, Client, ClientMetadata } from './types.ts';

const methodsOf: Record<Client['kind'], readonly AuthMethod[]> = {
  preregistered: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  dcr: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  // No shared secret can be in a public document (CIMD draft-02 §4).
  cimd: ['none', 'private_key_jwt'],
};

type Authentication = Pick<
  ClientMetadata,
  | 'token_endpoint_auth_method'
  | 'token_endpoint_auth_methods_supported'
  | 'token_endpoint_auth_signing_alg'
  | 'jwks'
  | 'jwks_uri'
>;

/**
 * Decides how a client authenticates at the token endpoint (RFC 7591 §2, OpenID RP Metadata Choices).
 *
 * @throws OAuthError invalid_client_metadata
 */
export function decideAuthentication(
  wire: WireMetadata,
  kind: Client['kind'],
  rules: RuleLog,
): Authentication {
  const { jwks, jwks_uri } = wire;
  if (jwks && jwks_uri) throw invalid('jwks and jwks_uri must not both be present');
  const methods = decideMethods(wire, kind, rules);
  const [token_endpoint_auth_method] = methods;
  const signs = methods.includes('private_key_jwt');
  if (signs && !jwks && !jwks_uri) throw invalid('private_key_jwt needs jwks or jwks_uri');
  return {
    token_endpoint_auth_method,
    token_endpoint_auth_methods_supported: methods.length > 1 ? methods : undefined,
    token_endpoint_auth_signing_alg: signs ? decideAlgorithm(wire) : undefined,
    jwks,
    jwks_uri,
  };
}

function decideAlgorithm({
  token_endpoint_auth_signing_alg: asked,
}: WireMetadata): AssertionAlgorithm | undefined {
  if (asked === undefined) return undefined;
  const known = clientAssertionAlgorithms.find((algorithm) => algorithm === asked);
  if (!known) {
    throw invalid(
      `token_endpoint_auth_signing_alg must be one of ${clientAssertionAlgorithms.join(', ')}`,
    );
  }
  return known;
}

/** The first is the one to prefer. */
function decideMethods(
  wire: WireMetadata,
  kind: Client['kind'],
  rules: RuleLog,
): [AuthMethod, ...AuthMethod[]] {
  const allowed = methodsOf[kind];
  const { token_endpoint_auth_method: asked, token_endpoint_auth_methods_supported: listed } = wire;
  if (asked === undefined && listed && rules.use('auth-method-list'))
    return fromList(listed, wire, allowed);
  const method = asked ?? defaultMethod(kind, rules);
  const known = allowed.find((candidate) => candidate === method);
  if (!known) throw invalid(`token_endpoint_auth_method must be one of ${allowed.join(', ')}`);
  return [known];
}

/** Keys, where the client has them, before nothing; a secret only where nothing else is offered. */
function fromList(
  listed: string[],
  wire: WireMetadata,
  allowed: readonly AuthMethod[],
): [AuthMethod, ...AuthMethod[]] {
  const has = (method: AuthMethod) => allowed.includes(method) && listed.includes(method);
  const secret = (['client_secret_basic', 'client_secret_post'] as const).find(has);
  const signs = has('private_key_jwt') && (wire.jwks ?? wire.jwks_uri) !== undefined;
  if (signs) return has('none') ? ['private_key_jwt', 'none'] : ['private_key_jwt'];
  if (has('none')) return ['none'];
  if (secret) return [secret];
  throw invalid('token_endpoint_auth_methods_supported has no method that this client may use');
}

function defaultMethod(kind: Client['kind'], rules: RuleLog): AuthMethod {
  if (kind === 'preregistered' || rules.use('auth-method-none-when-absent')) return 'none';
  return 'client_secret_basic';
}

/**
 * How a client must authenticate at this request. Only where its document leaves the choice open does the
 * request decide: keys if it signed, none if not.
 */
export function authMethodFor(
  { metadata }: Pick<Client, 'metadata'>,
  request: { signed: boolean },
): AuthMethod {
  const open = metadata.token_endpoint_auth_methods_supported;
  if (!open) return metadata.token_endpoint_auth_method;
  const method = request.signed ? 'private_key_jwt' : 'none';
  return open.includes(method) ? method : metadata.token_endpoint_auth_method;
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description);
}
