import type { ReplayStore } from './replay.ts';

/** Whether DPoP (RFC 9449) is ignored, accepted beside Bearer, or demanded of every token. */
export type DpopMode = 'off' | 'supported' | 'required';

/** What an MCP server author tells `protectMcp`. */
export type ProtectMcpOptions = {
  /** The authorization server's issuer, byte for byte as it writes it in its metadata. */
  issuer: string;
  /** This MCP server's URL as clients type it and as the authorization server registered it. */
  resource: string;
  /** Every scope this server knows (`scopes_supported`). */
  scopes: readonly string[];
  /** Tool name → the scopes it needs, all of them. A tool without an entry needs only a valid token. */
  toolScopes?: Readonly<Record<string, string | readonly string[]>>;
  /** Scope → the scopes it includes, followed transitively: `{ write: ['read'] }`. */
  implies?: Readonly<Record<string, string | readonly string[]>>;
  /** The scopes named in the 401, that is what a client asks for first. Default: all `scopes`. */
  initialScopes?: readonly string[];
  /** Default: `supported`. */
  dpop?: DpopMode;
  /** `resource_name` for people. */
  resourceName?: string;
  /** Serve a copy of the issuer's metadata on this origin, for clients of 2025-03-26. Default: true. */
  serveMetadata?: boolean;
  /** Largest JSON-RPC body in bytes. Default: 4 MiB. */
  maxBodyBytes?: number;
  /** Seconds that the issuer's keys are kept, and between two looks for an unknown key. Default: 600 and 30. */
  jwks?: { maxAge?: number; cooldown?: number };
  /** Remembers used DPoP proofs. Default: this process's memory; share one between replicas. */
  replay?: ReplayStore;
  /** How the issuer is reached. Default: the global `fetch`. */
  fetch?: typeof fetch;
  /** Default: the system's clock. */
  clock?: () => Date;
  /** Told why a request was answered 500 or 503; the client is not. */
  onError?: (error: unknown) => void;
};

/** The options, checked, with the defaults filled in. */
export type Settings = {
  issuer: string;
  resource: string;
  resourceUrl: URL;
  scopes: readonly string[];
  toolScopes: ReadonlyMap<string, readonly string[]>;
  implies: ReadonlyMap<string, readonly string[]>;
  initialScopes: readonly string[];
  dpop: DpopMode;
  resourceName: string | undefined;
  serveMetadata: boolean;
  maxBodyBytes: number;
  jwks: { maxAge: number; cooldown: number };
};

const knownOptions: Record<keyof ProtectMcpOptions, true> = {
  issuer: true,
  resource: true,
  scopes: true,
  toolScopes: true,
  implies: true,
  initialScopes: true,
  dpop: true,
  resourceName: true,
  serveMetadata: true,
  maxBodyBytes: true,
  jwks: true,
  replay: true,
  fetch: true,
  clock: true,
  onError: true,
};

// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const scopeToken = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const loopback = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Checks the author's options. A misspelt option or scope would leave a tool open, so nothing unknown is let through.
 * @throws TypeError that lists every problem at once.
 */
export function resolveOptions(options: ProtectMcpOptions): Settings {
  const scopes = options.scopes ?? [];
  const problems = [
    ...unknownOptions(options),
    ...issuerProblems(options.issuer),
    ...resourceProblems(options.resource),
    ...scopeProblems(scopes),
    ...unknownScopes('toolScopes', options.toolScopes ?? {}, scopes),
    ...unknownScopes('implies', impliedBothWays(options.implies ?? {}), scopes),
    ...unknownScopes('initialScopes', { 401: options.initialScopes ?? [] }, scopes),
    ...valueProblems(options),
  ];
  if (problems.length > 0) throw new TypeError(`protectMcp:\n${problems.map(bullet).join('\n')}`);
  return {
    issuer: options.issuer,
    resource: options.resource,
    resourceUrl: new URL(options.resource),
    scopes,
    toolScopes: asMap(options.toolScopes ?? {}),
    implies: asMap(options.implies ?? {}),
    initialScopes: options.initialScopes ?? scopes,
    dpop: options.dpop ?? 'supported',
    resourceName: options.resourceName,
    serveMetadata: options.serveMetadata ?? true,
    maxBodyBytes: options.maxBodyBytes ?? 4 * 1024 * 1024,
    jwks: { maxAge: options.jwks?.maxAge ?? 600, cooldown: options.jwks?.cooldown ?? 30 },
  };
}

const bullet = (problem: string) => `  - ${problem}`;
const listOf = (value: string | readonly string[]) => (typeof value === 'string' ? [value] : value);
const asMap = (table: Readonly<Record<string, string | readonly string[]>>) =>
  new Map(Object.entries(table).map(([name, scopes]) => [name, listOf(scopes)]));

function impliedBothWays(implies: Readonly<Record<string, string | readonly string[]>>) {
  return Object.fromEntries(
    Object.entries(implies).map(([scope, included]) => [scope, [scope, ...listOf(included)]]),
  );
}

function unknownOptions(options: ProtectMcpOptions): string[] {
  return Object.keys(options)
    .filter((name) => !Object.hasOwn(knownOptions, name))
    .map((name) => `${name}: no such option; there are ${Object.keys(knownOptions).join(', ')}`);
}

function transportProblem(url: URL): string | undefined {
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:' && loopback.test(url.hostname)) return undefined;
  return 'must be https (http only on this computer, for development)';
}

function issuerProblems(issuer: unknown): string[] {
  const url = typeof issuer === 'string' ? URL.parse(issuer) : null;
  if (!url) return [`issuer: not a URL: ${JSON.stringify(issuer)}`];
  const transport = transportProblem(url);
  if (transport) return [`issuer: ${transport}: ${issuer}`];
  // RFC 8414 §2
  return url.search || url.hash ? [`issuer: must have no query and no fragment: ${issuer}`] : [];
}

function resourceProblems(resource: unknown): string[] {
  const url = typeof resource === 'string' ? URL.parse(resource) : null;
  if (!url) return [`resource: not a URL: ${JSON.stringify(resource)}`];
  const transport = transportProblem(url);
  if (transport) return [`resource: ${transport}: ${resource}`];
  const canonical = `${url.origin}${url.pathname}`.replace(/\/$/, '');
  if (canonical === resource) return [];
  return [
    `resource: write it as the authorization server does, ${canonical} instead of ${resource} (lower-case host, no default port, no slash at the end, no query, fragment or user)`,
  ];
}

function scopeProblems(scopes: unknown): string[] {
  if (!Array.isArray(scopes)) return ['scopes: must be a list of scope names'];
  return scopes
    .filter((scope) => typeof scope !== 'string' || !scopeToken.test(scope))
    .map((scope) => `scopes: not a scope name (RFC 6749 section 3.3): ${JSON.stringify(scope)}`);
}

function unknownScopes(
  option: string,
  table: Readonly<Record<string, string | readonly string[]>>,
  scopes: readonly string[],
): string[] {
  return Object.entries(table).flatMap(([name, needed]) =>
    listOf(needed)
      .filter((scope) => !scopes.includes(scope))
      .map((scope) => `${option}: ${name} names the scope ${scope}, which is not in scopes`),
  );
}

function valueProblems({ dpop, maxBodyBytes, jwks }: ProtectMcpOptions): string[] {
  const problems: string[] = [];
  if (dpop !== undefined && !['off', 'supported', 'required'].includes(dpop)) {
    problems.push(`dpop: off, supported or required, not ${JSON.stringify(dpop)}`);
  }
  if (maxBodyBytes !== undefined && !(Number.isInteger(maxBodyBytes) && maxBodyBytes > 0)) {
    problems.push('maxBodyBytes: must be a whole number of bytes above 0');
  }
  for (const [name, seconds] of Object.entries(jwks ?? {})) {
    if (!(Number.isFinite(seconds) && seconds >= 0))
      problems.push(`jwks.${name}: seconds, 0 or more`);
  }
  return problems;
}
