import type { z } from 'zod';
import type { resources } from '../admin/contract/index.ts';
import { answerFields, type Column, withoutNulls } from './output.ts';

export type Resource = z.output<typeof resources.list.answer>['items'][number];

export const resourceColumns: readonly Column<Resource>[] = [
  { title: 'SLUG', value: (resource) => resource.slug },
  { title: 'URI', value: (resource) => resource.uri },
  { title: 'SCOPES', value: (resource) => resource.scopes.map(({ name }) => name) },
  { title: 'TOKENS', value: (resource) => resource.token_format },
  { title: 'STATUS', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
];

/** One resource as text. */
export function resourceFields(resource: Resource): string {
  const { scopes, access, exchange, claims, claims_hook: hook, ...rest } = wireResource(resource);
  const members = {
    ...rest,
    claims: Object.keys(claims).join(', ') || 'the standard ones',
    claims_hook: hook?.url,
    exchange: exchangeOf(exchange),
  };
  const rules = access.map((rule) => JSON.stringify(rule));
  const names = scopes.map(({ name, description }) => `${name} (${description})`);
  const texts = { scopes: names.join(', '), access: rules.join(', ') || 'everybody' };
  return answerFields({ ...members, ...texts });
}

/** Who may exchange tokens of other resources for one of this. */
function exchangeOf(policy: Resource['exchange']): string {
  if (!policy || policy.clients.length === 0) return 'nobody';
  const { clients, consent, impersonation } = policy;
  const unnamed = impersonation.length > 0 ? `; without act: ${impersonation.join(' ')}` : '';
  return `${clients.join(' ')} (consent: ${consent}${unnamed})`;
}

/** Under the names that the configuration has for it. */
export function wireResource({ id: _, version: __, ...resource }: Resource) {
  return withoutNulls(resource);
}
