import { wellKnownPath } from '../oauth/index.ts';

/** Where the metadata of a protected resource is looked for: path-inserted, then at the root (RFC 9728 §3.1). */
export function resourceMetadataPlaces(serverUrl: string): string[] {
  const { origin, pathname, search } = new URL(serverUrl);
  const root = `${origin}/.well-known/oauth-protected-resource`;
  const path = pathname === '/' ? '' : pathname;
  const slashless = path.endsWith('/') ? [`${root}${path.slice(0, -1)}${search}`] : [];
  return [...new Set([`${root}${path}${search}`, ...slashless, root])];
}

/**
 * Where the metadata of an issuer is looked for, in the order of MCP authorization: RFC 8414 with the path
 * inserted, OpenID Connect with the path inserted, OpenID Connect with the path before.
 */
export function serverMetadataPlaces(issuer: string): string[] {
  const { origin } = new URL(issuer);
  const oauth = wellKnownPath('oauth-authorization-server', issuer);
  const openid = wellKnownPath('openid-configuration', issuer);
  const paths = [oauth.inserted, openid.inserted, openid.appended];
  return [...new Set(paths.map((path) => origin + path))];
}
