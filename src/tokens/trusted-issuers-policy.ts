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

function changesBetween(row: TrustedIssuerRow, columns: TrustColumns): TrustUpdate['changes'] {
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
