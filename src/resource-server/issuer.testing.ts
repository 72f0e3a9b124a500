import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import {
  calculateJwkThumbprint,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';

/** An authorization server on loopback with a real key: metadata, JWKS, and tokens on demand. */
export type TestIssuer = Awaited<ReturnType<typeof startTestIssuer>>;

type Key = { kid: string; alg: string; jwk: JWK } & GenerateKeyPairResult;

const newKey = async (alg = 'ES256'): Promise<Key> => {
  const pair = await generateKeyPair(alg, { extractable: true });
  return { ...pair, alg, kid: randomUUID(), jwk: await exportJWK(pair.publicKey) };
};

/** @param path of the issuer, '' for a root issuer */
export async function startTestIssuer(path = '') {
  const state = { keys: [await newKey()], status: 200, requests: [] as string[], metadata: {} };
  const server = createServer((req, res) => {
    state.requests.push(req.url ?? '');
    if (state.status !== 200) return res.writeHead(state.status).end();
    const documents: Record<string, unknown> = {
      [`/.well-known/oauth-authorization-server${path}`]: {
        issuer,
        jwks_uri: `${issuer}/jwks`,
        authorization_endpoint: `${issuer}/oauth/authorize`,
        ...state.metadata,
      },
      [`${path}/jwks`]: {
        keys: state.keys.map(({ jwk, kid, alg }) => ({ ...jwk, kid, alg, use: 'sig' })),
      },
    };
    const document = documents[req.url ?? ''];
    if (!document) return res.writeHead(404).end();
    return res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  const issuer = `http://127.0.0.1:${port}${path}`;

  return {
    issuer,
    /** Change `status` to take it down, `metadata` to make it lie; `requests` lists the paths it was asked for. */
    state,
    /** Publishes another key and signs with it from now on. */
    async rotate(alg?: string) {
      state.keys.unshift(await newKey(alg));
    },
    /** An access token for `aud` that is right in all, but for what `claims` and `header` change. */
    mint(aud: unknown, claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) {
      const key = state.keys[0];
      if (!key) throw new Error('no key');
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: issuer,
        aud,
        sub: 'usr_1',
        client_id: 'client',
        jti: randomUUID(),
        iat: now,
        exp: now + 300,
        scope: 'read',
        ...claims,
      };
      return new SignJWT(
        Object.fromEntries(Object.entries(payload).filter(([, v]) => v !== undefined)),
      )
        .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
        .sign(key.privateKey);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A DPoP client: a key pair and proofs by it. */
export async function testDpopKey(alg = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    privateJwk: await exportJWK(privateKey),
    thumbprint: await calculateJwkThumbprint(jwk),
    /** A proof that is right in all, but for what `claims` and `header` change (`undefined` leaves a member out). */
    proof(
      token: string,
      url: string,
      claims: Record<string, unknown> = {},
      header: Record<string, unknown> = {},
    ) {
      const payload = {
        jti: randomUUID(),
        htm: 'POST',
        htu: url,
        iat: Math.floor(Date.now() / 1000),
        ath: createHash('sha256').update(token).digest('base64url'),
        ...claims,
      };
      return new SignJWT(JSON.parse(JSON.stringify(payload)))
        .setProtectedHeader(JSON.parse(JSON.stringify({ alg, typ: 'dpop+jwt', jwk, ...header })))
        .sign(privateKey);
    },
  };
}
