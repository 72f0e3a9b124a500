import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { ClaimsMapping } from '../config/index.ts';
import type { ResourcesTable, StoredClaimsHook } from '../db/index.ts';
import { canonicalResource } from '../oauth/index.ts';

export interface ResourceScope {
  name: string;
  /** What it allows, in words for the consent page. */
  description: string;
  implies: string[];
}

/** Lets people consent to scopes; one that names nobody is for everybody. */
export interface AccessRule {
  /** E-mail addresses or user ids. */
  users?: readonly string[];
  groups?: readonly string[];
  /** Roles in the workspace that is granted. */
  roles?: readonly string[];
  scopes: readonly string[];
}

const exchangePolicy = z.object({
  clients: z.array(z.string()).default([]),
  consent: z.enum(['required', 'operator']).default('required'),
  impersonation: z.array(z.string()).default([]),
});

/** Token exchange (RFC 8693) towards a resource. */
export interface ExchangePolicy {
  /** client_ids that may exchange other tokens for one of this resource. */
  clients: string[];
  /** The user must have consented to this resource, or the operator decided for everybody. */
  consent: 'required' | 'operator';
  /** client_ids that may do so without an `act` claim, as if they were the user (§1.1). */
  impersonation: string[];
}

/** A registered MCP server: what tokens are for (RFC 8707). */
export interface Resource {
  /** `aud` of its tokens, as it was registered. */
  uri: string;
  slug: string;
  aliases: string[];
  /** Canonical forms of uri and aliases; no two resources share one. */
  identifiers: string[];
  displayName: string;
  scopes: ResourceScope[];
  defaultScopes?: string[];
  tokenFormat: 'jwt' | 'opaque';
  tokenPrefix: string;
  /** Seconds. */
  accessTtl?: number;
  dpop: 'supported' | 'required';
  workspaceScoped: boolean;
  /** client_ids that are this resource server. */
  clients: string[];
  access: AccessRule[];
  exchange?: ExchangePolicy;
  /** Claims that its tokens carry beside the standard ones. */
  claims: ClaimsMapping;
  /** Who is asked for further ones; the secret is sealed. */
  claimsHook?: StoredClaimsHook;
  enabled: boolean;
  source: 'config' | 'admin' | 'builtin';
}

/** A row of the table as the rooms see it. */
export function toResource(row: Selectable<ResourcesTable>): Resource {
  return {
    uri: row.uri,
    slug: row.slug,
    aliases: row.aliases,
    identifiers: identifiersOf(row),
    displayName: row.display_name,
    scopes: row.scopes,
    defaultScopes: row.default_scopes ?? undefined,
    tokenFormat: row.token_format,
    tokenPrefix: row.token_prefix,
    accessTtl: row.access_ttl ?? undefined,
    dpop: row.dpop,
    workspaceScoped: row.workspace_scoped,
    clients: row.clients,
    access: row.access,
    // Fails closed: towards a resource whose policy cannot be read nobody exchanges.
    exchange: exchangePolicy.safeParse(row.exchange).data,
    claims: row.claims,
    claimsHook: row.claims_hook ?? undefined,
    enabled: row.enabled,
    source: row.source,
  };
}

/** Canonical forms of a URI and its aliases; what is no resource identifier is left out. */
export function identifiersOf(row: { uri: string; aliases: readonly string[] }): string[] {
  return [...new Set([row.uri, ...row.aliases].flatMap((uri) => canonicalResource(uri) ?? []))];
}
