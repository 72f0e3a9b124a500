import { isLoopbackUrl } from '../config/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { TrustColumns, TrustedIssuerRow } from './trusted-issuers-queries.ts';

/** One row of `trusted_issuers` in the configuration, defaults filled in. */
export interface DeclaredIssuer {
  issuer: string;
  jwks_uri?: string | undefined;
  jwks?: { keys: readonly Readonly<Record<string, unknown>>[] } | undefined;
  clients?: readonly string[] | undefined;
  resources?: readonly string[] | undefined;
  scopes?: readonly string[] | undefined;
  subject: 'automatic' | 'strict';
}

export interface TrustUpdate {
  columns: TrustColumns;
  changes: { field: string; from: unknown; to: unknown }[];
}

export interface TrustPlan {
  inserts: TrustColumns[];
  updates: TrustUpdate[];
  /** Issuers that were declared once and are no longer; they stay. */
  removedFromConfig: string[];
  /** Declared issuers that were made elsewhere; those rows stay as they are. */
  foreign: string[];
}

/** What must change so that the table holds what the configuration declares. */
export function planTrust(
  declared: readonly DeclaredIssuer[],
  rows: readonly TrustedIssuerRow[],
): TrustPlan {
  const plan: TrustPlan = { inserts: [], updates: [], removedFromConfig: [], foreign: [] };
  for (const declaration of declared) {
    const columns = columnsOf(declaration);
    const row = rows.find(({ issuer }) => issuer === declaration.issuer);
    if (!row) plan.inserts.push(columns);
    else if (row.source !== 'config') plan.foreign.push(row.issuer);
    else {
      const changes = changesBetween(row, columns);
      if (changes.length > 0) plan.updates.push({ columns, changes });
    }
  }
  const names = new Set(declared.map(({ issuer }) => issuer));
  const gone = rows.filter(({ source, issuer }) => source === 'config' && !names.has(issuer));
  plan.removedFromConfig = gone.map(({ issuer }) => issuer);
  return plan;
}

/** What may be changed of an issuer: what is absent stays, null takes it away. */
export interface TrustChange {
  jwks_uri?: string | null | undefined;
  jwks?: { keys: Record<string, unknown>[] } | null | undefined;
  clients?: string[] | null | undefined;
  resources?: string[] | null | undefined;
  scopes?: string[] | null | undefined;
  subject?: 'automatic' | 'strict' | undefined;
}

/** A row with a change in it. */
export function changedTrust(row: TrustColumns, change: TrustChange): TrustColumns {
  const defined = Object.entries(change).filter(([, value]) => value !== undefined);
  const { issuer, jwks_uri, jwks, clients, resources, scopes, subject } = row;
  const before = { issuer, jwks_uri, jwks, clients, resources, scopes, subject };
  return { ...before, ...Object.fromEntries(defined) };
}

/**
 * Whether an issuer may be trusted in these words. Does NOT look at the keys in its row.
 *
 * @throws OAuthError invalid_request
 */
export function checkTrust({ issuer, jwks_uri, jwks }: TrustColumns, ownIssuer: string): void {
  checkUrl('issuer', issuer);
  if (withoutSlash(issuer) === withoutSlash(ownIssuer)) {
    throw refused('issuer is this server itself. Name the one that signs the assertions.');
  }
  if (jwks_uri === null) return;
  checkUrl('jwks_uri', jwks_uri);
  if (jwks !== null) throw refused('Give jwks or jwks_uri, not both.');
}

function checkUrl(name: string, value: string): void {
  const plain = /^https?:\/\/[\x21-\x7e]+$/.test(value) && !value.includes('#');
  const url = plain ? URL.parse(value) : null;
  const isSecure = url?.protocol === 'https:' || isLoopbackUrl(value);
  if (url && isSecure && url.username === '' && url.password === '') return;
  throw refused(`${name} has to be an https URL without user name and fragment.`);
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

function refused(sentence: string): OAuthError {
  return new OAuthError('invalid_request', sentence);
}

function columnsOf(declared: DeclaredIssuer): TrustColumns {
  const { issuer, subject, jwks_uri = null, jwks } = declared;
  return {
    issuer,
    jwks_uri,
    jwks: jwks ? { keys: jwks.keys.map((key) => ({ ...key })) } : null,
    clients: declared.clients ? [...declared.clients] : null,
    resources: declared.resources ? [...declared.resources] : null,
    scopes: declared.scopes ? [...declared.scopes] : null,
    subject,
  };
}

/** What a change comes to, for the audit log. */
export function changesBetween(
  row: TrustedIssuerRow,
  columns: TrustColumns,
): TrustUpdate['changes'] {
  const before = new Map<string, unknown>(Object.entries(row));
  return Object.entries(columns).flatMap(([field, to]) => {
    const from = before.get(field);
    return comparable(from) === comparable(to) ? [] : [{ field, from, to }];
  });
}

/** JSON with sorted members, since jsonb gives them back in an order of its own. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
