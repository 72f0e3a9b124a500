import { z } from 'zod';
import { checkOutboundUrl, refusedRange } from '../http/index.ts';
import { isCleanText, OAuthError } from '../oauth/index.ts';
import type { RuleLog } from './compatibility.ts';
import { clientAssertionAlgorithms, KeySetError, readKeySet } from './jwks.ts';
import type { ClientMetadata, PublicKeySet } from './types.ts';

/** Characters that reorder or hide text on a page: bidirectional controls, zero-width, line separators. */
const deceptive =
  /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;
const email = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;

const text = (longest: number) => z.string().max(longest).refine(isCleanText);
const link = text(2048).optional();
const names = (most: number) => z.array(text(200)).max(most).optional();

/** The members of RFC 7591 §2 that mean something here; all others are ignored. */
const wireSchema = z.object({
  client_name: z
    .string()
    .max(500)
    .refine((name) => name.isWellFormed())
    .optional(),
  client_uri: link,
  logo_uri: link,
  tos_uri: link,
  policy_uri: link,
  contacts: z.array(text(254)).max(10).optional(),
  software_id: text(200).optional(),
  software_version: text(200).optional(),
  redirect_uris: z.array(text(2048)).max(20).optional(),
  response_types: names(10),
  grant_types: names(20),
  application_type: z.enum(['web', 'native']).optional(),
  token_endpoint_auth_method: text(50).optional(),
  token_endpoint_auth_methods_supported: names(10),
  token_endpoint_auth_signing_alg: text(20).optional(),
  jwks: z.unknown().optional(),
  jwks_uri: text(2048).optional(),
  scope: text(4000).optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
});

/** Members whose server would have to be contacted or that we have no use for: said loudly, not ignored. */
const refusedMembers = ['sector_identifier_uri', 'request_uris'];
const links = ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri'] as const;

/** What a client says about itself, checked member by member; nothing is decided yet. */
export type WireMetadata = Omit<z.output<typeof wireSchema>, 'jwks'> & { jwks?: PublicKeySet };

export interface MetadataSource {
  kind: 'preregistered' | 'dcr' | 'cimd';
  /** Whether `jwks_uri` may name a private address. */
  privateAddresses: boolean;
}

/**
 * Reads client metadata that a stranger sent (RFC 7591 §2). Only own members with known names are looked
 * at, so that `__proto__`, `client_id`, `is_trusted` and the like have no effect.
 *
 * @throws OAuthError invalid_client_metadata, or invalid_redirect_uri where `redirect_uris` is malformed
 */
export function readMetadata(body: unknown, source: MetadataSource, rules: RuleLog): WireMetadata {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refused('The client metadata must be a JSON object');
  }
  const own = ownMembers(body, rules);
  const forbidden = refusedMembers.find((name) => Object.hasOwn(own, name));
  if (forbidden) throw refused(`${forbidden} is not supported; leave it out`);
  const parsed = wireSchema.safeParse(own);
  if (!parsed.success) throw malformed(parsed.error);
  const { jwks, ...wire } = parsed.data;
  return {
    ...wire,
    ...readLinks(wire, source, rules),
    client_name: displayName(wire.client_name),
    contacts: wire.contacts?.filter((contact) => email.test(contact)),
    jwks: readKeys(jwks),
    jwks_uri: checkKeysUri(wire.jwks_uri, source),
  };
}

function ownMembers(body: object, rules: RuleLog): Record<string, unknown> {
  const entries = Object.entries(body);
  const present = entries.filter(([, value]) => value !== null);
  if (present.length < entries.length && !rules.use('omit-null-members')) {
    throw refused('A member is null; leave it out instead');
  }
  return Object.fromEntries(present);
}

function malformed(error: z.ZodError): OAuthError {
  const [issue] = error.issues;
  const [name, index] = issue?.path ?? [];
  const where = `${String(name ?? 'metadata')}${typeof index === 'number' ? `[${index}]` : ''}`;
  const code = name === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata';
  return new OAuthError(code, `${where} is malformed or too long`, { cause: error });
}

/** The links are shown to people, who may follow them: https only. */
function readLinks(
  wire: Pick<WireMetadata, (typeof links)[number]>,
  { kind }: MetadataSource,
  rules: RuleLog,
): Pick<WireMetadata, (typeof links)[number]> {
  const read: Pick<WireMetadata, (typeof links)[number]> = {};
  for (const name of links) {
    const value = wire[name];
    if (value === undefined) continue;
    const droppable = kind === 'dcr' && (value === '' || /^http:/i.test(value));
    if (URL.parse(value)?.protocol === 'https:') read[name] = value;
    else if (!droppable || !rules.use('drop-insecure-links')) {
      throw refused(`${name} must be an https URL`);
    } else read[name] = undefined;
  }
  return read;
}

function displayName(name: string | undefined): string | undefined {
  const shown = name
    ?.replace(deceptive, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 100)
    .toWellFormed();
  return shown || undefined;
}

function readKeys(value: unknown): PublicKeySet | undefined {
  if (value === undefined) return undefined;
  try {
    return readKeySet(value);
  } catch (cause) {
    if (cause instanceof KeySetError) throw refused(`jwks ${cause.message}`, cause);
    throw cause;
  }
}

/** Not fetched now; but an address that will never be contacted is said at once. */
function checkKeysUri(value: string | undefined, source: MetadataSource): string | undefined {
  if (value === undefined) return undefined;
  const checked = checkOutboundUrl(value);
  if (!checked.ok) throw refused('jwks_uri must be a plain https URL');
  const host = checked.url.hostname.replace(/^\[|\]$/g, '');
  const literal = /^[\d.]+$|:/.test(host);
  if (literal && refusedRange(host, source.privateAddresses ? 'private-too' : 'public')) {
    throw refused('jwks_uri must be on a public address');
  }
  return value;
}

function refused(description: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_client_metadata', description, { cause });
}

const storedSchema = z.object({
  client_name: z.string().optional(),
  client_uri: z.string().optional(),
  logo_uri: z.string().optional(),
  tos_uri: z.string().optional(),
  policy_uri: z.string().optional(),
  contacts: z.array(z.string()).optional(),
  software_id: z.string().optional(),
  software_version: z.string().optional(),
  redirect_uris: z.array(z.string()),
  response_types: z.array(z.literal('code')),
  grant_types: z.array(z.string()),
  application_type: z.enum(['web', 'native']),
  token_endpoint_auth_method: z.enum([
    'none',
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
  ]),
  token_endpoint_auth_methods_supported: z
    .array(z.enum(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']))
    .optional(),
  token_endpoint_auth_signing_alg: z.enum(clientAssertionAlgorithms).optional(),
  jwks: z
    .object({
      keys: z.array(
        z.object({
          kty: z.enum(['RSA', 'EC', 'OKP']),
          kid: z.string().optional(),
          use: z.literal('sig').optional(),
          alg: z.string().optional(),
          n: z.string().optional(),
          e: z.string().optional(),
          crv: z.string().optional(),
          x: z.string().optional(),
          y: z.string().optional(),
        }),
      ),
    })
    .optional(),
  jwks_uri: z.string().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
});

/** Metadata in the form in which it is stored; absent members are left out, since clients cannot read null. */
export function storedMetadata(value: object): ClientMetadata {
  const present = Object.entries(value).filter(([, member]) => member !== undefined);
  return storedSchema.parse(Object.fromEntries(present));
}
