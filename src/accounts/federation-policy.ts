import type { IdentityProvider } from './identity-provider-row.ts';
import { checkEmail, isStorable } from './policy.ts';
import type { Role } from './user.ts';

/** Verified claims of a person, of the ID token and of userinfo. */
export type ProviderClaims = Readonly<Record<string, unknown>>;

/** What a provider says of a person who signs in, as far as we take it over. */
export interface ProvidedPerson {
  /** Only ever the name of a new account; never what an account is found by (BF06). */
  email: string | undefined;
  name: string | undefined;
  /** undefined: the provider has no say in it; null: takes it away. */
  role: Role | null | undefined;
  /** What becomes of the groups that the person has here. */
  groups: (before: readonly string[]) => string[];
}

type Mapping = Pick<IdentityProvider, 'groups_claim' | 'roles' | 'groups'>;

const ranks = { viewer: 1, operator: 2, owner: 3 };
/** Groups of one person that are looked at; of more, only so many. */
const mostGroups = 10_000;

/** Reads what a provider says. A mapping that is empty leaves what it would set alone. */
export function readPerson(provider: Mapping, claims: ProviderClaims): ProvidedPerson {
  const there = groupsOf(claims[provider.groups_claim]);
  const mapped = Object.values(provider.groups);
  const given = mappedBy(provider.groups, there);
  return {
    email: emailOf(claims),
    name: text(claims.name) ?? joined(claims.given_name, claims.family_name),
    role: Object.keys(provider.roles).length === 0 ? undefined : highest(provider.roles, there),
    // Groups that the provider does not speak of are the operator's.
    groups: (before) => [
      ...new Set([...before.filter((group) => !mapped.includes(group)), ...given]),
    ],
  };
}

/**
 * Whether what is needed of a person is in the ID token, so that nobody has to be asked for more. Some
 * providers put only `sub` there (OpenID Connect Core §5.4).
 */
export function isComplete(provider: Mapping, claims: ProviderClaims): boolean {
  const mapsGroups = Object.keys(provider.roles).length + Object.keys(provider.groups).length > 0;
  if (mapsGroups && claims[provider.groups_claim] === undefined) return false;
  return emailOf(claims) !== undefined && text(claims.name) !== undefined;
}

function highest(roles: IdentityProvider['roles'], there: readonly string[]): Role | null {
  const given = mappedBy(roles, there);
  return given.toSorted((a, b) => ranks[b] - ranks[a])[0] ?? null;
}

/** Own members only. Attack: a group called `constructor`. */
function mappedBy<T>(mapping: Readonly<Record<string, T>>, there: readonly string[]): T[] {
  return there.flatMap((group) => {
    const here = Object.hasOwn(mapping, group) ? mapping[group] : undefined;
    return here === undefined ? [] : [here];
  });
}

/** `sub` as it may be (OpenID Connect Core §2), and as it can be stored. */
export function isSubject(subject: string): boolean {
  return subject !== '' && subject.length <= 255 && isStorable(subject);
}

/** A list of names; some providers send a lone one as text. */
function groupsOf(claim: unknown): string[] {
  const all = Array.isArray(claim) ? claim : [claim];
  return all.slice(0, mostGroups).filter((group) => typeof group === 'string');
}

/** Attack: an address that its provider has not checked would be shown, and put into tokens, as theirs. */
function emailOf({ email, email_verified: verified }: ProviderClaims): string | undefined {
  if (verified === false || verified === 'false') return undefined;
  const checked = typeof email === 'string' ? checkEmail(email) : undefined;
  return checked?.ok ? checked.value : undefined;
}

function text(claim: unknown): string | undefined {
  return typeof claim === 'string' && isStorable(claim) && claim.trim() !== '' ? claim : undefined;
}

function joined(...parts: unknown[]): string | undefined {
  return text(parts.flatMap((part) => text(part) ?? []).join(' '));
}
