import { dangerousSchemes, type Host, readHost, splitUri } from './uri.ts';

export type RedirectKind = 'https' | 'loopback' | 'private-use';

export type RedirectUriCheck =
  | { ok: true; kind: RedirectKind; host: string }
  | { ok: false; reason: string };

/** Schemes without a dot that known MCP clients use, against RFC 8252 §7.1. */
export const appSchemes: readonly string[] = [
  'claude',
  'code-oss',
  'cursor',
  'goose',
  'kiro',
  'raycast',
  'trae',
  'vscode',
  'vscode-insiders',
  'vscodium',
  'warp',
  'windsurf',
  'windsurf-next',
  'zed',
];

/**
 * Whether a client may register a redirect URI: https anywhere, http on loopback, or a private-use
 * scheme with a dot or from `schemes` (RFC 8252 §7, RFC 9700 §4.1). Stops open redirectors that read
 * differently to us and to a browser, and schemes that run code.
 * Does NOT say who owns the host, nor whether it was registered: see {@link redirectUriMatches}.
 *
 * @param schemes private-use schemes that need no dot; empty in a strict profile
 * @returns its kind and {@link redirectHost}, or the end of a sentence that begins with the URI
 */
export function checkRedirectUri(
  uri: string,
  schemes: readonly string[] = appSchemes,
): RedirectUriCheck {
  if (uri.includes('*')) return refuse('must not have a wildcard');
  const parts = splitUri(uri);
  if (typeof parts === 'string') return refuse(parts);
  const { scheme, authority, path } = parts;
  if (scheme === 'http' || scheme === 'https') return checkWeb(scheme, authority);
  if (dangerousSchemes.has(scheme)) return refuse(`must not use the scheme ${scheme}`);
  if (!scheme.includes('.') && !schemes.includes(scheme)) {
    return refuse('must be https, http on loopback, or a private-use scheme with a dot in it');
  }
  if (authority?.includes('@')) return refuse('must not have userinfo');
  // RFC 8252 §7.1: the scheme is followed by a single slash and a path; some clients write a host too.
  if (!authority && !path.startsWith('/')) return refuse('must have a path after its scheme');
  return { ok: true, kind: 'private-use', host: `${scheme}:` };
}

function checkWeb(scheme: 'http' | 'https', authority: string | undefined): RedirectUriCheck {
  const host = readHost(scheme, authority);
  if (typeof host === 'string') return refuse(host);
  if (authority?.endsWith(':')) return refuse('must not have an empty port');
  if (host.name.endsWith('.')) return refuse('must not have a host that ends with a dot');
  if (scheme === 'https') return { ok: true, kind: 'https', host: display(host) };
  if (!loopbackHosts.has(host.name)) return refuse('must be https: http is for loopback only');
  return { ok: true, kind: 'loopback', host: display(host) };
}

function refuse(reason: string): RedirectUriCheck {
  return { ok: false, reason };
}

function display({ name, port }: Host): string {
  return port ? `${name}:${port}` : name;
}

const loopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Whether a requested redirect URI is one of the registered ones: equal character by character
 * (RFC 9700 §4.1.3), but for the port of http on `127.0.0.1`, `[::1]` and `localhost`, which may be
 * any (RFC 8252 §7.3); the spelling of the host must match.
 */
export function redirectUriMatches(requested: string, registered: readonly string[]): boolean {
  if (registered.includes(requested)) return true;
  const portless = withoutLoopbackPort(requested);
  if (portless === undefined) return false;
  return registered.some((uri) => withoutLoopbackPort(uri) === portless);
}

/** The URI without its port if it is http on loopback, written as we expect it. */
function withoutLoopbackPort(uri: string): string | undefined {
  const match = /^http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost)(?=[:/?]|$)/.exec(uri);
  if (!match) return undefined;
  const host = match[0];
  const rest = uri.slice(host.length);
  if (!rest.startsWith(':')) return uri;
  const port = /^:([1-9]\d{0,4})(?=[/?]|$)/.exec(rest)?.[1];
  if (!port || Number(port) > 65_535) return undefined;
  return `${host}${rest.slice(port.length + 1)}`;
}

/**
 * Where a redirect URI leads, for people: host and port of http and https, else the scheme (`cursor:`).
 * Empty for what {@link checkRedirectUri} would refuse.
 */
export function redirectHost(uri: string): string {
  const check = checkAnyScheme(uri);
  return check.ok ? check.host : '';
}

/**
 * What "the same redirect host" means to remembered consent and change detection: as
 * {@link redirectHost}, but without the port on loopback, since native clients take a new one at
 * every start.
 */
export function redirectHostKey(uri: string): string {
  const check = checkAnyScheme(uri);
  if (!check.ok) return '';
  return check.kind === 'loopback' ? check.host.replace(/:\d+$/, '') : check.host;
}

/** Whether a redirect URI leads to a loopback address, by http or https. */
export function isLoopback(uri: string): boolean {
  const check = checkAnyScheme(uri);
  if (!check.ok || check.kind === 'private-use') return false;
  return check.kind === 'loopback' || isLoopbackName(check.host.replace(/:\d+$/, ''));
}

/** 127/8, ::1 and `localhost` with its subdomains (RFC 6761 §6.3). */
function isLoopbackName(name: string): boolean {
  return loopbackHosts.has(name) || name.endsWith('.localhost') || /^127(?:\.\d+){3}$/.test(name);
}

/** Whether a redirect URI leads to a program on the person's computer: loopback or a private-use scheme. */
export function isOnThisComputer(uri: string): boolean {
  const check = checkAnyScheme(uri);
  return check.ok && (check.kind === 'private-use' || isLoopback(uri));
}

/** Reads a URI that was accepted once, when a list of schemes applied that may have changed since. */
function checkAnyScheme(uri: string): RedirectUriCheck {
  return checkRedirectUri(uri, [uri.slice(0, uri.indexOf(':')).toLowerCase()]);
}
