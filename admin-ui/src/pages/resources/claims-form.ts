import type { Answer, Body } from '../../api/types.ts';
import { newKey } from './row-key.ts';

type Resource = Pick<Answer<'resources', 'get'>, 'claims' | 'claims_hook'>;
type Claims = Resource['claims'];
type Written = Pick<Body<'resources', 'update'>, 'claims' | 'claims_hook'>;

/** Where the value of a claim comes from (docs/claims.md). */
export const claimSources = [
  { value: 'user.id', label: 'id of the person' },
  { value: 'user.email', label: 'e-mail address of the person' },
  { value: 'user.name', label: 'name of the person' },
  { value: 'user.role', label: 'role of the person here' },
  { value: 'user.groups', label: 'all groups of the person' },
  { value: 'groups', label: 'which of these groups' },
  { value: 'group', label: 'whether in this group' },
  { value: 'client.client_id', label: 'client_id' },
  { value: 'client.client_name', label: 'name of the client' },
  { value: 'client.kind', label: 'kind of the client' },
  { value: 'workspace.id', label: 'id of the workspace' },
  { value: 'workspace.slug', label: 'short name of the workspace' },
  { value: 'workspace.name', label: 'name of the workspace' },
  { value: 'workspace.role', label: 'role in the workspace' },
  { value: 'value', label: 'always the same' },
] as const;

/** Sources that need something said: the constant, the group, the groups. */
export const needsDetail = (source: string) => ['value', 'group', 'groups'].includes(source);

/** One claim as its row in the form. */
export interface ClaimRow {
  key: string;
  name: string;
  source: string;
  /** Of a constant as JSON or text, of groups their names. */
  detail: string;
}

export interface ClaimValues {
  claims: readonly ClaimRow[];
  /** Empty: nobody is asked. */
  hook_url: string;
  hook_timeout: string;
  hook_on_failure: 'deny' | 'skip';
  /** Empty: the one before stays. */
  hook_secret: string;
}

export const newClaim = (): ClaimRow => ({
  key: newKey(),
  name: '',
  source: 'user.email',
  detail: '',
});

export const noClaims: ClaimValues = {
  claims: [],
  hook_url: '',
  hook_timeout: '1',
  hook_on_failure: 'deny',
  hook_secret: '',
};

export function claimValuesOf({ claims, claims_hook: hook }: Resource): ClaimValues {
  const rows = Object.entries(claims).map(([name, source]) => ({
    ...newClaim(),
    name,
    ...sourceOf(source),
  }));
  if (!hook) return { ...noClaims, claims: rows };
  return {
    claims: rows,
    hook_url: hook.url,
    hook_timeout: String(hook.timeout),
    hook_on_failure: hook.on_failure,
    hook_secret: '',
  };
}

function sourceOf(source: Claims[string]): Pick<ClaimRow, 'source' | 'detail'> {
  if (typeof source === 'string') return { source, detail: '' };
  if ('group' in source) return { source: 'group', detail: source.group };
  if ('groups' in source) return { source: 'groups', detail: source.groups.join(', ') };
  return { source: 'value', detail: constantText(source.value) };
}

/** A source in words, for the page of the resource. */
export function claimWords(source: Claims[string]): string {
  const { source: kind, detail } = sourceOf(source);
  const words = claimSources.find(({ value }) => value === kind)?.label ?? kind;
  return detail ? `${words}: ${detail}` : words;
}

type Constant = Extract<Claims[string], { value: unknown }>['value'];

/** Text stays as it is, unless it would be read as something else. */
function constantText(value: Constant): string {
  return typeof value === 'string' && constant(value) === value ? value : JSON.stringify(value);
}

/** `true`, `3`, `["a"]` and `"true"` are JSON; anything else is text. */
function constant(text: string): Constant {
  try {
    const value: unknown = JSON.parse(text);
    if (isPlain(value)) return value;
    if (Array.isArray(value) && value.every(isPlain)) return value;
  } catch {}
  return text;
}

const isPlain = (value: unknown): value is string | number | boolean =>
  ['string', 'number', 'boolean'].includes(typeof value);

/** What is sent. */
export function claimsOf(values: ClaimValues): Written {
  const url = values.hook_url.trim();
  const secret = values.hook_secret.trim();
  const hook = {
    url,
    timeout: Number(values.hook_timeout),
    on_failure: values.hook_on_failure,
    ...(secret && { secret }),
  };
  const named = values.claims.filter(({ name }) => name.trim());
  return {
    claims: Object.fromEntries(named.map((row) => [row.name.trim(), written(row)])),
    claims_hook: url ? hook : null,
  };
}

function written({ source, detail }: ClaimRow): Claims[string] {
  const text = detail.trim();
  if (source === 'value') return { value: constant(text) };
  if (source === 'group') return { group: text };
  if (source !== 'groups') return source;
  const groups = text.split(',').map((group) => group.trim());
  return { groups: groups.filter(Boolean) };
}

/** A new secret as Standard Webhooks write them: 32 random bytes. */
export function newHookSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
