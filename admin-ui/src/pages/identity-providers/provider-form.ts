import type { Answer, Body } from '../../api/types.ts';
import { linesOf } from '../../parts/FormDialog.tsx';

export type Provider = Answer<'identity-providers', 'get'>;
type Role = 'viewer' | 'operator' | 'owner';

export interface ProviderValues {
  slug: string;
  issuer: string;
  client_id: string;
  client_secret: string;
  display_name: string;
  scopes: string;
  groups_claim: string;
  roles: string;
  groups: string;
  automatic: boolean;
  private_network: boolean;
}

export const emptyProvider: ProviderValues = {
  slug: '',
  issuer: '',
  client_id: '',
  client_secret: '',
  display_name: '',
  scopes: 'openid email profile',
  groups_claim: 'groups',
  roles: '',
  groups: '',
  automatic: false,
  private_network: false,
};

export function valuesOf(provider: Provider): ProviderValues {
  return {
    ...emptyProvider,
    slug: provider.slug,
    issuer: provider.issuer,
    client_id: provider.client_id,
    display_name: provider.display_name,
    scopes: provider.scopes.join(' '),
    groups_claim: provider.groups_claim,
    roles: write(provider.roles),
    groups: write(provider.groups),
    automatic: provider.automatic,
    private_network: provider.private_network,
  };
}

/** A map as lines: `group = role`. */
function write(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .map(([from, to]) => `${from} = ${to}`)
    .join('\n');
}

/** @throws Error with a sentence for whoever wrote the line */
function read(text: string): [string, string][] {
  return linesOf(text).map((line): [string, string] => {
    const at = line.lastIndexOf('=');
    if (at < 1) throw new Error(`“${line}” has no “=”. Write: group there = what it means here.`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

const isRole = (value: string): value is Role => ['viewer', 'operator', 'owner'].includes(value);

/** What is sent for a new provider and for a change. An empty secret is left as it is. */
export function settingsOf(values: ProviderValues): Body<'identity-providers', 'update'> {
  const roles = read(values.roles).map(([group, role]): [string, Role] => {
    if (!isRole(role)) throw new Error(`“${role}” is no role. Use viewer, operator or owner.`);
    return [group, role];
  });
  return {
    client_id: values.client_id.trim(),
    ...(values.client_secret && { client_secret: values.client_secret }),
    ...(values.display_name.trim() && { display_name: values.display_name.trim() }),
    scopes: values.scopes.split(/\s+/).filter(Boolean),
    ...(values.groups_claim.trim() && { groups_claim: values.groups_claim.trim() }),
    roles: Object.fromEntries(roles),
    groups: Object.fromEntries(read(values.groups)),
    automatic: values.automatic,
    private_network: values.private_network,
  };
}
