import { dangerousSchemes, readHost, splitUri, type UriParts } from './uri.ts';

/**
 * The form under which resource identifiers are compared: scheme and host in lower case, no default
 * port, no terminating slash. It is idempotent, so a path that ends in several slashes keeps them.
 * Does NOT say that the resource exists, nor decode or re-encode the path.
 *
 * @param uri a `resource` parameter (RFC 8707 §2): an absolute URI without fragment
 * @returns undefined when it is no resource identifier
 */
export function canonicalResource(uri: string): string | undefined {
  const parts = splitUri(uri);
  if (typeof parts === 'string' || dangerousSchemes.has(parts.scheme)) return undefined;
  const authority = canonicalAuthority(parts);
  const path = withoutLastSlash(parts.path);
  if (authority === undefined || (authority === '' && path === '')) return undefined;
  return `${parts.scheme}:${authority}${path}${parts.query}`;
}

function canonicalAuthority({ scheme, authority }: UriParts): string | undefined {
  if (scheme === 'http' || scheme === 'https') {
    const host = readHost(scheme, authority);
    if (typeof host === 'string') return undefined;
    return `//${host.name}${host.port ? `:${host.port}` : ''}`;
  }
  if (authority === undefined) return '';
  if (authority === '' || authority.includes('@')) return undefined;
  return `//${authority.toLowerCase()}`;
}

function withoutLastSlash(path: string): string {
  return path.endsWith('/') && !path.endsWith('//') ? path.slice(0, -1) : path;
}
