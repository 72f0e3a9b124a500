import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { hashId } from '../db/index.ts';
import { redirectHostKey } from '../oauth/index.ts';
import type { Client, ClientMetadata } from './types.ts';

/**
 * A new secret of 256 bits. URL-safe, since some clients send `id:secret` in Basic without the encoding
 * that RFC 6749 §2.3.1 asks for; the prefix lets scanners find leaked ones.
 */
export function newSecret(prefix: 'cs' | 'rat' | 'iat'): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

/** An identifier of a registered client; never that of a person, which begins with `usr_`. */
export function newClientId(): string {
  return `dcr_${randomBytes(16).toString('base64url')}`;
}

/** Whether a text can be a client_id at all: visible ASCII. Postgres refuses some others (NUL) with an error. */
export function isClientId(text: string): boolean {
  return /^[\x21-\x7e]{1,2048}$/.test(text);
}

/** Hashes of the secrets that are accepted now: the newest, and the one before it while they overlap. */
export function secretsInForce(
  { secretHashes, oldSecretUntil }: Pick<Client, 'secretHashes' | 'oldSecretUntil'>,
  now: Date,
): string[] {
  return oldSecretUntil && oldSecretUntil > now ? secretHashes : secretHashes.slice(0, 1);
}

const nobody = hashId('');

/**
 * Whether a secret is one of the client's. Takes the same time for each secret and for none, so that time
 * tells neither how much of it was right nor whether the client has one.
 */
export function verifySecret(client: Pick<Client, 'secretHashes'>, secret: string): boolean {
  const presented = Buffer.from(hashId(secret));
  let matches = false;
  for (const stored of client.secretHashes.length > 0 ? client.secretHashes : [nobody]) {
    const expected = Buffer.from(stored);
    if (expected.length === presented.length && timingSafeEqual(expected, presented))
      matches = true;
  }
  return matches && client.secretHashes.length > 0;
}

/**
 * Digest of what people agreed to: the client's name, its keys (or where they are) and the hosts that its
 * answers go to. When it changes, consent is asked anew.
 */
export function clientDigest(metadata: ClientMetadata): string {
  const { client_name, jwks, jwks_uri, redirect_uris } = metadata;
  const facts = [
    client_name ?? null,
    jwks_uri ?? (jwks ? jwks.keys.map((key) => keyText(key)).sort() : null),
    [...new Set(redirect_uris.map(redirectHostKey))].sort(),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url');
}

/** The public members of a key in a fixed order, as for a thumbprint (RFC 7638). */
function keyText(key: object): string {
  return JSON.stringify(
    Object.entries(key)
      .filter(([name]) => ['kty', 'crv', 'e', 'n', 'x', 'y'].includes(name))
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );
}
