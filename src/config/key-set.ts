import type { Finding } from './explain.ts';

type Key = Readonly<Record<string, unknown>>;

/** Bytes of a coordinate. */
const curves = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
]);
const shortestModulus = 256;

/**
 * Why no signature could be verified by a declared key set (RFC 7517). Keys for other purposes and of other
 * kinds may stand beside those that can.
 *
 * Does NOT check that a point lies on its curve: that happens when the key is used.
 */
export function keySetProblem({
  keys,
}: {
  keys: readonly Key[];
}): Omit<Finding, 'path'> | undefined {
  const signing = keys.map((key, place) => ({ key, place })).filter(({ key }) => mayVerify(key));
  const broken = signing.find(({ key }) => !isWhole(key));
  if (broken) {
    return {
      problem: `has a key that is malformed or too short: keys[${broken.place}]`,
      fix: 'copy the public key as its owner publishes it',
    };
  }
  if (signing.length > 0) return undefined;
  return {
    problem: 'has no key that could verify a signature',
    fix: 'give at least one public key: EC P-256, P-384 or P-521, OKP Ed25519, or RSA',
  };
}

function mayVerify({ kty, crv, use, key_ops: operations }: Key): boolean {
  if (use !== undefined && use !== 'sig') return false;
  if (Array.isArray(operations) && !operations.includes('verify')) return false;
  if (kty === 'EC') return typeof crv === 'string' && curves.has(crv);
  return kty === 'RSA' || (kty === 'OKP' && crv === 'Ed25519');
}

function isWhole({ kty, crv, x, y, n, e }: Key): boolean {
  if (kty === 'RSA') return bytesOf(n) >= shortestModulus && bytesOf(e) > 0;
  if (kty === 'OKP') return bytesOf(x) === 32;
  const size = curves.get(String(crv));
  return bytesOf(x) === size && bytesOf(y) === size;
}

/** Bytes that base64url stands for; none when it is something else. */
function bytesOf(value: unknown): number {
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]+$/.test(value)) return 0;
  return Math.floor((value.length * 3) / 4);
}
