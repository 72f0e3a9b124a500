import type { Resource } from '../resources/index.ts';
import { type Column, fields } from './output.ts';

export const resourceColumns: readonly Column<Resource>[] = [
  { title: 'SLUG', value: (resource) => resource.slug },
  { title: 'URI', value: (resource) => resource.uri },
  { title: 'SCOPES', value: (resource) => resource.scopes.map(({ name }) => name) },
  { title: 'TOKENS', value: (resource) => resource.tokenFormat },
  { title: 'STATUS', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
];

/** One resource as text. */
export function resourceFields(resource: Resource): string {
  const shown = wireResource(resource);
  const { scopes, access, exchange, workspace_scoped, claims, ...rest } = shown;
  const members = {
    ...rest,
    enabled: String(rest.enabled),
    workspace_scoped: String(workspace_scoped),
    claims: Object.keys(claims).join(', ') || 'the standard ones',
    claims_hook: shown.claims_hook?.url,
    exchange: exchangeOf(exchange),
  };
  const rules = access.map((rule) => JSON.stringify(rule));
  const names = scopes.map(({ name, description }) => `${name} (${description})`);
  return fields({ ...members, scopes: names.join(', '), access: rules.join(', ') || 'everybody' });
}

/** Who may exchange tokens of other resources for one of this. */
function exchangeOf(policy: Resource['exchange']): string {
  if (!policy || policy.clients.length === 0) return 'nobody';
  const { clients, consent, impersonation } = policy;
  const unnamed = impersonation.length > 0 ? `; without act: ${impersonation.join(' ')}` : '';
  return `${clients.join(' ')} (consent: ${consent}${unnamed})`;
}

/** Without its secret. */
function hookOf({ claimsHook: hook }: Resource) {
  return hook && { url: hook.url, timeout: hook.timeout, on_failure: hook.on_failure };
}

/** Under the names that the configuration has for it. */
export function wireResource(resource: Resource) {
  return {
    slug: resource.slug,
    uri: resource.uri,
    aliases: resource.aliases,
    display_name: resource.displayName,
    scopes: resource.scopes,
    default_scopes: resource.defaultScopes,
    token_format: resource.tokenFormat,
    token_prefix: resource.tokenPrefix,
    access_ttl: resource.accessTtl,
    dpop: resource.dpop,
    workspace_scoped: resource.workspaceScoped,
    clients: resource.clients,
    access: resource.access,
    exchange: resource.exchange,
    claims: resource.claims,
    claims_hook: hookOf(resource),
    enabled: resource.enabled,
    source: resource.source,
  };
}
