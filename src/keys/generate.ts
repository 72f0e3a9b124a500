import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { z } from 'zod';
import { type SigningAlgorithm, signingAlgorithms } from './policy.ts';

const member = z.string().min(1).optional();

/** A signing key as it lies in the sealed column: RFC 7517 with `kid`, `alg` and `use` always there. */
const privateJwkSchema = z.strictObject({
  kty: z.enum(['EC', 'OKP', 'RSA']),
  kid: z.string().min(1),
  alg: z.enum(signingAlgorithms),
  use: z.literal('sig'),
  ...{ crv: member, x: member, y: member, n: member, e: member },
  ...{ d: z.string().min(1), p: member, q: member, dp: member, dq: member, qi: member },
});

export type PrivateJwk = z.infer<typeof privateJwkSchema>;

/** Bits of an RSA modulus: what RFC 7518 §3.3 demands; more would only make signing slower. */
const modulusLength = 2048;

/**
 * Makes a key for one algorithm.
 *
 * @returns the private JWK; its `kid` is the RFC 7638 thumbprint
 */
export async function generateSigningKey(alg: SigningAlgorithm): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength });
  const jwk = await exportJWK(privateKey);
  return privateJwkSchema.parse({
    ...jwk,
    kid: await calculateJwkThumbprint(jwk),
    alg,
    use: 'sig',
  });
}

/** @throws SyntaxError or ZodError when the text is no private JWK of ours */
export function parsePrivateJwk(text: string): PrivateJwk {
  return privateJwkSchema.parse(JSON.parse(text));
}

/** The public members only, picked one by one: a private one cannot slip through. */
export function publicJwk({ kty, kid, alg, use, crv, x, y, n, e }: PrivateJwk): JWK {
  const members = { kty, kid, alg, use, crv, x, y, n, e };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
