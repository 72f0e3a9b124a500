import { hkdfSync } from 'node:crypto';
import { decrypt, encrypt, SecretBoxError } from './secret-box.ts';

/**
 * Seals a value so that only who holds `secret` can open it: the database keeps a hash of the token
 * and this, and neither opens the other. Used for the successor of a rotated refresh token.
 *
 * @param secret a token's own value; it must have 128 bits of entropy or more (nothing stretches it)
 * @param salt what is sealed and where, such as `refresh successor:<row id>`; it opens under the same only
 */
export function sealUnder(secret: string, salt: string, plain: string): string {
  return `v1.${encrypt(derivedKey(secret, salt), plain, salt)}`;
}

/** What was sealed, or undefined when the secret or salt is another or the value was changed. */
export function openUnder(secret: string, salt: string, sealed: string): string | undefined {
  if (!sealed.startsWith('v1.')) return undefined;
  try {
    return decrypt(derivedKey(secret, salt), sealed.slice('v1.'.length), salt);
  } catch (error) {
    if (error instanceof SecretBoxError) return undefined;
    throw error;
  }
}

function derivedKey(secret: string, salt: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, 'authserver sealed under a token v1', 32));
}
