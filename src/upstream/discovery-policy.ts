import { UpstreamProblem } from './problem.ts';

/** What was found out about the authorization server of an MCP server. */
export interface OAuthDiscovery {
  /** `resource` of the protected resource metadata; the server's URL where there is none. */
  resource: string;
  /** Byte for byte as the metadata says. */
  issuer: string;
  authorizationEndpoint: string;
  tokenEndpoint: string;
  registrationEndpoint?: string;
  revocationEndpoint?: string;
  scopesSupported?: string[];
  /** What to ask for: of the 401 challenge, else of the protected resource metadata. */
  scopesRequested?: string[];
  codeChallengeMethodsSupported?: string[];
  tokenEndpointAuthMethodsSupported?: string[];
  clientIdMetadataDocumentSupported: boolean;
  authorizationResponseIssParameterSupported: boolean;
  /** Address of the protected resource metadata that was used. */
  resourceMetadataUrl?: string;
}

type Document = Record<string, unknown>;
/** Whether a URL is one that we may be sent to, and send a browser to. */
export type IsWay = (url: string) => boolean;

const longestList = 200;
const longestText = 2048;

/**
 * Reads metadata of a protected resource (RFC 9728 §3.3).
 *
 * @param serverUrl what was asked: Attack: a server that names another one's `resource`, to have tokens for it
 * @throws UpstreamProblem naming the member
 */
export function readResourceMetadata(document: Document, serverUrl: string, isWay: IsWay) {
  const resource = document.resource;
  if (typeof resource !== 'string' || !coversUrl(resource, serverUrl)) {
    throw wrong('resource', `of the protected resource metadata is not ${serverUrl}`);
  }
  const [issuer, ...others] = textsOf(document.authorization_servers) ?? [];
  if (issuer === undefined) {
    throw new UpstreamProblem(
      'no_authorization_server',
      'authorization_servers of the protected resource metadata names no authorization server.',
      { field: 'authorization_servers' },
    );
  }
  if (!isWay(issuer)) throw wrong('authorization_servers', 'has an entry that is no https URL');
  return { resource, issuer, others, scopes: scopesOf(document.scopes_supported) };
}

/**
 * Reads metadata of an authorization server (RFC 8414 §3.3, OpenID Connect Discovery §4.3).
 *
 * @param issuer what was asked for: its metadata must say the same, byte for byte
 * @throws UpstreamProblem naming the member
 */
export function readServerMetadata(
  document: Document,
  issuer: string,
  isWay: IsWay,
): Omit<OAuthDiscovery, 'resource' | 'scopesRequested' | 'resourceMetadataUrl'> {
  if (document.issuer !== issuer) throw wrong('issuer', `of the metadata is not ${issuer}`);
  const required = (name: string): string => {
    const url = document[name];
    if (url === undefined) throw wrong(name, 'is missing in the metadata');
    return checkedEndpoint(name, url, isWay);
  };
  const optional = (name: string) =>
    document[name] === undefined ? undefined : checkedEndpoint(name, document[name], isWay);
  const registrationEndpoint = optional('registration_endpoint');
  const revocationEndpoint = optional('revocation_endpoint');
  const scopesSupported = scopesOf(document.scopes_supported);
  const challenges = textsOf(document.code_challenge_methods_supported);
  const methods = textsOf(document.token_endpoint_auth_methods_supported);
  return {
    issuer,
    authorizationEndpoint: required('authorization_endpoint'),
    tokenEndpoint: required('token_endpoint'),
    ...(registrationEndpoint !== undefined && { registrationEndpoint }),
    ...(revocationEndpoint !== undefined && { revocationEndpoint }),
    ...(scopesSupported && { scopesSupported }),
    ...(challenges && { codeChallengeMethodsSupported: challenges }),
    ...(methods && { tokenEndpointAuthMethodsSupported: methods }),
    clientIdMetadataDocumentSupported: document.client_id_metadata_document_supported === true,
    authorizationResponseIssParameterSupported:
      document.authorization_response_iss_parameter_supported === true,
  };
}

/** An endpoint that somebody named. @throws UpstreamProblem naming the member (U01) */
export function checkedEndpoint(name: string, url: unknown, isWay: IsWay): string {
  if (typeof url !== 'string' || !isWay(url)) throw wrong(name, 'is not an https URL');
  return url;
}

/** Scope tokens (RFC 6749 §3.3); what is none is left out. */
export function scopesOf(value: unknown): string[] | undefined {
  return textsOf(value)?.filter((scope) => /^[!#-[\]-~]{1,200}$/.test(scope));
}

/** The very URL, a slash at its end apart; or the origin or a path above it, as the SDKs take it. */
function coversUrl(resource: string, serverUrl: string): boolean {
  const [given, asked] = [URL.parse(resource), URL.parse(serverUrl)];
  if (!given || !asked || given.origin !== asked.origin || given.hash !== '') return false;
  if (given.search !== '' && given.search !== asked.search) return false;
  const slashed = (path: string) => (path.endsWith('/') ? path : `${path}/`);
  return slashed(asked.pathname).startsWith(slashed(given.pathname));
}

function textsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value
    .slice(0, longestList)
    .filter((one): one is string => typeof one === 'string' && one.length <= longestText);
}

function wrong(field: string, problem: string): UpstreamProblem {
  return new UpstreamProblem('metadata', `${field} ${problem}.`, { field });
}
