import type { Answer, Body } from '../../api/types.ts';
import { linesOf } from '../../parts/FormDialog.tsx';
import { type ClaimValues, claimsOf, claimValuesOf, noClaims } from './claims-form.ts';
import { newKey } from './row-key.ts';

export type ResourceDetail = Answer<'resources', 'get'>;
type Role = 'member' | 'admin';
type Consent = 'required' | 'operator';

/** One scope as its row in the form. */
export interface ScopeRow {
  key: string;
  name: string;
  description: string;
  implies: string;
  isDefault: boolean;
}

/** One rule of who may consent to what, as its row in the form; lists separated by spaces or commas. */
export interface AccessRow {
  key: string;
  users: string;
  groups: string;
  roles: '' | Role | 'both';
  scopes: string;
}

/** What the form of a resource holds. */
export interface ResourceValues extends ClaimValues {
  slug: string;
  uri: string;
  display_name: string;
  scopes: readonly ScopeRow[];
  aliases: string;
  clients: string;
  access: readonly AccessRow[];
  token_format: 'jwt' | 'opaque';
  token_prefix: string;
  dpop: 'supported' | 'required';
  access_ttl: string;
  workspace_scoped: boolean;
  exchange: 'off' | Consent;
  exchange_clients: string;
  impersonation: string;
}

export const newScope = (): ScopeRow => ({
  key: newKey(),
  name: '',
  description: '',
  implies: '',
  isDefault: false,
});

export const newRule = (): AccessRow => ({
  key: newKey(),
  users: '',
  groups: '',
  roles: '',
  scopes: '',
});

export const emptyResource = (): ResourceValues => ({
  slug: '',
  uri: '',
  display_name: '',
  scopes: [newScope()],
  aliases: '',
  clients: '',
  access: [],
  token_format: 'jwt',
  token_prefix: 'as',
  dpop: 'supported',
  access_ttl: '',
  workspace_scoped: false,
  exchange: 'off',
  exchange_clients: '',
  impersonation: '',
  ...noClaims,
});

export function valuesOf(resource: ResourceDetail): ResourceValues {
  const { exchange, default_scopes } = resource;
  return {
    slug: resource.slug,
    uri: resource.uri,
    display_name: resource.display_name,
    scopes: resource.scopes.map(({ name, description, implies }) => ({
      ...newScope(),
      name,
      description,
      implies: implies.join(' '),
      isDefault: default_scopes?.includes(name) ?? false,
    })),
    aliases: resource.aliases.join('\n'),
    clients: resource.clients.join('\n'),
    access: resource.access.map(ruleRow),
    token_format: resource.token_format,
    token_prefix: resource.token_prefix,
    dpop: resource.dpop,
    access_ttl: resource.access_ttl === null ? '' : String(resource.access_ttl),
    workspace_scoped: resource.workspace_scoped,
    exchange: exchange?.consent ?? 'off',
    exchange_clients: (exchange?.clients ?? []).join('\n'),
    impersonation: (exchange?.impersonation ?? []).join('\n'),
    ...claimValuesOf(resource),
  };
}

function ruleRow(rule: ResourceDetail['access'][number]): AccessRow {
  const [first, second] = rule.workspace_roles;
  const one = first === 'member' || first === 'admin' ? first : '';
  return {
    ...newRule(),
    users: rule.users.join(', '),
    groups: rule.groups.join(', '),
    roles: second === undefined ? one : 'both',
    scopes: rule.scopes.join(' '),
  };
}

const words = (text: string) => text.split(/[\s,]+/).filter(Boolean);
const named = (text: string) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);

const rolesOf: Record<AccessRow['roles'], Role[]> = {
  '': [],
  member: ['member'],
  admin: ['admin'],
  both: ['member', 'admin'],
};

function exchangeOf({ exchange, exchange_clients, impersonation }: ResourceValues) {
  if (exchange === 'off') return null;
  return {
    consent: exchange,
    clients: linesOf(exchange_clients),
    impersonation: linesOf(impersonation),
  };
}

/** What is sent, but for slug and URI, which stay always. */
export function settingsOf(
  values: ResourceValues,
): Body<'resources', 'update'> & Pick<Body<'resources', 'create'>, 'scopes'> {
  const scopes = values.scopes.filter(({ name }) => name.trim());
  const defaults = scopes.filter(({ isDefault }) => isDefault).map(({ name }) => name.trim());
  return {
    ...(values.display_name.trim() && { display_name: values.display_name.trim() }),
    scopes: scopes.map(({ name, description, implies }) => ({
      name: name.trim(),
      ...(description.trim() && { description: description.trim() }),
      implies: words(implies),
    })),
    default_scopes: defaults.length > 0 ? defaults : null,
    aliases: linesOf(values.aliases),
    clients: linesOf(values.clients),
    access: values.access.map(({ users, groups, roles, scopes: allowed }) => ({
      users: words(users),
      groups: named(groups),
      workspace_roles: rolesOf[roles],
      scopes: words(allowed),
    })),
    token_format: values.token_format,
    ...(values.token_prefix.trim() && { token_prefix: values.token_prefix.trim() }),
    dpop: values.dpop,
    access_ttl: values.access_ttl.trim() ? Number(values.access_ttl) : null,
    workspace_scoped: values.workspace_scoped,
    exchange: exchangeOf(values),
    ...claimsOf(values),
  };
}
