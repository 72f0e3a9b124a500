import type { Selectable } from 'kysely';
import type { ClaimsMapping } from '../config/index.ts';
import type { ResourcesTable } from '../db/index.ts';
import { canonicalResource } from '../oauth/index.ts';
import type { ClaimsHook } from './claims-hook.ts';

/** One row of `resources` in the configuration, defaults filled in. */
export interface DeclaredResource {
  slug: string;
  uri: string;
  aliases: readonly string[];
  display_name: string;
  scopes: readonly { name: string; description: string; implies: readonly string[] }[];
  default_scopes?: readonly string[] | undefined;
  token_format: 'jwt' | 'opaque';
  token_prefix: string;
  /** Seconds. */
  access_ttl?: number | undefined;
  dpop: 'supported' | 'required';
  workspace_scoped: boolean;
  clients: readonly string[];
  access: readonly {
    users?: readonly string[];
    groups?: readonly string[];
    workspace_roles?: readonly string[];
    scopes: readonly string[];
  }[];
  exchange?:
    | { clients: readonly string[]; consent: string; impersonation?: readonly string[] }
    | undefined;
  claims: Readonly<ClaimsMapping>;
  claims_hook?: ClaimsHook | undefined;
}

/** A row of the table whose hook has been opened: a sealed secret differs each time it is written. */
export type ResourceRow = Omit<Selectable<ResourcesTable>, 'claims_hook'> & {
  claims_hook: ClaimsHook | null;
};

/** The columns that a declaration sets. */
export type DeclaredColumns = Omit<ResourceRow, 'enabled' | 'source' | 'created_at' | 'updated_at'>;

export interface ResourceUpdate {
  /** Key of the row before the update. */
  uri: string;
  columns: DeclaredColumns;
  changes: { field: string; from: unknown; to: unknown }[];
}

export interface ReconcilePlan {
  inserts: DeclaredColumns[];
  updates: ResourceUpdate[];
  /** Slugs of rows that were declared once and are no longer; they stay. */
  removedFromConfig: string[];
  /** Slugs of declarations whose URI belongs to a row made elsewhere; that row stays as it is. */
  foreign: string[];
  /** The resource that this server itself is, where it is new or differs: `row` is what there is of it. */
  builtin?: { columns: DeclaredColumns; row: ResourceRow | undefined };
}

/** Declared and existing resources cannot all be; the message says which and what to do. */
export class ResourceConflictError extends Error {
  override readonly name = 'ResourceConflictError';
}

/**
 * What must change so that the table holds what the configuration declares. A row is the same one
 * when its URI is, in any spelling, or else its slug.
 *
 * @param builtin the resource that this server itself is, whatever its URI was before
 * @throws ResourceConflictError when two resources would share a slug or the canonical form of a URI
 *   or alias: a token for one would be accepted in requests for the other
 */
export function planReconcile(
  declared: readonly DeclaredResource[],
  rows: readonly ResourceRow[],
  builtin?: DeclaredResource,
): ReconcilePlan {
  const plan: ReconcilePlan = { inserts: [], updates: [], removedFromConfig: [], foreign: [] };
  const matched = new Map<string, DeclaredColumns>();
  if (builtin) planBuiltin(builtin, declared, rows, plan, matched);
  for (const declaration of declared) {
    const columns = columnsOf(declaration);
    const row = rowFor(declaration, declared, rows);
    if (!row) plan.inserts.push(columns);
    else if (row.source !== 'config') plan.foreign.push(declaration.slug);
    else if (matched.has(row.uri)) throw collision(columns.uri, columns.slug, row.slug);
    else {
      matched.set(row.uri, columns);
      const changes = changesBetween(row, columns);
      if (changes.length > 0) plan.updates.push({ uri: row.uri, columns, changes });
    }
  }
  const gone = rows.filter((row) => row.source === 'config' && !matched.has(row.uri));
  plan.removedFromConfig = gone.map(({ slug }) => slug);
  const added = plan.builtin && !plan.builtin.row ? [plan.builtin.columns] : [];
  requireDistinct([...rows.map((row) => matched.get(row.uri) ?? row), ...plan.inserts, ...added]);
  return plan;
}

function planBuiltin(
  builtin: DeclaredResource,
  declared: readonly DeclaredResource[],
  rows: readonly ResourceRow[],
  plan: ReconcilePlan,
  matched: Map<string, DeclaredColumns>,
): void {
  const others = [...declared, ...rows.filter(({ source }) => source !== 'builtin')];
  const taken = others.find(
    (other) => other.slug === builtin.slug || answersTo(other, builtin.uri),
  );
  if (taken) throw belongsToServer(taken, builtin);
  const columns = columnsOf(builtin);
  const row = rows.find(({ source }) => source === 'builtin');
  if (row) matched.set(row.uri, columns);
  if (!row || changesBetween(row, columns).length > 0) plan.builtin = { columns, row };
}

function answersTo({ uri, aliases }: { uri: string; aliases: readonly string[] }, asked: string) {
  return [uri, ...aliases].some((one) => canonicalResource(one) === canonicalResource(asked));
}

function belongsToServer(
  { slug, uri }: { slug: string; uri: string },
  builtin: DeclaredResource,
): ResourceConflictError {
  return new ResourceConflictError(
    `the resource ${slug} (${uri}) is taken for this server's own workspace API, which has the slug ${builtin.slug} and the URI ${builtin.uri}. Give the resource another slug and URI in the configuration, or remove it with "authserver resource remove"`,
  );
}

function rowFor(
  declaration: DeclaredResource,
  declared: readonly DeclaredResource[],
  rows: readonly ResourceRow[],
): ResourceRow | undefined {
  const sameUri = (row: ResourceRow, { uri }: DeclaredResource) =>
    canonicalResource(row.uri) === canonicalResource(uri);
  return (
    rows.find((row) => sameUri(row, declaration)) ??
    rows.find(
      (row) =>
        row.source === 'config' &&
        row.slug === declaration.slug &&
        !declared.some((other) => sameUri(row, other)),
    )
  );
}

/** The columns of a declaration. */
export function columnsOf(declared: DeclaredResource): DeclaredColumns {
  return {
    uri: declared.uri,
    slug: declared.slug,
    aliases: [...declared.aliases],
    display_name: declared.display_name,
    scopes: declared.scopes.map(({ name, description, implies }) => ({
      name,
      description,
      implies: [...implies],
    })),
    default_scopes: declared.default_scopes ? [...declared.default_scopes] : null,
    token_format: declared.token_format,
    token_prefix: declared.token_prefix,
    access_ttl: declared.access_ttl ?? null,
    dpop: declared.dpop,
    workspace_scoped: declared.workspace_scoped,
    clients: [...declared.clients],
    access: declared.access.map(({ users = [], groups = [], workspace_roles = [], scopes }) => ({
      users: [...users],
      groups: [...groups],
      roles: [...workspace_roles],
      scopes: [...scopes],
    })),
    exchange: declared.exchange ? { impersonation: [], ...declared.exchange } : null,
    claims: { ...declared.claims },
    claims_hook: declared.claims_hook ? { ...declared.claims_hook } : null,
  };
}

/** What differs, column by column, without the secret of a hook. */
export function changesBetween(
  row: ResourceRow,
  columns: DeclaredColumns,
): ResourceUpdate['changes'] {
  const before = new Map<string, unknown>(Object.entries(row));
  return Object.entries(columns).flatMap(([field, to]) => {
    const from = before.get(field);
    if (comparable(from) === comparable(to)) return [];
    if (field !== 'claims_hook') return [{ field, from, to }];
    return [{ field, from: withoutSecret(row), to: withoutSecret(columns) }];
  });
}

/** The hook as the audit log may show it. */
function withoutSecret({ claims_hook: hook }: DeclaredColumns): unknown {
  if (!hook) return null;
  const { secret: _secret, ...rest } = hook;
  return rest;
}

/** JSON with sorted members, since jsonb gives them back in an order of its own. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/**
 * No two resources may be taken for each other.
 *
 * @throws ResourceConflictError
 */
export function requireDistinct(
  resources: readonly Pick<ResourceRow, 'uri' | 'slug' | 'aliases'>[],
): void {
  const slugs = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const { uri, slug, aliases } of resources) {
    const other = slugs.get(slug);
    if (other !== undefined) {
      throw new ResourceConflictError(
        `two resources have the slug ${slug}: ${other} and ${uri}. Give one of them another slug, or remove it with "authserver resource remove"`,
      );
    }
    slugs.set(slug, uri);
    for (const spelling of [uri, ...aliases]) claim(owners, spelling, slug);
  }
}

function claim(owners: Map<string, string>, spelling: string, slug: string): void {
  const canonical = canonicalResource(spelling);
  if (canonical === undefined) {
    throw new ResourceConflictError(
      `resource ${slug}: ${spelling} is no resource identifier (RFC 8707: an absolute URI without user name and fragment)`,
    );
  }
  const owner = owners.get(canonical);
  if (owner !== undefined && owner !== slug) throw collision(spelling, slug, owner);
  owners.set(canonical, slug);
}

function collision(uri: string, slug: string, other: string): ResourceConflictError {
  return new ResourceConflictError(
    `the resources ${other} and ${slug} both answer to ${uri}: URIs and aliases must differ by more than case, default port and a trailing slash`,
  );
}
