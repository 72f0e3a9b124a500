import type { z } from 'zod';
import type { ListedResource } from '../resources/index.ts';
import type { resource } from './contract/resources.ts';
import { versionOf } from './precondition.ts';

/** What of a resource can be edited, and whether it is enabled. */
export function resourceVersion({ createdAt, updatedAt, ...content }: ListedResource): string {
  return versionOf(content);
}

/** A resource as it is shown: without the secret of its hook. */
export function resourceRow(row: ListedResource, issuer: string): z.input<typeof resource> {
  const hook = row.claimsHook;
  return {
    id: row.slug,
    slug: row.slug,
    uri: row.uri,
    aliases: row.aliases,
    display_name: row.displayName,
    scopes: row.scopes,
    default_scopes: row.defaultScopes ?? null,
    token_format: row.tokenFormat,
    token_prefix: row.tokenPrefix,
    access_ttl: row.accessTtl ?? null,
    dpop: row.dpop,
    workspace_scoped: row.workspaceScoped,
    clients: row.clients,
    access: row.access.map(({ users = [], groups = [], roles = [], scopes }) => ({
      users: [...users],
      groups: [...groups],
      workspace_roles: [...roles],
      scopes: [...scopes],
    })),
    exchange: row.exchange ?? null,
    claims: row.claims,
    claims_hook: hook
      ? { url: hook.url, timeout: hook.timeout, on_failure: hook.on_failure }
      : null,
    enabled: row.enabled,
    source: row.source,
    metadata_url: `${issuer.replace(/\/+$/, '')}/.well-known/oauth-protected-resource/${row.slug}`,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    version: resourceVersion(row),
  };
}
