import { isLoopbackHost } from '../config/index.ts';
import { checkOutboundUrl, refusedRange } from '../http/index.ts';
import { isScopeToken, OAuthError, parseScope } from '../oauth/index.ts';
import type { ServerInput } from './server-input.ts';

/** @throws OAuthError invalid_request that names the field */
export function checkInput(input: ServerInput, where: { development: boolean }): void {
  const { name, url, apiKey } = input;
  if (name !== undefined && !isOneLine(name, 200)) {
    throw refused('name', 'has to be one line of 1 to 200 characters');
  }
  if (url !== undefined) checkAddress('url', url, where);
  for (const field of ['oauthTokenEndpoint', 'oauthAuthorizationEndpoint'] as const) {
    const endpoint = input[field];
    if (endpoint) checkAddress(field, endpoint, where);
  }
  if (typeof apiKey === 'string' && !/^[\x21-\x7e]{1,4096}$/.test(apiKey)) {
    throw refused('apiKey', 'has to be 1 to 4096 visible ASCII characters without spaces');
  }
  checkClient(input);
  checkHeaders(input.headers ?? {});
  if (typeof input.connectorId === 'string' && !isOneLine(input.connectorId, 200)) {
    throw refused('connectorId', 'has to be one line of 1 to 200 characters');
  }
  if (JSON.stringify(input.connectorConfig ?? {}).length > 8192) {
    throw refused('connectorConfig', 'is longer than 8 KiB');
  }
}

function checkClient({ oauthClientId, oauthClientSecret, oauthScopes }: ServerInput): void {
  for (const [field, value] of Object.entries({ oauthClientId, oauthClientSecret })) {
    if (typeof value === 'string' && !/^[\x20-\x7e]{1,2048}$/.test(value)) {
      throw refused(field, 'has to be 1 to 2048 ASCII characters');
    }
  }
  if (oauthScopes && !(oauthScopes.length <= 2000 && parseScope(oauthScopes).every(isScopeToken))) {
    throw refused('oauthScopes', 'has to be scope names separated by spaces');
  }
}

function isOneLine(text: string, most: number): boolean {
  return /\S/.test(text) && text.length <= most && !/[\p{Cc}\u2028\u2029]/u.test(text);
}

/** What the transport sets itself, or what would change whom a request reaches or as whom it arrives. */
const ownHeaders =
  /^(?:host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|accept|accept-encoding|authorization|proxy-.*|cookie2?|dpop|mcp-.*|last-event-id|forwarded|x-forwarded-.*|:.*)$/;

function checkHeaders(headers: Readonly<Record<string, string | null>>): void {
  const names = Object.keys(headers);
  if (names.length > 20) throw refused('headers', 'has more than 20 members');
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw refused('headers', 'names a header twice');
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]{1,100}$/.test(name)) {
      throw refused('headers', 'has a name that is no header name');
    }
    if (ownHeaders.test(name.toLowerCase())) {
      const advice = name.toLowerCase() === 'authorization' ? ': use apiKey for a key' : '';
      throw refused(`headers.${name}`, `cannot be set${advice}`);
    }
    // Attack: CR and LF, which would begin another header or request.
    if (value !== null && !/^[\x20-\x7e]{1,4096}$/.test(value)) {
      throw refused(`headers.${name}`, 'has to be 1 to 4096 ASCII characters of one line');
    }
  }
}

/**
 * Whether an address may be stored: https, a public host as far as its text tells, in its plain form.
 *
 * @param where `development`: this server itself is on this computer, where http and private hosts may be
 * @throws OAuthError invalid_request that names the field
 */
export function checkAddress(
  field: string,
  text: string,
  { development }: { development: boolean },
): URL {
  const url = isAddress(text, development);
  if (typeof url === 'string') throw refused(field, `is no address that can be used: ${url}`);
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(text.split(/[?#]/, 1)[0] ?? '')) {
    throw refused(field, 'is no address that can be used: dot segments');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isLiteral = /^[\d.]+$|:/.test(host);
  const policy = development ? 'private-too' : 'public';
  if ((isLiteral && refusedRange(host, policy)) || (!development && isLoopbackHost(url.hostname))) {
    throw refused(field, 'is no address that can be used: not a public host');
  }
  return url;
}

function isAddress(text: string, development: boolean): URL | string {
  const url = URL.parse(text);
  if (development && url && isLoopbackHost(url.hostname) && url.protocol === 'http:') {
    const secure = checkOutboundUrl(text.replace(/^http:/i, 'https:'));
    return secure.ok ? url : secure.problem;
  }
  const checked = checkOutboundUrl(text);
  return checked.ok ? checked.url : checked.problem;
}

/** A field that is not good, and what it has to be. */
export function refused(field: string, problem: string): OAuthError {
  return new OAuthError('invalid_request', `${field} ${problem}.`);
}
