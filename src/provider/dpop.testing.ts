import { randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';

/** Members of one proof; undefined leaves a member out. */
export interface ProofChanges {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
}

/** A client's DPoP key (RFC 9449 §4.2). */
export interface Prover {
  jwk: JWK;
  jkt: string;
  proof(url: string, changes?: ProofChanges): Promise<string>;
  headers(url: string, changes?: ProofChanges): Promise<{ DPoP: string }>;
}

/** A fresh key that signs proofs for POST requests, dated by the clock of this process. */
export async function createProver(alg = 'ES256'): Promise<Prover> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const proof = async (url: string, { claims, header }: ProofChanges = {}) => {
    const payload = { jti: randomUUID(), htm: 'POST', htu: url, iat: seconds(), ...claims };
    const protectedHeader: JWTHeaderParameters = {
      alg,
      typ: 'dpop+jwt',
      jwk,
      ...JSON.parse(JSON.stringify(header ?? {})),
    };
    for (const [name, value] of Object.entries(header ?? {}))
      if (value === undefined) delete protectedHeader[name];
    return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(privateKey);
  };
  return {
    jwk,
    jkt: await calculateJwkThumbprint(jwk),
    proof,
    headers: async (url, changes) => ({ DPoP: await proof(url, changes) }),
  };
}

/** Now by the clock of this process, in seconds. */
export function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
