import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Seals secrets for the database under a key that lives outside of it. */
export interface SecretBox {
  /**
   * Encrypts and authenticates `plain` (AES-256-GCM).
   *
   * @param context what it is and whose, such as `signing_key:<kid>`; it opens under the same one only,
   *   so that a sealed value copied to another row is worthless
   */
  seal(plain: string, context: string): string;
  /** @throws SecretBoxError when it was sealed with an unknown key, in another context, or was changed */
  open(sealed: string, context: string): string;
}

export class SecretBoxError extends Error {
  override readonly name = 'SecretBoxError';
  readonly reason: 'unknown_key' | 'unreadable';

  constructor(reason: 'unknown_key' | 'unreadable', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

interface BoxKey {
  id: string;
  key: Buffer;
}

const keyLength = 32;
const ivLength = 12;
const tagLength = 16;

/**
 * A box for `data_encryption.key`. Sealed values read `v1.<key id>.<iv>.<ciphertext and tag>`.
 *
 * @param current 32 bytes; seals and opens
 * @param previous older keys; they only open, until everything has been sealed anew
 * @throws RangeError when a key is not 32 bytes long
 */
export function createSecretBox(current: Buffer, previous: readonly Buffer[] = []): SecretBox {
  const sealing = boxKey(current);
  const opening = new Map([...previous.map(boxKey), sealing].map(({ id, key }) => [id, key]));
  return {
    seal: (plain, context) => {
      const head = `v1.${sealing.id}`;
      return `${head}.${encrypt(sealing.key, plain, `${head}.${context}`)}`;
    },
    open: (sealed, context) => {
      const [version, id, iv, body, ...rest] = sealed.split('.');
      if (version !== 'v1' || !id || !iv || !body || rest.length > 0) {
        throw new SecretBoxError('unreadable', 'the sealed value is malformed');
      }
      const key = opening.get(id);
      if (!key) {
        throw new SecretBoxError(
          'unknown_key',
          `sealed with data-encryption key ${id}, this process has ${[...opening.keys()].join(', ')}`,
        );
      }
      return decrypt(key, `${iv}.${body}`, `v1.${id}.${context}`);
    },
  };
}

/** Keys are separated from other uses of the same bytes; the id tells which key, nothing about it. */
function boxKey(raw: Buffer): BoxKey {
  if (raw.length !== keyLength) {
    throw new RangeError(`a data-encryption key is ${keyLength} bytes long, not ${raw.length}`);
  }
  const derive = (use: string, length: number) =>
    Buffer.from(hkdfSync('sha256', raw, '', `authserver secret box v1 ${use}`, length));
  return { id: derive('id', 6).toString('base64url'), key: derive('key', keyLength) };
}

/** `<iv>.<ciphertext and tag>`, both base64url. */
export function encrypt(key: Buffer, plain: string, associated: string): string {
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagLength });
  cipher.setAAD(Buffer.from(associated));
  const body = [cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return `${iv.toString('base64url')}.${Buffer.concat(body).toString('base64url')}`;
}

/** @throws SecretBoxError when key, associated data or ciphertext are not those of {@link encrypt} */
export function decrypt(key: Buffer, sealed: string, associated: string): string {
  const [iv = '', body = ''] = sealed.split('.');
  const bytes = Buffer.from(body, 'base64url');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'), {
      authTagLength: tagLength, // a shorter tag would be easier to forge
    });
    decipher.setAAD(Buffer.from(associated));
    decipher.setAuthTag(bytes.subarray(-tagLength));
    const plain = [decipher.update(bytes.subarray(0, -tagLength)), decipher.final()];
    return Buffer.concat(plain).toString('utf8');
  } catch (cause) {
    throw new SecretBoxError('unreadable', 'the sealed value does not open', { cause });
  }
}
