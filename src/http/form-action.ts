import { checkRedirectUri } from '../oauth/index.ts';

/**
 * The CSP sources that let a form's answer redirect to a client.
 *
 * @param redirectUri the redirect URI of this request, checked against the client's registration
 * @returns its origin, or its scheme for private-use schemes and for `[::1]`, which CSP cannot name
 */
export function formActionFor(redirectUri: string): string[] {
  const scheme = redirectUri.slice(0, redirectUri.indexOf(':') + 1).toLowerCase();
  const check = checkRedirectUri(redirectUri, [scheme.slice(0, -1)]);
  if (!check.ok) return [];
  if (check.kind === 'private-use' || check.host.startsWith('[')) return [scheme];
  return [new URL(redirectUri).origin];
}
