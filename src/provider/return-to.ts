/** Longest path with its query that a sign-in leads back to. */
const longest = 2048;

/** Pages of people below the issuer that ask somebody to sign in first. */
const places = /^\/(account(\/|$)|connect\/|reconnect\/)/;

/**
 * Where a browser goes on to after a sign-in on the account page. Attack: a link to our sign-in page that
 * leads to another site afterwards (RU22: `//evil.test`, `/\evil.test` …), or into an authorization, which
 * would then look as if it had begun here (CN07).
 *
 * @param base path of the issuer without a trailing slash
 * @returns undefined for everything that is not such a page of ours
 */
export function ownPage(base: string, asked: unknown): string | undefined {
  if (typeof asked !== 'string' || asked.length > longest) return undefined;
  if (!/^\/[\x21-\x5b\x5d-\x7e]*$/.test(asked)) return undefined;
  const origin = 'http://localhost';
  if (!URL.canParse(asked, origin)) return undefined;
  const url = new URL(asked, origin);
  const path = url.pathname.slice(base.length);
  const stays = url.origin === origin && url.pathname.startsWith(base) && places.test(path);
  return stays && !/%2f|%5c|%2e/i.test(path) ? url.pathname + url.search : undefined;
}

/** The sign-in page that leads back to `to`. */
export function signInUrl(base: string, to: string): string {
  return `${base}/account/sign-in?return_to=${encodeURIComponent(to)}`;
}
