/** No URI of ours is longer; longer ones are refused before anything looks at them. */
const longestUri = 2048;

/** Schemes that run code or read local data in a browser. */
export const dangerousSchemes: ReadonlySet<string> = new Set([
  'javascript',
  'data',
  'file',
  'blob',
  'about',
  'vbscript',
  'filesystem',
  'view-source',
]);

/** The parts of an absolute URI as they were written; nothing is decoded or normalised. */
export interface UriParts {
  /** Lower case, without the colon. */
  scheme: string;
  /** What is between `//` and the path; undefined without `//`. */
  authority: string | undefined;
  path: string;
  /** With its question mark, or empty. */
  query: string;
}

/**
 * Splits an absolute URI (RFC 3986 §3) strictly, without the forgiveness of browsers: no blanks,
 * controls, backslashes or non-ASCII, no fragment, no broken percent-encoding, no encoded control
 * character and no `.` or `..` segment, plain or encoded.
 *
 * @returns a sentence that says what is wrong, if something is
 */
export function splitUri(uri: string): UriParts | string {
  if (uri.length > longestUri) return `must not be longer than ${longestUri} characters`;
  if (uri.includes('#')) return 'must not have a fragment';
  if (!/^[\w\-.~:/?[\]@!$&'()*+,;=%]*$/.test(uri)) return 'has a character that no URI may have';
  if (/%(?![0-9a-fA-F]{2})/.test(uri)) return 'has a broken percent-encoding';
  if (/%(?:[01][0-9a-f]|7f)/i.test(uri)) return 'must not have an encoded control character';
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(uri)?.[0];
  if (!scheme) return 'must be an absolute URI';
  const rest = uri.slice(scheme.length + 1);
  const question = rest.indexOf('?');
  const hierarchy = question < 0 ? rest : rest.slice(0, question);
  const query = question < 0 ? '' : rest.slice(question);
  const { authority, path } = splitHierarchy(hierarchy);
  if (path.split('/').some(isDotSegment)) return "must not have a '.' or '..' segment";
  return { scheme: scheme.toLowerCase(), authority, path, query };
}

function splitHierarchy(hierarchy: string): { authority: string | undefined; path: string } {
  if (!hierarchy.startsWith('//')) return { authority: undefined, path: hierarchy };
  const slash = hierarchy.indexOf('/', 2);
  if (slash < 0) return { authority: hierarchy.slice(2), path: '' };
  return { authority: hierarchy.slice(2, slash), path: hierarchy.slice(slash) };
}

function isDotSegment(segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment);
}

/** Host in lower case (IPv6 in brackets, shortened) and port of an http or https URI. */
export interface Host {
  name: string;
  /** Undefined when absent, empty or the default of the scheme. */
  port: number | undefined;
}

/**
 * Reads the authority of an http or https URI. The host must read the same to a browser: no
 * userinfo (`app.test@evil.test`), percent-encoding, numeric or legacy IPv4 form.
 *
 * @returns a sentence that says what is wrong, if something is
 */
export function readHost(scheme: 'http' | 'https', authority: string | undefined): Host | string {
  if (!authority) return 'must have a host';
  if (authority.includes('@')) return 'must not have userinfo';
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{0,5}))?$/i.exec(authority);
  if (!match?.[1]) return 'must have a plain host';
  const raw = match[1].toLowerCase();
  const url = `${scheme}://${raw}`;
  if (!URL.canParse(url)) return 'must have a plain host';
  const name = new URL(url).hostname;
  if (name !== raw && !raw.startsWith('[')) return 'must have a plain host';
  const port = match[2] ? Number(match[2]) : undefined;
  if (port !== undefined && (port < 1 || port > 65_535)) return 'must have a port of 1 to 65535';
  return { name, port: port === defaultPorts[scheme] ? undefined : port };
}

const defaultPorts = { http: 80, https: 443 };
