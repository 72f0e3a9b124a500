import { redirectHostKey } from '../oauth/index.ts';

/** What one person let one client do at one resource (and workspace), and under which circumstances. */
export interface GrantRow {
  id: string;
  userId: string;
  clientId: string;
  resource: string;
  /** Empty where the resource is not workspace-scoped. */
  workspaceId: string;
  /** What was ticked. */
  scopes: string[];
  /** What the page offered, ticked or not. */
  offeredScopes: string[];
  /** `redirectHostKey` of the redirect URI then. */
  redirectHost: string;
  /** Digest of the client's name, keys and redirect hosts then. */
  clientDigest: string;
  createdAt: Date;
  updatedAt: Date;
  lastUsedAt?: Date;
  revokedAt?: Date;
}

/** What this room needs to know of a client. */
export interface ConsentClient {
  kind: 'preregistered' | 'dcr' | 'cimd';
  digest: string;
}

/** Why somebody must be asked. */
export type ConsentReason =
  | 'first_time'
  | 'revoked'
  | 'prompt'
  | 'cross_site'
  | 'redirect_host_changed'
  | 'client_changed'
  | 'more_scopes'
  | 'nothing_granted';

export interface ConsentQuestion {
  /** The row of this person, client, resource and workspace, if there is one. */
  remembered?: GrantRow | undefined;
  client: ConsentClient;
  /** That of the request; it has been checked. */
  redirectUri: string;
  /** What is asked for, cut to what the person may grant. */
  scopes: readonly string[];
  /** The first authorize request came with `Sec-Fetch-Site: cross-site`. */
  crossSite: boolean;
  /** The client sent `prompt=consent`. */
  promptConsent: boolean;
}

/**
 * Whether a person must be asked, or an earlier answer holds. It holds for the same redirect host, an
 * unchanged client and scopes that were granted then; a box left empty is offered again, so that a client
 * that steps up (RFC 6750 insufficient_scope) is not stuck.
 * Does NOT check that the row is of this person, client, resource and workspace.
 *
 * @returns `reasons` is empty when nobody is asked
 */
export function needsConsent(question: ConsentQuestion): {
  ask: boolean;
  reasons: ConsentReason[];
} {
  const reasons = [...reasonsOfRequest(question), ...reasonsOfMemory(question)];
  return { ask: reasons.length > 0, reasons };
}

function reasonsOfRequest({ client, crossSite, promptConsent }: ConsentQuestion): ConsentReason[] {
  return [
    ...when(promptConsent, 'prompt'),
    // Attack: another authorization server in the middle sends the browser here to ride on consent
    // that is remembered for a client anybody can be (GHSA-6x8h-498w-gv8c).
    ...when(crossSite && client.kind !== 'preregistered', 'cross_site'),
  ];
}

function reasonsOfMemory(question: ConsentQuestion): ConsentReason[] {
  const { remembered, client, redirectUri, scopes } = question;
  if (!remembered) return ['first_time'];
  if (remembered.revokedAt) return ['revoked'];
  const isMore = scopes.some((scope) => !remembered.scopes.includes(scope));
  const isNothing = !scopes.some((scope) => remembered.scopes.includes(scope));
  return [
    ...when(redirectHostKey(redirectUri) !== remembered.redirectHost, 'redirect_host_changed'),
    ...when(client.digest !== remembered.clientDigest, 'client_changed'),
    ...when(isMore, 'more_scopes'),
    ...when(isNothing && !isMore, 'nothing_granted'),
  ];
}

function when(holds: boolean, reason: ConsentReason): ConsentReason[] {
  return holds ? [reason] : [];
}
