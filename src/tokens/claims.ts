import {
  type ClaimAttribute,
  type ClaimSource,
  type ClaimsMapping,
  largestClaims,
} from '../config/index.ts';
import { OAuthError } from '../oauth/index.ts';

/** The person that a token speaks for, as claims may tell of them. */
export interface ClaimsUser {
  id: string;
  email: string;
  name?: string | undefined;
  role?: string | undefined;
  groups: readonly string[];
}

/** The client that a token is issued to, as claims may tell of it. */
export interface ClaimsClient {
  clientId: string;
  clientName?: string | undefined;
  kind: string;
}

/** The workspace that a token is for, as claims may tell of it. */
export interface ClaimsWorkspace {
  id: string;
  slug?: string | undefined;
  name?: string | undefined;
  /** Of the person in it. */
  role?: string | undefined;
}

/** The workspace of a row that was read with a token. */
export function workspaceOf(row: {
  workspace_id?: string | null;
  workspace_slug?: string | null;
  workspace_name?: string | null;
  workspace_role?: string | null;
}): ClaimsWorkspace | undefined {
  if (!row.workspace_id) return undefined;
  return {
    id: row.workspace_id,
    slug: row.workspace_slug ?? undefined,
    name: row.workspace_name ?? undefined,
    role: row.workspace_role ?? undefined,
  };
}

/** Whom and what a token is issued to. */
export interface ClaimsSubject {
  /** Absent where the client itself is the subject. */
  user?: ClaimsUser | undefined;
  /** Absent for a personal access token. */
  client?: ClaimsClient | undefined;
  workspace?: ClaimsWorkspace | undefined;
}

const attributes: Record<ClaimAttribute, (subject: ClaimsSubject) => unknown> = {
  'user.id': ({ user }) => user?.id,
  // An account that an issuer made may have another name where its address was taken.
  'user.email': ({ user }) => (user?.email.includes('@') ? user.email : undefined),
  'user.name': ({ user }) => user?.name,
  'user.role': ({ user }) => user?.role,
  'user.groups': ({ user }) => user && listed(user.groups),
  'client.client_id': ({ client }) => client?.clientId,
  'client.client_name': ({ client }) => client?.clientName,
  'client.kind': ({ client }) => client?.kind,
  'workspace.id': ({ workspace }) => workspace?.id,
  'workspace.slug': ({ workspace }) => workspace?.slug,
  'workspace.name': ({ workspace }) => workspace?.name,
  'workspace.role': ({ workspace }) => workspace?.role,
};

/**
 * The claims that a resource's mapping gives a token. What is unknown is left out, and so is an empty
 * list: a claim is never null. RFC 9068 §2.2.2 allows such claims in access tokens.
 */
export function customClaims({
  mapping,
  ...subject
}: ClaimsSubject & { mapping: Readonly<ClaimsMapping> }): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(mapping).flatMap(([name, source]) => {
      const value = claimValue(source, subject);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Whether the mapping tells anything of the user, so that they must be read. */
export function tellsOfUser(mapping: Readonly<ClaimsMapping>): boolean {
  return Object.values(mapping).some((source) =>
    typeof source === 'string' ? source.startsWith('user.') : !('value' in source),
  );
}

/** Whether the claims fit into a token that travels in a header: `largestClaims` bytes of JSON. */
export function fits(claims: Readonly<Record<string, unknown>>): boolean {
  return Buffer.byteLength(JSON.stringify(claims)) <= largestClaims;
}

/**
 * Refuses what does not fit: cut claims would say something else, and a token too large for a header
 * is refused by servers without a reason.
 *
 * @throws OAuthError server_error: only the operator can help
 */
export function requireFitting(claims: Readonly<Record<string, unknown>>): void {
  if (fits(claims)) return;
  throw new OAuthError(
    'server_error',
    `The claims configured for this resource are larger than ${largestClaims} bytes for this account. Its operator must map fewer of them.`,
    { detail: { claims: Object.keys(claims) } },
  );
}

function claimValue(source: ClaimSource, subject: ClaimsSubject): unknown {
  if (typeof source === 'string') return attributes[source](subject);
  if ('value' in source) return source.value;
  const groups = subject.user?.groups;
  if (!groups) return undefined;
  if ('group' in source) return groups.includes(source.group);
  return listed(source.groups.filter((group) => groups.includes(group)));
}

function listed(values: readonly string[]): string[] | undefined {
  return values.length > 0 ? [...values] : undefined;
}
