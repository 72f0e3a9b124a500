import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base64url, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { clientId, clientSecret } from './federation-idp.testing.ts';

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

/** What the next ID token says instead of the truth; undefined leaves a claim out. */
export interface Lie {
  claims?: Record<string, unknown>;
  alg?: 'RS256' | 'none' | 'HS256' | 'another key';
  /** Of the token endpoint, instead of an ID token. */
  token?: Answer;
  userinfo?: Record<string, unknown>;
}

/** A provider that says whatever a test wants. Each path under it is an issuer of its own. */
export async function startLiar() {
  const [key, another] = await Promise.all([pair(), pair()]);
  const paths = new Map<string, Answer>();
  let lie: Lie = {};
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    const answer = paths.get(req.url ?? '');
    if (answer) answer(req, res);
    else res.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address: AddressInfo | string | null = server.address();
  const origin = `http://localhost:${typeof address === 'object' ? address?.port : ''}`;

  async function sign(issuer: string, nonce: string): Promise<string> {
    const at = Math.floor(Date.now() / 1000);
    const truth = { iss: issuer, aud: clientId, sub: 'liar', nonce, iat: at, exp: at + 300 };
    const claims = { ...truth, name: 'Lia', email: 'lia@liar.test', ...lie.claims };
    const said = Object.entries(claims).filter(([, value]) => value !== undefined);
    const payload = Object.fromEntries(said);
    if (lie.alg === 'none') {
      const part = (value: object) => base64url.encode(JSON.stringify(value));
      return `${part({ alg: 'none' })}.${part(payload)}.`;
    }
    const jwt = new SignJWT(payload);
    if (lie.alg === 'HS256') {
      return jwt.setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(clientSecret));
    }
    const by = lie.alg === 'another key' ? another : key;
    return jwt.setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(by.privateKey);
  }

  return {
    origin,
    /** Makes an issuer of a path, with metadata that the test may change. */
    issuer(path: string, metadata: Record<string, unknown> = {}, answer?: Answer): string {
      const issuer = `${origin}${path}`;
      const whole = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/keys`,
        id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
        ...metadata,
      };
      paths.set(`${path}/.well-known/openid-configuration`, answer ?? json(whole));
      paths.set(`${path}/keys`, json({ keys: [key.jwk] }));
      paths.set(`${path}/userinfo`, (req, res) => json(lie.userinfo ?? { sub: 'liar' })(req, res));
      paths.set(`${path}/token`, (req, res) => {
        if (lie.token) return lie.token(req, res);
        void form(req).then(async (sent) => {
          const id_token = await sign(issuer, sent.get('code') ?? '');
          json({ access_token: 'at', token_type: 'Bearer', id_token })(req, res);
        });
      });
      return issuer;
    },
    /** From now on. */
    lies(told: Lie) {
      lie = told;
    },
    /** The answer of its authorization endpoint: the nonce stands for the code. */
    back(authorizationUrl: string): string {
      const { searchParams: sent } = new URL(authorizationUrl);
      const answer = { code: sent.get('nonce') ?? '', state: sent.get('state') ?? '' };
      return `${sent.get('redirect_uri')}?${new URLSearchParams(answer)}`;
    },
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Never answers. */
export const silence: Answer = () => {};

/** More than anybody reads. */
export const flood: Answer = (_, res) => {
  res.writeHead(200, { 'content-type': 'application/json' });
  const more = () => {
    while (res.write(' '.repeat(65_536)));
  };
  res.on('drain', more);
  more();
};

export function json(value: unknown, status = 200): Answer {
  return (_, res) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function redirect(to: string): Answer {
  return (_, res) => res.writeHead(302, { location: to }).end();
}

async function form(req: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of req) body += String(chunk);
  return new URLSearchParams(body);
}

async function pair() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' } };
}
