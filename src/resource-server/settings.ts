import {
  capProblems,
  introspectionProblems,
  introspectionSettings,
  nonceProblems,
} from './option-groups.ts';
import type { ProtectMcpOptions, Settings } from './options.ts';

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
  introspection: true,
  dailyCap: true,
  dpopNonce: true,
  unlistedTools: true,
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
    ...introspectionProblems(options.introspection),
    ...capProblems(options.dailyCap),
    ...nonceProblems(options.dpopNonce, options.dpop),
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
    introspection: options.introspection && introspectionSettings(options.introspection),
    dailyCap: options.dailyCap,
    dpopNonce: options.dpopNonce && { lifetime: 300, ...options.dpopNonce },
    unlistedTools: options.unlistedTools ?? 'allow',
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

/** What is wrong with how a URL of ours or of the issuer is reached, if anything. */
export function transportProblem(url: URL): string | undefined {
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

function valueProblems(options: ProtectMcpOptions): string[] {
  const { dpop, maxBodyBytes, jwks, unlistedTools } = options;
  const problems: string[] = [];
  if (unlistedTools !== undefined && !['allow', 'deny'].includes(unlistedTools)) {
    problems.push(`unlistedTools: allow or deny, not ${JSON.stringify(unlistedTools)}`);
  }
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
