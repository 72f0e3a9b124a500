/**
 * Where a well-known document of an issuer is looked for.
 *
 * @param name such as `oauth-authorization-server`
 * @param issuer an absolute URL; a terminating slash of its path does not count (RFC 8414 §3.1)
 * @returns paths: `inserted` between host and path (RFC 8414 §3), `appended` to the path (OpenID
 *   Connect Discovery §4.1), and at the `root`; all the same for an issuer without a path
 */
export function wellKnownPath(
  name: string,
  issuer: string,
): { inserted: string; appended: string; root: string } {
  const { pathname } = new URL(issuer);
  const path = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
  const root = `/.well-known/${name}`;
  return { inserted: `${root}${path}`, appended: `${path}${root}`, root };
}
