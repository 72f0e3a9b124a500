import { MissingToken, Refusal } from './refusal.ts';

/** How the token was presented. */
export type Credentials = { scheme: 'Bearer' | 'DPoP'; token: string };

// RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token; RFC 9449 §7.1 the same for DPoP.
const authorization = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Takes the token from the one Authorization header; never from the query or the body (MCP authorization, RFC 9700 §4.3.2).
 * @throws MissingToken when no token of a known scheme was sent; Refusal invalid_request when there are two, invalid_token
 * when it is malformed
 */
export function readCredentials(headers: Headers, url: URL): Credentials {
  const value = headers.get('authorization')?.trim();
  if (!value || !/^(bearer|dpop)\b/i.test(value)) {
    throw new MissingToken('This MCP server needs an access token');
  }
  // Two headers arrive joined by a comma, which no token contains.
  if (value.includes(',')) throw new Refusal('invalid_request', 'Send one Authorization header');
  if (url.searchParams.has('access_token')) {
    throw new Refusal('invalid_request', 'Send the access token in the Authorization header only');
  }
  const [, scheme = '', token] = authorization.exec(value) ?? [];
  if (token === undefined) {
    throw new Refusal('invalid_token', 'The Authorization header is malformed');
  }
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
}
