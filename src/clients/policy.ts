import { grantTypes, OAuthError } from '../oauth/index.ts';
import { decideAuthentication } from './authentication.ts';
import { createRuleLog, type RuleLog, type RuleName } from './compatibility.ts';
import { readMetadata, storedMetadata, type WireMetadata } from './metadata.ts';
import { decideRedirects, isApprovedRedirect } from './redirects.ts';
import type { Client, ClientMetadata, ClientsConfig } from './types.ts';

/** Grants by which a client acts in its own name or on a bare token: only for clients that an operator made. */
const machineGrants: string[] = [
  grantTypes.clientCredentials,
  grantTypes.tokenExchange,
  grantTypes.jwtBearer,
];

export interface Decision {
  metadata: ClientMetadata;
  /** Compatibility rules that were applied. */
  rules: RuleName[];
  /** Ceiling of scopes; only operators set one. */
  scope?: string;
}

/**
 * Decides what a registration request gets (RFC 7591 §2, §3.2): redirect URIs, grants, authentication.
 * Registered clients never get machine grants.
 *
 * @throws OAuthError invalid_redirect_uri or invalid_client_metadata
 */
export function decideRegistration(body: unknown, config: ClientsConfig): Decision {
  const decision = decide(body, 'dcr', config);
  const { approved_redirects: approved, mode } = config.dcr;
  if (mode !== 'approved_redirects') return decision;
  const uris = decision.metadata.redirect_uris;
  const other = uris.findIndex((uri) => !isApprovedRedirect(uri, approved));
  if (other >= 0 || uris.length === 0) {
    throw new OAuthError(
      'invalid_redirect_uri',
      `redirect_uris[${Math.max(other, 0)}] is not among the redirect URIs that this server approves`,
    );
  }
  return decision;
}

/**
 * Decides what a client metadata document gets (CIMD draft-02 §4).
 *
 * @param clientId the URL that it was fetched from, as the client wrote it
 * @throws OAuthError, or Error when the document is not that client's
 */
export function decideDocument(
  clientId: string,
  document: unknown,
  config: ClientsConfig,
): Decision {
  const own = typeof document === 'object' && document !== null ? document : {};
  if (!('client_id' in own) || own.client_id !== clientId) {
    throw new Error('client_id in the document differs from its address');
  }
  if ('client_secret' in own || 'client_secret_expires_at' in own) {
    throw new Error('a document must not contain a client_secret');
  }
  return decide(document, 'cimd', config);
}

/** Decides what a client made by an operator gets. @throws OAuthError */
export function decidePreregistered(body: unknown, config: ClientsConfig): Decision {
  return decide(body, 'preregistered', config);
}

function decide(body: unknown, kind: Client['kind'], config: ClientsConfig): Decision {
  const rules = createRuleLog(config.compatibility);
  const privateAddresses = config.cimd.allow_private_addresses;
  const wire = readMetadata(body, { kind, privateAddresses }, rules);
  const grants = decideGrants(wire, kind, config, rules);
  const redirects = decideRedirects(wire.redirect_uris ?? [], wire.application_type, rules);
  const responseTypes = decideResponseTypes(wire, grants, rules);
  if (responseTypes.length > 0 && redirects.redirect_uris.length === 0) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uris must have at least one entry');
  }
  const authentication = decideAuthentication(wire, kind, rules);
  if (authentication.token_endpoint_auth_method === 'none') refuseMachineGrants(grants, kind);
  const scope = decideScope(wire, kind, rules);
  const metadata = storedMetadata({
    ...describing(wire),
    ...redirects,
    response_types: responseTypes,
    grant_types: grants,
    ...authentication,
    dpop_bound_access_tokens: wire.dpop_bound_access_tokens || undefined,
    require_pushed_authorization_requests: wire.require_pushed_authorization_requests || undefined,
  });
  return { metadata, rules: rules.applied(), ...(scope === undefined ? {} : { scope }) };
}

/**
 * Grants that this kind of client may have. An operator's client keeps a grant that is switched off at the
 * moment: the server as a whole does not serve it then.
 */
export function allowedGrants(kind: Client['kind'], config: ClientsConfig): string[] {
  const forPeople = [grantTypes.authorizationCode, grantTypes.refreshToken];
  if (kind === 'preregistered') return [...forPeople, grantTypes.deviceCode, ...machineGrants];
  const device = config.device.enabled && config.dcr.allow_device;
  const assertions = kind === 'cimd' && config.xaa.enabled;
  return [
    ...forPeople,
    ...(device ? [grantTypes.deviceCode] : []),
    ...(assertions ? [grantTypes.jwtBearer] : []),
  ];
}

function decideGrants(
  wire: WireMetadata,
  kind: Client['kind'],
  config: ClientsConfig,
  rules: RuleLog,
): string[] {
  const asked = wire.grant_types ?? defaultGrants(kind, rules);
  const allowed = allowedGrants(kind, config);
  const granted = [...new Set(asked)].filter((grant) => allowed.includes(grant));
  const refused = asked.some((grant) => !allowed.includes(grant));
  if (refused && kind !== 'preregistered' && !rules.use('intersect-grant-types')) {
    throw invalid('grant_types has a grant type that this client may not use');
  }
  if (granted.every((grant) => grant === grantTypes.refreshToken)) {
    throw invalid(
      `grant_types must have one of ${allowed.filter((grant) => grant !== grantTypes.refreshToken).join(', ')}`,
    );
  }
  return granted;
}

function defaultGrants(kind: Client['kind'], rules: RuleLog): string[] {
  if (kind === 'preregistered' || rules.use('default-grant-types')) {
    return [grantTypes.authorizationCode, grantTypes.refreshToken];
  }
  return [grantTypes.authorizationCode];
}

/**
 * An identity assertion names its client, so the document of a public one may say that it presents them
 * (MCP enterprise-managed authorization §5); any other client has to authenticate (ID-JAG draft §8.1).
 */
function refuseMachineGrants(grants: string[], kind: Client['kind']): void {
  const mayBePublic = (grant: string) => kind === 'cimd' && grant === grantTypes.jwtBearer;
  const machine = grants.find((grant) => machineGrants.includes(grant) && !mayBePublic(grant));
  if (machine) throw invalid(`${machine} needs a client that authenticates`);
}

function decideResponseTypes(wire: WireMetadata, grants: string[], rules: RuleLog): 'code'[] {
  if (!grants.includes(grantTypes.authorizationCode)) return [];
  const asked = wire.response_types ?? ['code'];
  if (!asked.includes('code')) throw invalid('response_types must contain code');
  if (asked.some((type) => type !== 'code') && !rules.use('intersect-response-types')) {
    throw invalid('response_types may contain code only');
  }
  return ['code'];
}

function decideScope(wire: WireMetadata, kind: Client['kind'], rules: RuleLog): string | undefined {
  if (wire.scope === undefined) return undefined;
  if (kind === 'preregistered') return wire.scope;
  if (!rules.use('ignore-registration-scope'))
    throw invalid('scope is not part of a registration here');
  return undefined;
}

/** What is shown to people and operators, and decides nothing. */
function describing(wire: WireMetadata) {
  const { client_name, client_uri, logo_uri, tos_uri, policy_uri, contacts } = wire;
  const { software_id, software_version } = wire;
  return {
    client_name,
    client_uri,
    logo_uri,
    tos_uri,
    policy_uri,
    contacts: contacts?.length ? contacts : undefined,
    software_id,
    software_version,
  };
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description);
}
