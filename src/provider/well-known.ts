import { clientAssertionAlgorithms } from '../clients/index.ts';
import type { Config } from '../config/index.ts';
import type { Resource } from '../resources/index.ts';
import { dpopAlgorithms } from './algorithms.ts';
import { servedGrants } from './grant-facts.ts';

/**
 * Authorization server metadata (RFC 8414), exactly true: everything in it works, and what works
 * is in it. Endpoint URLs come from the issuer, never from a request.
 */
export function serverMetadata(
  config: Config,
  resources: Resource[],
  signingAlg: string,
): Record<string, unknown> {
  const { issuer } = config.server;
  const at = (path: string) => `${issuer.replace(/\/$/, '')}${path}`;
  const offered = resources.filter(({ enabled, source }) => enabled && source !== 'builtin');
  return {
    issuer,
    authorization_endpoint: at('/oauth/authorize'),
    token_endpoint: at('/oauth/token'),
    jwks_uri: at('/.well-known/jwks.json'),
    ...(config.dcr.mode === 'admin_only' ? {} : { registration_endpoint: at('/oauth/register') }),
    introspection_endpoint: at('/oauth/introspect'),
    revocation_endpoint: at('/oauth/revoke'),
    pushed_authorization_request_endpoint: at('/oauth/par'),
    ...(config.device.enabled
      ? { device_authorization_endpoint: at('/oauth/device_authorization') }
      : {}),
    require_pushed_authorization_requests: false, // but a client may require it of itself (RFC 9126 §6)
    scopes_supported: scopesOf(offered),
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment'],
    grant_types_supported: servedGrants(config),
    ...(config.xaa.enabled ? { authorization_grant_profiles_supported: [idJagProfile] } : {}),
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', ...confidentialMethods],
    token_endpoint_auth_signing_alg_values_supported: [...clientAssertionAlgorithms],
    introspection_endpoint_auth_methods_supported: confidentialMethods,
    introspection_endpoint_auth_signing_alg_values_supported: [...clientAssertionAlgorithms],
    introspection_signing_alg_values_supported: [signingAlg],
    revocation_endpoint_auth_methods_supported: ['none', ...confidentialMethods],
    revocation_endpoint_auth_signing_alg_values_supported: [...clientAssertionAlgorithms],
    ...(config.dpop.enabled ? { dpop_signing_alg_values_supported: [...dpopAlgorithms] } : {}),
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: config.cimd.enabled,
    protected_resources: offered.map((resource) => resource.uri),
    request_uri_parameter_supported: false,
  };
}

/**
 * What is served at openid-configuration, because clients look there: the same, and the members that
 * OpenID Connect Discovery requires. We issue no ID tokens.
 */
export function openidMetadata(
  config: Config,
  resources: Resource[],
  signingAlg: string,
): Record<string, unknown> {
  return {
    ...serverMetadata(config, resources, signingAlg),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [signingAlg],
  };
}

/** ID-JAG draft §7.2: which JWTs the jwt-bearer grant takes. It does not say whose. */
const idJagProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';

const confidentialMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];

function scopesOf(resources: Resource[]): string[] {
  const names = resources.flatMap((resource) => resource.scopes.map((scope) => scope.name));
  return [...new Set([...names, 'offline_access'])];
}
