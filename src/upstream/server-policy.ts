import type { McpServer } from './server.ts';
import type { ServerInput } from './server-input.ts';
import { checkInput, refused } from './server-input-policy.ts';

/** Most servers of one workspace. */
export const mostServers = 200;

/** What was given in confidence, in the clear. */
export interface ServerSecrets {
  apiKey?: string | undefined;
  oauthClientSecret?: string | undefined;
  headers: Readonly<Record<string, string>>;
}

/** What a person sets of a server. */
export type ServerSettings = Pick<
  McpServer,
  | 'name'
  | 'url'
  | 'authType'
  | 'oauthClientId'
  | 'oauthTokenEndpoint'
  | 'oauthAuthorizationEndpoint'
  | 'oauthScopes'
  | 'connectorId'
  | 'connectorConfig'
>;

export interface ChangedServer {
  settings: ServerSettings;
  secrets: ServerSecrets;
  /** Whether tokens and registrations of the server must go, and its set-up begins anew. */
  dropsConnections: boolean;
  /** Whether it may be another server: its icon, and who may have tokens for it, were for the old one. */
  isElsewhere: boolean;
}

/**
 * A server with a change in it. Credentials are for one server of one issuer: with another URL or another
 * way to authenticate nothing of them is left but what came with the change itself (U07). Attack: a member
 * who points a server at their own host, to be sent the key that somebody else stored.
 *
 * @throws OAuthError invalid_request that names the field
 */
export function changedServer(
  before: { settings: ServerSettings; secrets: ServerSecrets } | undefined,
  input: ServerInput,
  where: { development: boolean },
): ChangedServer {
  checkInput(input, where);
  const old = before?.settings;
  const moved = old !== undefined && input.url !== undefined && old.url !== input.url;
  const changedAuth =
    moved || (old !== undefined && input.authType !== undefined && old.authType !== input.authType);
  const settings = changedSettings(old, input, { moved, changedAuth });
  const changedClient = old !== undefined && isOtherClient(old, settings, input);
  return {
    settings,
    secrets: changedSecrets(before?.secrets, input, { moved, changedAuth, changedClient }),
    dropsConnections: changedAuth || changedClient,
    isElsewhere: moved,
  };
}

function changedSettings(
  old: ServerSettings | undefined,
  input: ServerInput,
  { moved, changedAuth }: { moved: boolean; changedAuth: boolean },
): ServerSettings {
  const url = input.url ?? old?.url;
  const name = input.name ?? old?.name;
  if (name === undefined) throw refused('name', 'is missing: what people call the server');
  if (url === undefined) throw refused('url', 'is missing: the address of the MCP server');
  const client = changedAuth ? undefined : old;
  const config = input.connectorConfig && { ...input.connectorConfig };
  return {
    ...{ name, url, authType: input.authType ?? old?.authType ?? 'none' },
    ...kept('oauthClientId', input.oauthClientId, client?.oauthClientId),
    ...kept('oauthTokenEndpoint', input.oauthTokenEndpoint, client?.oauthTokenEndpoint),
    ...kept(
      'oauthAuthorizationEndpoint',
      input.oauthAuthorizationEndpoint,
      client?.oauthAuthorizationEndpoint,
    ),
    ...kept('oauthScopes', input.oauthScopes, moved ? undefined : old?.oauthScopes),
    ...kept('connectorId', input.connectorId, old?.connectorId),
    ...kept('connectorConfig', config, old?.connectorConfig),
  };
}

function changedSecrets(
  stored: ServerSecrets | undefined,
  input: ServerInput,
  drops: { moved: boolean; changedAuth: boolean; changedClient: boolean },
): ServerSecrets {
  const apiKey = drops.changedAuth ? undefined : stored?.apiKey;
  const clientSecret =
    drops.changedAuth || drops.changedClient ? undefined : stored?.oauthClientSecret;
  return {
    ...kept('apiKey', input.apiKey, apiKey),
    ...kept('oauthClientSecret', input.oauthClientSecret, clientSecret),
    headers: changedHeaders(drops.moved ? {} : (stored?.headers ?? {}), input.headers),
  };
}

/** Another client there, or another authorization server. */
function isOtherClient(old: ServerSettings, now: ServerSettings, input: ServerInput): boolean {
  return (
    old.oauthClientId !== now.oauthClientId ||
    old.oauthTokenEndpoint !== now.oauthTokenEndpoint ||
    old.oauthAuthorizationEndpoint !== now.oauthAuthorizationEndpoint ||
    input.oauthClientSecret !== undefined
  );
}

function kept<N extends string, T>(
  name: N,
  given: T | null | undefined,
  stored: T | undefined,
): { [K in N]?: T } {
  const value = given === undefined ? stored : (given ?? undefined);
  const member: { [K in N]?: T } = {};
  if (value !== undefined) member[name] = value;
  return member;
}

function changedHeaders(
  stored: Readonly<Record<string, string>>,
  given: ServerInput['headers'],
): Record<string, string> {
  if (given === undefined) return { ...stored };
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    const before = Object.entries(stored).find(([other]) => sameHeader(other, name))?.[1];
    const chosen = value ?? before;
    if (chosen === undefined) {
      throw refused(`headers.${name}`, 'has no stored value that could stay: send one');
    }
    headers[name] = chosen;
  }
  return headers;
}

function sameHeader(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export interface Change {
  field: string;
  from?: unknown;
  to?: unknown;
}

/** What a change comes to, for the audit log; of secrets only that they changed. */
export function serverChanges(
  before: { settings: ServerSettings; secrets: ServerSecrets },
  after: { settings: ServerSettings; secrets: ServerSecrets },
): Change[] {
  const plain = fields(after.settings).flatMap(([field, to]) => {
    const from = fieldOf(before.settings, field);
    return comparable(from) === comparable(to) ? [] : [{ field, from: from ?? null, to }];
  });
  const gone = fields(before.settings).flatMap(([field, from]) =>
    fieldOf(after.settings, field) === undefined ? [{ field, from, to: null }] : [],
  );
  const secret = (['apiKey', 'oauthClientSecret', 'headers'] as const).flatMap((field) => {
    const [from, to] = [before.secrets[field], after.secrets[field]];
    if (comparable(from) === comparable(to)) return [];
    return [{ field, from: said(from), to: said(to) }];
  });
  return [...plain, ...gone, ...secret];
}

function fields(settings: ServerSettings): [string, unknown][] {
  return Object.entries(settings).filter(([, value]) => value !== undefined);
}

function fieldOf(settings: ServerSettings, field: string): unknown {
  return fields(settings).find(([name]) => name === field)?.[1];
}

function said(secret: string | Readonly<Record<string, string>> | undefined) {
  if (secret === undefined) return null;
  return typeof secret === 'string' ? '(secret)' : Object.keys(secret);
}

/** JSON with sorted members, since jsonb gives them back in an order of its own. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
