import type { Client } from '../clients/index.ts';
import type { StoredFlowStep } from '../db/index.ts';
import {
  canonicalResource,
  checkRedirectUri,
  identityScopes,
  isScopeToken,
  offlineAccess,
  parseScope,
  redirectUriMatches,
} from '../oauth/index.ts';
import { mayAskFor, type Resource } from '../resources/index.ts';
import { nearest } from './differences.ts';

export type FixKind =
  | 'add_alias'
  | 'add_scope'
  | 'allow_scope'
  | 'allow_redirect'
  | 'allow_resource'
  | 'resume_client'
  | 'enable_resource';

/** One change that would let the next attempt go further. */
export interface Fix {
  /** Kind, and what tells it from others of its kind. */
  id: string;
  kind: FixKind;
  label: string;
  explanation: string;
  /** client_id or URI of what it changes. */
  target: string;
  /** What is added to it. */
  value: string | null;
  /** Why it cannot be done here, and what to do instead. */
  blocked: string | null;
}

/** What a failed attempt asked for, and what it met. */
export interface FixQuestion {
  error: string | null;
  /** Facts of the failed step. */
  asked: Record<string, string>;
  client: Client | undefined;
  resources: readonly Resource[];
}

const mostFixes = 5;

/** What an attempt asks of the rules below. */
export function questionOf(
  { error, steps }: { error: string | null; steps: Record<string, StoredFlowStep> },
  things: Pick<FixQuestion, 'client' | 'resources'>,
): FixQuestion {
  const failed = Object.values(steps).find((step) => step.state === 'failed');
  return { error, asked: failed?.facts ?? {}, ...things };
}

/**
 * What an operator could change with one button, as things are now; nothing where the client itself is
 * wrong. Pure.
 */
export function fixesOf(question: FixQuestion): Fix[] {
  const { error, client } = question;
  if (error === null) return [];
  if (client?.status === 'suspended') return [resume(client)];
  switch (error) {
    case 'invalid_target':
      return resourceFixes(question).slice(0, mostFixes);
    case 'invalid_scope':
      return scopeFixes(question).slice(0, mostFixes);
    default:
      return redirectFixes(question);
  }
}

function resume({ clientId, clientName }: Client): Fix {
  return {
    id: 'resume_client',
    kind: 'resume_client',
    label: 'Resume client',
    explanation: `${clientName ?? clientId} is suspended. Resumed, it may ask for tokens again.`,
    target: clientId,
    value: null,
    blocked: null,
  };
}

function resourceFixes({ asked, client, resources }: FixQuestion): Fix[] {
  const sent = asked.resource;
  const canonical = sent === undefined ? undefined : canonicalResource(sent);
  if (sent === undefined || canonical === undefined || sent.includes('…')) return [];
  const own = resources.filter(({ source }) => source !== 'builtin');
  const known = own.find(({ identifiers }) => identifiers.includes(canonical));
  if (known && !known.enabled) return [enable(known)];
  if (known) return client && !mayAskFor(client, known) ? [allowResource(client, known)] : [];
  return aliasCandidates(
    sent,
    own.filter(({ enabled }) => enabled),
  ).map((one) => alias(one, sent));
}

/** Only what could be the same server: on the same host name, or the only one there is. */
function aliasCandidates(sent: string, resources: Resource[]): Resource[] {
  const near = resources.filter(({ identifiers }) =>
    identifiers.some((one) => hostName(one) === hostName(sent)),
  );
  const candidates = near.length === 0 && resources.length === 1 ? resources : near;
  const order = nearest(
    sent,
    candidates.map(({ uri }) => uri),
  );
  return candidates.toSorted((a, b) => order.indexOf(a.uri) - order.indexOf(b.uri)).slice(0, 3);
}

function hostName(uri: string): string | undefined {
  return URL.canParse(uri) ? new URL(uri).hostname : undefined;
}

function alias({ uri, slug, displayName, source }: Resource, sent: string): Fix {
  const where = hostName(uri) === hostName(sent) ? 'Same host.' : 'Another host.';
  return {
    id: `add_alias:${slug}`,
    kind: 'add_alias',
    label: 'Add alias',
    explanation: `${where} If this is the same server as ${displayName}, add the address as an alias; tokens keep the registered audience.`,
    target: uri,
    value: sent,
    blocked: declared(source, `add it to aliases of ${slug} under resources`),
  };
}

function enable({ uri, slug, displayName }: Resource): Fix {
  return {
    id: `enable_resource:${slug}`,
    kind: 'enable_resource',
    label: 'Enable resource',
    explanation: `${displayName} is registered but disabled. Enabled, tokens are issued for it again.`,
    target: uri,
    value: null,
    blocked: null,
  };
}

function allowResource(
  { clientId, clientName, source }: Client,
  { uri, slug, displayName }: Resource,
): Fix {
  return {
    id: `allow_resource:${slug}`,
    kind: 'allow_resource',
    label: 'Allow resource',
    explanation: `The list of resources of ${clientName ?? clientId} does not have ${displayName}. Added, people can connect it there.`,
    target: clientId,
    value: uri,
    blocked: declared(source, `add it to resources of ${clientId} under clients`),
  };
}

function scopeFixes({ asked, client, resources }: FixQuestion): Fix[] {
  const canonical = canonicalResource(asked.resource ?? '');
  const enabled = resources.filter(({ enabled, source }) => enabled && source !== 'builtin');
  const only = asked.resource === undefined && enabled.length === 1 ? enabled[0] : undefined;
  const resource =
    only ?? enabled.find(({ identifiers }) => canonical && identifiers.includes(canonical));
  const wanted = parseScope(asked.scope).filter(
    (name) => isScopeToken(name) && name !== offlineAccess && !identityScopes.has(name),
  );
  if (!resource || asked.scope?.includes('…')) return [];
  const names = resource.scopes.map(({ name }) => name);
  const known = (wanted.length > 0 ? wanted : names).filter((name) => names.includes(name));
  if (known.length === 0) return wanted.slice(0, 3).map((name) => addScope(resource, name));
  const ceiling = client?.scope === undefined ? undefined : parseScope(client.scope);
  const missing = ceiling ? known.filter((name) => !ceiling.includes(name)) : [];
  return client && missing.length > 0 ? [allowScope(client, missing)] : [];
}

function addScope({ uri, slug, displayName, source }: Resource, name: string): Fix {
  return {
    id: `add_scope:${name}`,
    kind: 'add_scope',
    label: `Add scope ${name}`,
    explanation: `${displayName} has no scope ${name}. Add it only if the server checks for it; people will be asked for it in these words.`,
    target: uri,
    value: name,
    blocked: declared(source, `add it to scopes of ${slug} under resources`),
  };
}

function allowScope({ clientId, clientName, source }: Client, missing: string[]): Fix {
  const value = missing.join(' ');
  return {
    id: 'allow_scope',
    kind: 'allow_scope',
    label: 'Allow scope',
    explanation: `The ceiling of ${clientName ?? clientId} leaves out ${value}. Raised, people can grant it.`,
    target: clientId,
    value,
    blocked: declared(source, `add it to scope of ${clientId} under clients`),
  };
}

function redirectFixes({ asked, client }: FixQuestion): Fix[] {
  const sent = asked.redirect_uri;
  if (client?.kind !== 'preregistered' || sent === undefined) return [];
  if (sent.includes('…') || redirectUriMatches(sent, client.metadata.redirect_uris)) return [];
  if (!checkRedirectUri(sent).ok) return [];
  const { clientId, clientName, source } = client;
  return [
    {
      id: 'allow_redirect',
      kind: 'allow_redirect',
      label: 'Allow redirect',
      explanation: `Codes for ${clientName ?? clientId} will be sent to this address too. Add it only if it is the app's.`,
      target: clientId,
      value: sent,
      blocked: declared(source, `add it to redirect_uris of ${clientId} under clients`),
    },
  ];
}

/** What the configuration declares would come back at the next start: it is changed there. */
function declared(source: string, what: string): string | null {
  if (source !== 'config') return null;
  return `The configuration declares it: ${what} in the configuration file, and start the server again.`;
}
