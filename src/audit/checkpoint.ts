import {
  CompactSign,
  calculateJwkThumbprint,
  compactVerify,
  decodeProtectedHeader,
  importJWK,
  type JWK,
} from 'jose';
import { z } from 'zod';
import type { StoredCheckpoint } from './checkpoint-queries.ts';

/** The keys of this server, as the chain needs them. */
export interface ChainKeys {
  /** The private key that signs now; `kid` and `alg` are there. */
  signer: () => JWK;
  /** Public keys that are this server's beyond doubt. */
  trusted: () => readonly JWK[];
}

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const digits = z.string().regex(/^-?\d{1,19}$/);

/** Where the chain begins after retention: behind the block that was the last to be dropped. */
const base = z.strictObject({
  block: z.int(),
  seq: z.int(),
  hash: hex,
  txn: digits,
  id: digits,
});

/** What a checkpoint states. */
const statement = z.strictObject({
  /** Number of the checkpoint. */
  checkpoint: z.int().min(1),
  /** The last block, the place of its last event in the chain, and its hash. */
  block: z.int().min(1),
  seq: z.int().min(1),
  hash: hex,
  /** Seconds since 1970. */
  iat: z.int(),
  /** Events before this time may be gone: retention dropped them. */
  floor: z.iso.datetime().optional(),
  base: base.optional(),
});

export type Statement = z.infer<typeof statement>;
export type Base = z.infer<typeof base>;

/** Not that of any token: what is signed here can be used as none, and the other way round. */
const mediaType = 'authserver-audit-checkpoint+jws';

/** Signs a statement with the server's current key. */
export async function signCheckpoint(
  { signer }: Pick<ChainKeys, 'signer'>,
  content: Statement,
): Promise<StoredCheckpoint> {
  const jwk = signer();
  const { kid = '', alg = '' } = jwk;
  const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(content)))
    .setProtectedHeader({ alg, kid, typ: mediaType })
    .sign(await importJWK(jwk, alg));
  return {
    number: BigInt(content.checkpoint),
    block: BigInt(content.block),
    ...{ kid, jws },
    publicJwk: publicMembers(jwk),
    signedAt: new Date(content.iat * 1000),
  };
}

function publicMembers({ kty, kid, alg, use, crv, x, y, n, e }: JWK): Record<string, unknown> {
  const members = { kty, kid, alg, use, crv, x, y, n, e };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** What a checkpoint turned out to be. `trusted`: by a key that is this server's. */
export type Checked =
  | { ok: true; statement: Statement; trusted: boolean }
  | { ok: false; problem: string };

/**
 * Verifies the signature of a checkpoint, by the server's own key or, once that is gone, by the one that
 * was stored with it (whose RFC 7638 thumbprint has to be the `kid`). The latter proves nothing by itself:
 * anybody can make a key. Such a checkpoint is believed because a later one, which is trusted, builds on it.
 *
 * Does NOT compare it with the chain.
 */
export async function checkCheckpoint(
  { jws, publicJwk }: Pick<StoredCheckpoint, 'jws' | 'publicJwk'>,
  { trusted }: Pick<ChainKeys, 'trusted'>,
): Promise<Checked> {
  try {
    const { kid, typ } = decodeProtectedHeader(jws);
    if (typ !== mediaType) return { ok: false, problem: 'it is no checkpoint' };
    const own = trusted().find((key) => key.kid === kid);
    const stored: JWK = publicJwk;
    const key = own ?? stored;
    if (!own && (await calculateJwkThumbprint(key)) !== kid) {
      return { ok: false, problem: 'its key is not the one that it names' };
    }
    // One algorithm a key (RFC 8725 §3.1): what the key says, whatever the header says.
    const verified = await compactVerify(jws, await importJWK(key, key.alg), {
      algorithms: [key.alg ?? ''],
    });
    const content: unknown = JSON.parse(new TextDecoder().decode(verified.payload));
    const parsed = statement.safeParse(content);
    if (!parsed.success) return { ok: false, problem: 'its content is not of the known form' };
    return { ok: true, statement: parsed.data, trusted: own !== undefined };
  } catch {
    return { ok: false, problem: 'its signature is not valid' };
  }
}
