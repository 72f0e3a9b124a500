import { z } from 'zod';
import { duration, oneOf, secret, secureUrl, text } from './values.ts';

/** What a claim can be taken from: docs/claims.md is generated from this table. */
export const claimAttributes = {
  'user.id': 'The id of the user, the same as `sub`.',
  'user.email': 'The e-mail address of the user, as it was entered.',
  'user.name': 'The full name of the user.',
  'user.role': 'The role of the user in the administration: `viewer`, `operator` or `owner`.',
  'user.groups': 'All groups of the user, as a list.',
  'client.client_id': 'The client that the token is issued to.',
  'client.client_name': 'The name that the client is registered with.',
  'client.kind': 'How the client is known: `preregistered`, `dcr` or `cimd`.',
  'workspace.id': 'The workspace that was granted, the same as `workspace_id`.',
  'workspace.slug': 'The short name of that workspace.',
  'workspace.name': 'Its name.',
  'workspace.role': 'The role of the user in it: `member` or `admin`.',
} as const;

export type ClaimAttribute = keyof typeof claimAttributes;

type Scalar = string | number | boolean;

/** Where one claim comes from. */
export type ClaimSource =
  | ClaimAttribute
  /** A constant. */
  | { value: Scalar | Scalar[] }
  /** Whether the user is in the group. */
  | { group: string }
  /** Those of the named groups that the user is in: no other group is told. */
  | { groups: string[] };

/** Claim by name. */
export type ClaimsMapping = Record<string, ClaimSource>;

/** Bytes of JSON that the custom claims of one token may have: tokens travel in headers. */
export const largestClaims = 2048;

const storable = z.string().refine((value) => value.isWellFormed() && !value.includes('\0'), {
  error: 'has a NUL character or half a character, which cannot be stored',
  params: { fix: 'take it out' },
});
const scalar = z.union([storable, z.number(), z.boolean()]);
const attributeNames = Object.keys(claimAttributes);

const claimSource = z
  .union([
    z.string().refine((name) => findAttribute(name) !== undefined, {
      error: 'is no attribute that a claim can be taken from',
      params: { fix: `write one of ${attributeNames.join(', ')}, or {value: …} for a constant` },
    }),
    z.strictObject({ value: z.union([scalar, z.array(scalar)]) }),
    z.strictObject({ group: text('A group') }),
    z.strictObject({ groups: z.array(text('A group')).min(1) }),
  ])
  .transform((source): ClaimSource => (typeof source === 'string' ? attribute(source) : source));

function findAttribute(name: string): ClaimAttribute | undefined {
  return isAttribute(name) ? name : undefined;
}

function isAttribute(name: string): name is ClaimAttribute {
  return Object.hasOwn(claimAttributes, name);
}

function attribute(name: string): ClaimAttribute {
  const found = findAttribute(name);
  if (!found) throw new TypeError(`${name} is no attribute`);
  return found;
}

export const claimsMapping = z
  .record(z.string(), claimSource)
  .describe(
    'Claims that its tokens carry beside the standard ones: name and source. A source is an attribute such as `user.email`, `{value: …}`, `{group: name}` (true or false) or `{groups: [names]}` (those that the user is in). See docs/claims.md.',
  );

export const claimsHook = z
  .strictObject({
    url: secureUrl('Where a signed POST asks for further claims. Private addresses are allowed.'),
    secret: secret(
      'Signs the requests (Standard Webhooks): `whsec_` and 24 bytes or more in base64, or other text of 24 characters or more.',
      24,
    ).refine((value) => webhookKey(value) !== undefined, {
      error: 'is no key of 24 bytes or more in base64 after whsec_',
      params: { fix: 'make one: echo whsec_$(openssl rand -base64 32)' },
    }),
    timeout: duration('How long the whole call may take.', { min: '1s', max: '5s' }).prefault('1s'),
    on_failure: oneOf(
      'Without a usable answer, refuse the token (the client may try again) or issue it without these claims.',
      ['deny', 'skip'],
    ).prefault('deny'),
  })
  .describe('Asked for further claims at every issuance. See docs/claims.md.');

/** Bytes of a webhook secret (Standard Webhooks); undefined where `whsec_` is not followed by 24 in base64. */
export function webhookKey(value: string): Buffer | undefined {
  if (!value.startsWith('whsec_')) return Buffer.from(value);
  const encoded = value.slice('whsec_'.length);
  const key = Buffer.from(encoded, 'base64');
  return key.length >= 24 && /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? key : undefined;
}

/**
 * Names that mean something to whoever reads a token or an introspection answer: RFC 7519 §4.1, RFC 7662
 * §2.2, RFC 7800, RFC 8693 §4, RFC 9068 §2.2, RFC 9396, RFC 9449, RFC 9701, RFC 8417, OpenID Connect Core §2.
 */
export const reservedClaims: readonly string[] = [
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope'],
  ...['cnf', 'act', 'may_act', 'authorization_details', 'workspace_id', 'username', 'active'],
  ...['token_type', 'token_introspection', 'auth_time', 'acr', 'amr', 'azp', 'nonce', 'sid'],
  ...['at_hash', 'c_hash', 's_hash', 'sub_jwk', 'sub_id', 'events', 'toe', 'txn', 'trace_id'],
  ...['error', 'error_description', 'constructor'],
];

/** Why this cannot be the name of a custom claim, completing “the name …”, and what to do. */
export function claimNameProblem(name: string): { problem: string; fix: string } | undefined {
  if (reservedClaims.includes(name)) {
    return {
      problem: 'is a claim that the server or a standard gives a meaning to',
      fix: 'choose another name, such as one that begins with your URL',
    };
  }
  // RFC 7519 §4.2: a short private name, or a URL of one's own, which collides with nobody's.
  if (/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name)) return undefined;
  if (/^https?:\/\/[\x21-\x7e]{1,190}$/.test(name) && URL.canParse(name)) return undefined;
  return {
    problem: 'is not usable as the name of a claim',
    fix: 'use up to 64 letters, digits, _, . and -, a letter first, or an absolute URL',
  };
}
