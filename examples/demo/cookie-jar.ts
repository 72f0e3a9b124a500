export type CookieJar = {
  /** Keeps what `Set-Cookie` lines from `url` say. */
  store(url: URL, lines: readonly string[]): void;
  /** The `Cookie` header for a request to `url`; empty when no cookie fits. */
  header(url: URL): string;
};

type Cookie = { host: string; name: string; value: string; path: string; secure: boolean };

/**
 * A browser's cookies, as far as one host per cookie goes (RFC 6265 §5): host-only, path, Secure
 * and expiry. Does not know `Domain`, `SameSite` or partitions.
 */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();

  function store(url: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const { cookie, expired } = parse(url, line);
      const key = `${cookie.host};${cookie.path};${cookie.name}`;
      if (expired) cookies.delete(key);
      else cookies.set(key, cookie);
    }
  }

  function header(url: URL): string {
    return [...cookies.values()]
      .filter((cookie) => fits(cookie, url))
      .sort((left, right) => right.path.length - left.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  return { store, header };
}

function parse(url: URL, line: string): { cookie: Cookie; expired: boolean } {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
  const attributes = new Map(rest.map((part) => splitOnce(part, '=')).map(lowerName));
  const [name, value] = splitOnce(pair, '=');
  const maxAge = attributes.get('max-age');
  const expires = attributes.get('expires');
  const expired =
    maxAge === undefined
      ? expires !== undefined && Date.parse(expires) <= Date.now()
      : Number(maxAge) <= 0;
  const path = attributes.get('path') ?? '/';
  const cookie = { host: url.host, name, value, path, secure: attributes.has('secure') };
  return { cookie, expired };
}

function fits(cookie: Cookie, url: URL): boolean {
  const inPath =
    url.pathname === cookie.path ||
    url.pathname.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`);
  return cookie.host === url.host && inPath && (!cookie.secure || url.protocol === 'https:');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function lowerName([name, value]: [string, string]): [string, string] {
  return [name.toLowerCase(), value];
}
