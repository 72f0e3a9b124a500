import type { z } from 'zod';
import type { Resource } from '../resources/index.ts';
import { type IssuanceFacts, isEndless, standardClaims } from '../tokens/index.ts';
import type { inspectionClaim } from './contract/inspector.ts';
import type { Members, Shown } from './inspector-input.ts';

export type ClaimShown = z.input<typeof inspectionClaim>;

/** What names and times in the claims stand for. */
export interface Known {
  now: Date;
  clientName?: string | null | undefined;
  email?: string | null | undefined;
  resource?: Resource | undefined;
}

const others: Readonly<Record<string, string>> = {
  nbf: 'From when on it is good.',
  auth_time: 'When the person signed in.',
  nonce: 'Ties an ID token to one sign-in.',
  azp: 'The client that an ID token was issued to.',
  acr: 'How the person signed in.',
  amr: 'By what the person signed in.',
  sid: 'The session at the issuer.',
  email: 'E-mail address of the person.',
  email_verified: 'Whether the issuer has verified the address.',
  name: 'Name of the person.',
  groups: 'Groups of the person.',
  roles: 'Roles of the person.',
  may_act: 'Who may act for the subject (RFC 8693 §4.4).',
  token_type: '`Bearer`, or `DPoP` for a token that needs the proof of a key.',
  username: 'E-mail address of the person.',
  active: 'Whether it is good now (RFC 7662).',
};
const meanings: Readonly<Record<string, string>> = { ...others, ...standardClaims };
const unknownMeaning =
  'A claim of its own: see `resources[].claims` of the resource, or the issuer.';
const times = new Set(['exp', 'iat', 'nbf', 'auth_time']);

/** Every claim with what it means. */
export function explainClaims(claims: Members, known: Known): ClaimShown[] {
  return Object.entries(claims).map(([name, value]) => ({
    name,
    value,
    shown: shownAs(name, value, known),
    meaning: Object.hasOwn(meanings, name) ? (meanings[name] ?? unknownMeaning) : unknownMeaning,
  }));
}

/** What introspection would say of a token that says nothing itself. */
export function claimsOf(facts: IssuanceFacts, issuer: string): Members {
  const seconds = (time: Date) => Math.floor(time.getTime() / 1000);
  return {
    iss: issuer,
    sub: facts.sub,
    ...(facts.email !== null && { username: facts.email }),
    aud: facts.resource,
    ...(facts.client_id !== null && { client_id: facts.client_id }),
    scope: facts.scope,
    token_type: facts.token_type,
    ...(facts.jkt !== null && { cnf: { jkt: facts.jkt } }),
    ...(facts.workspace_id && { workspace_id: facts.workspace_id }),
    iat: seconds(facts.issued_at),
    ...(!isEndless(facts) && { exp: seconds(facts.expires_at) }),
    jti: facts.jti,
  };
}

function shownAs(name: string, value: Shown, known: Known): string | null {
  if (times.has(name) && typeof value === 'number') return timeInWords(value, known.now);
  if (name === 'sub') return known.email ?? null;
  if (name === 'client_id' || name === 'azp') return known.clientName ?? null;
  if (name === 'aud') return known.resource?.displayName ?? null;
  if (name === 'scope' && typeof value === 'string') return scopesInWords(value, known.resource);
  return null;
}

function scopesInWords(scope: string, resource: Resource | undefined): string | null {
  if (!resource) return null;
  const described = scope.split(' ').flatMap((name) => {
    const found = resource.scopes.find((one) => one.name === name);
    return found?.description ? [`${name}: ${found.description}`] : [];
  });
  return described.join('; ') || null;
}

/** `2026-06-01T12:00:00.000Z, 5 minutes ago` */
export function timeInWords(seconds: number, now: Date): string | null {
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) return null;
  return `${time.toISOString()}, ${distance(time.getTime() - now.getTime())}`;
}

const units = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
] as const;

function distance(milliseconds: number): string {
  const length = Math.abs(milliseconds);
  const [size, name] = units.find(([one]) => length >= one) ?? [1000, 'second'];
  const count = Math.floor(length / size);
  const words = `${count} ${name}${count === 1 ? '' : 's'}`;
  return milliseconds < 0 ? `${words} ago` : `in ${words}`;
}
