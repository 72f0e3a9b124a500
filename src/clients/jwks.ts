import { z } from 'zod';
import type { AssertionAlgorithm, PublicKey, PublicKeySet } from './types.ts';

/** Every {@link AssertionAlgorithm}. */
export const clientAssertionAlgorithms = [
  'ES256',
  'EdDSA',
  'Ed25519',
  'PS256',
  'RS256',
] as const satisfies readonly AssertionAlgorithm[];

const limitsOfClients = { keys: 10, kibibytes: 16 };
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const curveBytes = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
]);

const base64url = z
  .string()
  .max(1400)
  .regex(/^[A-Za-z0-9_-]+$/);
const member = z
  .string()
  .max(256)
  .regex(/^[\x20-\x7e]+$/)
  .optional()
  .catch(undefined);
const common = { kid: member, alg: member };
const keySchema = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('RSA'), n: base64url, e: base64url, ...common }),
  z.object({ kty: z.literal('EC'), crv: z.string(), x: base64url, y: base64url, ...common }),
  z.object({ kty: z.literal('OKP'), crv: z.string(), x: base64url, ...common }),
]);

/** What is wrong with a key set; completes a sentence that begins with `jwks`. */
export class KeySetError extends Error {
  override readonly name = 'KeySetError';
}

/**
 * Reads a client's public keys (RFC 7517), keeping only what verifies signatures. Keys of kinds that
 * we do not use are left out; anything private or symmetric refuses the whole set, as it has leaked.
 *
 * Does NOT check that a point lies on its curve: that happens when the key is imported.
 *
 * @param limits how many keys and how much text there may be; those for one client unless given
 * @throws KeySetError
 */
export function readKeySet(value: unknown, limits = limitsOfClients): PublicKeySet {
  const set = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).safeParse(value);
  if (!set.success) throw new KeySetError('is not a JSON Web Key Set');
  const { keys } = set.data;
  if (keys.length > limits.keys) throw new KeySetError(`has more than ${limits.keys} keys`);
  if (JSON.stringify(keys).length > limits.kibibytes * 1024) {
    throw new KeySetError(`is larger than ${limits.kibibytes} KiB`);
  }
  const usable = keys.map(readKey).filter((key) => key !== undefined);
  if (usable.length === 0) throw new KeySetError('has no usable signing key');
  return { keys: usable };
}

function readKey(key: Record<string, unknown>): PublicKey | undefined {
  if (key.kty === 'oct') throw new KeySetError('has a symmetric key');
  if (secretMembers.some((name) => Object.hasOwn(key, name))) {
    throw new KeySetError('has private key members');
  }
  if (typeof key.kty !== 'string' || !['RSA', 'EC', 'OKP'].includes(key.kty)) return undefined;
  if (key.use !== undefined && key.use !== 'sig') return undefined;
  if (Array.isArray(key.key_ops) && !key.key_ops.includes('verify')) return undefined;
  const parsed = keySchema.safeParse(key);
  if (!parsed.success) throw new KeySetError('has a malformed key');
  return hasUsableSize(parsed.data) ? withoutAbsent({ ...parsed.data, use: 'sig' }) : undefined;
}

function hasUsableSize(key: z.output<typeof keySchema>): boolean {
  if (key.kty === 'EC') {
    const size = curveBytes.get(key.crv);
    return size !== undefined && byteLength(key.x) === size && byteLength(key.y) === size;
  }
  if (key.kty === 'OKP') return key.crv === 'Ed25519' && byteLength(key.x) === 32;
  const bits = modulusBits(key.n);
  if (bits < 2048) throw new KeySetError('has an RSA key of less than 2048 bits');
  if (bits > 8192 || byteLength(key.e) > 8)
    throw new KeySetError('has an RSA key that is too large');
  return true;
}

function byteLength(text: string): number {
  return Math.floor((text.length * 3) / 4);
}

/** Bits of a modulus; leading zero bytes do not count. */
function modulusBits(text: string): number {
  const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
    char.charCodeAt(0),
  );
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24);
}

function withoutAbsent(key: PublicKey): PublicKey {
  const { kid, alg, ...rest } = key;
  return { ...rest, ...(kid === undefined ? {} : { kid }), ...(alg === undefined ? {} : { alg }) };
}
