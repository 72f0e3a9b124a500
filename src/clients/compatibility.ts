import type { Log } from './types.ts';

export interface CompatibilityRule {
  name: string;
  /** Who needs it. */
  client: string;
  /** What they send. */
  when: string;
  /** What we do about it; switched off, the request or document is refused or read by the letter. */
  does: string;
  /** Version of this server that brought it. */
  since: string;
}

/**
 * Every accommodation for real clients that this room makes. `compatibility.disabled` switches one off by
 * name, `compatibility.strict` all of them; those that helped a client are stored with it.
 */
export const compatibilityRules = [
  {
    name: 'native-when-loopback',
    client: 'Claude Code, Cursor, VS Code, SDK v1',
    when: 'a redirect URI returns to this computer but application_type is not native',
    does: 'treats the client as native, so that any loopback port matches; off: such redirect URIs are refused',
    since: '0.1.0',
  },
  {
    name: 'mixed-redirect-list',
    client: 'Cursor, VS Code',
    when: 'one list has https redirect URIs and others that return to this computer',
    does: 'accepts the list; off: refused',
    since: '0.1.0',
  },
  {
    name: 'app-scheme-without-dot',
    client: 'Cursor',
    when: 'a private-use scheme such as cursor: has no dot (RFC 8252 §7.1 wants one)',
    does: 'accepts known schemes; off: refused',
    since: '0.1.0',
  },
  {
    name: 'localhost-redirect',
    client: 'Claude Code, Cursor, Gemini CLI, Inspector, mcp-remote',
    when: 'a redirect URI says localhost instead of 127.0.0.1 (RFC 8252 §8.3 advises against)',
    does: 'accepts it with any port; off: refused',
    since: '0.1.0',
  },
  {
    name: 'portless-loopback',
    client: 'Claude Code, VS Code',
    when: 'a loopback redirect URI has no port',
    does: 'accepts it for any port (RFC 8252 §7.3); off: refused, a port must be written',
    since: '0.1.0',
  },
  {
    name: 'auth-method-none-when-absent',
    client: 'Claude Code and most registrations',
    when: 'token_endpoint_auth_method is absent',
    does: 'takes none; off: client_secret_basic as RFC 7591 §2 says, which a document cannot use',
    since: '0.1.0',
  },
  {
    name: 'auth-method-list',
    client: 'ChatGPT',
    when: 'methods come as an array in token_endpoint_auth_methods_supported',
    does: 'accepts each of them that we support; off: the array is ignored',
    since: '0.1.0',
  },
  {
    name: 'default-grant-types',
    client: 'Claude Code, Gemini CLI',
    when: 'grant_types is absent',
    does: 'takes authorization_code and refresh_token; off: authorization_code as RFC 7591 §2 says',
    since: '0.1.0',
  },
  {
    name: 'intersect-grant-types',
    client: 'VS Code',
    when: 'grant_types has some that the client may not use',
    does: 'leaves them out; off: refused',
    since: '0.1.0',
  },
  {
    name: 'intersect-response-types',
    client: 'clients made for OpenID providers',
    when: 'response_types has more than code',
    does: 'leaves the others out; off: refused',
    since: '0.1.0',
  },
  {
    name: 'ignore-registration-scope',
    client: 'SDK v1',
    when: 'scope is part of the registration or document',
    does: 'does not limit the client to it, so that step-up works; off: refused',
    since: '0.1.0',
  },
  {
    name: 'omit-null-members',
    client: 'SDK v1',
    when: 'members are null',
    does: 'reads them as absent; off: refused',
    since: '0.1.0',
  },
  {
    name: 'drop-insecure-links',
    client: 'locally built clients',
    when: 'client_uri, logo_uri, tos_uri or policy_uri of a registration is empty or plain http',
    does: 'leaves the link out; off: refused',
    since: '0.1.0',
  },
] as const satisfies readonly CompatibilityRule[];

export type RuleName = (typeof compatibilityRules)[number]['name'];

/** Names that no rule has: a misspelt one would otherwise leave a rule on in silence. */
export function unknownRules(names: readonly string[]): string[] {
  return names.filter((name) => !compatibilityRules.some((rule) => rule.name === name));
}

/** Tells the log which rules helped a client, under the trace id of its request where there is one. */
export function logRules(
  log: Log,
  client: { clientId: string; rules: readonly string[]; traceId?: string | undefined },
): void {
  const { clientId, rules, traceId } = client;
  if (rules.length === 0) return;
  log.info({ client_id: clientId, rules, trace_id: traceId }, 'accommodations applied');
}

/** Which rules helped one client. */
export interface RuleLog {
  /** Whether the rule may be used; if so it counts as applied. */
  use(name: RuleName): boolean;
  applied(): RuleName[];
}

export function createRuleLog(config: { strict: boolean; disabled: readonly string[] }): RuleLog {
  const applied = new Set<RuleName>();
  return {
    use(name) {
      if (config.strict || config.disabled.includes(name)) return false;
      applied.add(name);
      return true;
    },
    applied: () => [...applied],
  };
}

/** docs/compatibility.md */
export function compatibilityReference(): string {
  const rows = compatibilityRules.map(
    ({ name, client, when, does, since }) =>
      `| \`${name}\` | ${client} | ${when} | ${does} | ${since} |`,
  );
  return `${[
    '# Compatibility',
    '<!-- Generated from the source by `npm run docs`; a test fails when it is stale. -->',
    'Real clients depart from the specifications here and there. Where that can be allowed without giving anything away, a rule of this table allows it when a client registers itself, an operator makes one, or a metadata document is read. `compatibility.disabled` switches rules off by name, `compatibility.strict: true` all of them; a name that is no rule is a warning at start.',
    'Which rules helped a client is a line of the log (`accommodations applied`) and in `authserver client show`, so that you can see who would be refused before you switch one off.',
    [
      '| rule | for | when | what this server does | since |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n'),
  ].join('\n\n')}\n`;
}
