import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicKey } from './clients.testing.ts';
import { readKeySet } from './jwks.ts';

const ec = publicKey('EC', 'k1');

describe('DC08: the key set of a client', () => {
  it.each(['EC', 'RSA', 'OKP'] as const)('may have %s keys', (kind) => {
    const key = publicKey(kind, 'k1');
    expect(
      readKeySet({ keys: [{ ...key, key_ops: ['verify'], x5u: 'https://evil.test' }] }),
    ).toEqual({
      keys: [{ ...key, use: 'sig' }],
    });
  });

  it.each([
    ['no set', {}],
    ['an array', [ec]],
    ['no key', { keys: [] }],
    ['1,000 keys', { keys: Array.from({ length: 1000 }, () => ec) }],
    ['a megabyte', { keys: [{ ...ec, x5c: ['x'.repeat(1_000_000)] }] }],
    ['a symmetric key', { keys: [ec, { kty: 'oct', k: 'c2VjcmV0' }] }],
    ['a private EC key', { keys: [ec, { ...ec, d: 'x' }] }],
    ['a private RSA key', { keys: [{ ...publicKey('RSA'), p: 'x', q: 'x' }] }],
    ['a coordinate of the wrong length', { keys: [{ ...ec, x: 'AAAA' }] }],
    ['a curve that signs nothing', { keys: [{ ...publicKey('OKP'), crv: 'X25519' }] }],
    ['base64 that is not url-safe', { keys: [{ ...ec, x: `+${ec.x?.slice(1)}` }] }],
    ['encryption keys only', { keys: [{ ...ec, use: 'enc' }] }],
    ['keys that may only encrypt', { keys: [{ ...ec, key_ops: ['encrypt', 'wrapKey'] }] }],
    ['a huge RSA modulus', { keys: [{ ...publicKey('RSA'), n: 'v'.repeat(1390) }] }],
  ])('MUST NOT be %s', (_name, set) => {
    expect(() => readKeySet(set)).toThrow();
  });

  it.each([512, 1024, 2047])('MUST NOT have an RSA key of %i bits', (modulusLength) => {
    const { publicKey: key } = generateKeyPairSync('rsa', { modulusLength });
    expect(() => readKeySet({ keys: [key.export({ format: 'jwk' })] })).toThrow('2048');
  });

  it('counts the bits of a modulus without leading zeros', () => {
    const { publicKey: key } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = key.export({ format: 'jwk' });
    const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(jwk.n ?? '', 'base64url')]);
    expect(() => readKeySet({ keys: [{ ...jwk, n: padded.toString('base64url') }] })).toThrow(
      '2048',
    );
  });

  it('leaves out keys of kinds that we do not know', () => {
    expect(
      readKeySet({ keys: [{ kty: 'AKP', alg: 'ML-DSA-44', pub: 'x' }, ec] }).keys,
    ).toHaveLength(1);
  });
});
