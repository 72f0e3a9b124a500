import { isLoopbackUrl } from '../config/index.ts';
import type { ProviderSettings } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';

/** One row of `identity_providers` in the configuration, defaults filled in. */
export interface DeclaredProvider {
  slug: string;
  issuer: string;
  client_id: string;
  client_secret?: string | undefined;
  display_name: string;
  scopes: readonly string[];
  groups_claim: string;
  roles: Readonly<ProviderSettings['roles']>;
  groups: Readonly<ProviderSettings['groups']>;
  automatic: boolean;
  private_network: boolean;
}

/** What is set of a provider; the secret in the clear. */
export interface ProviderColumns {
  slug: string;
  issuer: string;
  client_id: string;
  client_secret: string | undefined;
  display_name: string;
  settings: ProviderSettings;
}

/** A stored provider, as far as a plan looks at it. */
export type StoredProvider = ProviderColumns & { source: 'config' | 'admin' };

/** What may be changed of one: what is absent stays; null takes the secret away. */
export interface ProviderChange extends Partial<ProviderSettings> {
  client_id?: string | undefined;
  client_secret?: string | null | undefined;
  display_name?: string | undefined;
}

export interface FieldChange {
  field: string;
  from: unknown;
  to: unknown;
}

export interface ProvidersPlan {
  inserts: ProviderColumns[];
  updates: { columns: ProviderColumns; changes: FieldChange[] }[];
  /** Slugs that were declared once and are no longer; they stay. */
  removedFromConfig: string[];
  /** Declared slugs that were made elsewhere; those rows stay as they are. */
  foreign: string[];
}

/** What must change so that the table holds what the configuration declares. */
export function planProviders(
  declared: readonly DeclaredProvider[],
  rows: readonly StoredProvider[],
): ProvidersPlan {
  const plan: ProvidersPlan = { inserts: [], updates: [], removedFromConfig: [], foreign: [] };
  for (const declaration of declared) {
    const columns = columnsOf(declaration);
    const row = rows.find(({ slug }) => slug === columns.slug);
    if (!row) plan.inserts.push(columns);
    else if (row.source !== 'config') plan.foreign.push(row.slug);
    else {
      const changes = providerChanges(row, columns);
      if (changes.length > 0) plan.updates.push({ columns, changes });
    }
  }
  const slugs = new Set(declared.map(({ slug }) => slug));
  const gone = rows.filter(({ source, slug }) => source === 'config' && !slugs.has(slug));
  plan.removedFromConfig = gone.map(({ slug }) => slug);
  return plan;
}

function columnsOf(declared: DeclaredProvider): ProviderColumns {
  const { slug, issuer, client_id, client_secret, display_name, ...settings } = declared;
  return {
    ...{ slug, issuer, client_id, client_secret, display_name },
    settings: {
      ...settings,
      scopes: [...settings.scopes],
      roles: { ...settings.roles },
      groups: { ...settings.groups },
    },
  };
}

const defaults: ProviderSettings = {
  scopes: ['openid', 'profile', 'email'],
  groups_claim: 'groups',
  roles: {},
  groups: {},
  automatic: true,
  private_network: false,
};

/** A provider with a change in it; without one before, what a new one is. */
export function changedProvider(
  before: Pick<ProviderColumns, 'slug' | 'issuer' | 'client_id'> & Partial<ProviderColumns>,
  change: ProviderChange,
): ProviderColumns {
  const { settings = defaults, client_secret, display_name = before.slug } = before;
  return {
    slug: before.slug,
    issuer: before.issuer,
    client_id: change.client_id ?? before.client_id,
    client_secret:
      change.client_secret === undefined ? client_secret : (change.client_secret ?? undefined),
    display_name: change.display_name ?? display_name,
    settings: {
      scopes: change.scopes ?? settings.scopes,
      groups_claim: change.groups_claim ?? settings.groups_claim,
      roles: change.roles ?? settings.roles,
      groups: change.groups ?? settings.groups,
      automatic: change.automatic ?? settings.automatic,
      private_network: change.private_network ?? settings.private_network,
    },
  };
}

/** What a change comes to, for the audit log; of the secret only that it changed. */
export function providerChanges(before: ProviderColumns, after: ProviderColumns): FieldChange[] {
  const from = flat(before);
  const changes = Object.entries(flat(after)).flatMap(([field, to]) =>
    comparable(from[field]) === comparable(to)
      ? []
      : [{ field, from: from[field] ?? null, to: to ?? null }],
  );
  if (before.client_secret === after.client_secret) return changes;
  const said = (secret: string | undefined) => (secret === undefined ? null : '(secret)');
  const secret = { from: said(before.client_secret), to: said(after.client_secret) };
  return [...changes, { field: 'client_secret', ...secret }];
}

function flat({ client_secret: _, settings, ...columns }: ProviderColumns) {
  const all: Record<string, unknown> = { ...columns, ...settings };
  return all;
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
 * Whether a provider may be registered in these words. Does NOT ask it.
 *
 * @throws OAuthError invalid_request
 */
export function checkProvider({ issuer, settings }: ProviderColumns, ownIssuer: string): void {
  const plain = /^https?:\/\/[\x21-\x7e]+$/.test(issuer) && !/[?#]/.test(issuer);
  const url = plain ? URL.parse(issuer) : null;
  const isSecure = url?.protocol === 'https:' || isLoopbackUrl(issuer);
  if (!url || !isSecure || url.username !== '' || url.password !== '') {
    throw refused('issuer has to be an https URL without user name, query and fragment.');
  }
  if (withoutSlash(issuer) === withoutSlash(ownIssuer)) {
    throw refused('issuer is this server itself. Name the provider at which people sign in.');
  }
  if (settings.scopes.some((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))) {
    throw refused(
      'scopes has one that is no scope: printable ASCII without space, quote, backslash.',
    );
  }
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

function refused(sentence: string): OAuthError {
  return new OAuthError('invalid_request', sentence);
}
