/** The library's names of the endpoints at which an authorization begins. */
const entries = new Set([
  'authorization',
  'pushed_authorization_request', // RFC 9126 §2
  'device_authorization', // RFC 8628 §3.1
]);

/**
 * Whether an authorization begins here: where scope and resource are settled, and where a client's
 * metadata document is fetched when it is not known or not fresh.
 */
export function beginsAuthorization(route: string | undefined): boolean {
  return route !== undefined && entries.has(route);
}
