import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request } from 'node:https';
import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { DocumentHost } from './document-host.testing.ts';
import { encode } from './server.testing.ts';

export interface IdpKey {
  jwk: JWK;
  publicKey: CryptoKey;
  privateKey: CryptoKey;
}

export async function idpKey(kid: string, alg = 'ES256'): Promise<IdpKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** Claims of one assertion; undefined leaves a claim out. */
export type Claims = Record<string, unknown>;

/**
 * An identity provider with keys of its own, over TLS: metadata, JWKS, and a token endpoint that signs
 * people in (a password grant stands in for the browser) and exchanges their ID token for an ID-JAG.
 */
export interface Idp {
  issuer: string;
  key: IdpKey;
  /** Publishes these keys from now on. */
  publish(keys: JWK[]): void;
  /** Signs whatever it is told to. */
  sign(claims: Claims, header?: Record<string, unknown>, key?: IdpKey): Promise<string>;
  /** What a client does: signs in, and exchanges the ID token (RFC 8693, ID-JAG draft §4.3). */
  idJag(asked: {
    subject: string;
    client_id: string;
    audience: string;
    resource: string;
    scope?: string;
  }): Promise<string>;
  /** How often its keys were fetched. */
  fetchedKeys(): number;
}

const typ = 'oauth-id-jag+jwt';
const seconds = () => Math.floor(Date.now() / 1000);

export async function startIdp(
  host: DocumentHost,
  { issuer, metadataAt }: { issuer: string; metadataAt?: string },
): Promise<Idp> {
  const key = await idpKey('idp-1');
  const { origin } = new URL(issuer);
  const keysUrl = `${issuer}/keys`;
  const publish = (keys: JWK[]) => host.serve(keysUrl, { keys });
  const sign = (claims: Claims, header: Record<string, unknown> = {}, by = key) =>
    new SignJWT(defined(claims))
      .setProtectedHeader({ alg: 'ES256', kid: 'idp-1', typ, ...header })
      .sign(by.privateKey, { crit: { exp2: true } });

  async function exchange(form: URLSearchParams): Promise<Claims> {
    const subjectToken = form.get('subject_token') ?? '';
    const keys = createLocalJWKSet({ keys: [key.jwk] });
    const { payload } = await jwtVerify(subjectToken, keys, { issuer, audience: 'sso-client' });
    const access_token = await sign({
      ...{ iss: issuer, sub: payload.sub, jti: randomUUID(), iat: seconds(), exp: seconds() + 300 },
      ...{ aud: form.get('audience'), resource: form.get('resource') },
      // It knows the client under another name than we do (ID-JAG draft §5).
      ...{ client_id: form.get('known_as'), scope: form.get('scope') ?? undefined },
    });
    const issued_token_type = 'urn:ietf:params:oauth:token-type:id-jag';
    return { access_token, issued_token_type, token_type: 'N_A', expires_in: 300 };
  }

  async function signIn(form: URLSearchParams): Promise<Claims> {
    const claims = { iss: issuer, sub: form.get('username'), aud: 'sso-client' };
    const times = { iat: seconds(), exp: seconds() + 300 };
    return { id_token: await sign({ ...claims, ...times }, { typ: 'JWT' }), token_type: 'Bearer' };
  }

  async function token(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of req) body += String(chunk);
    const form = new URLSearchParams(body);
    const answer = form.get('grant_type') === 'password' ? signIn : exchange;
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(await answer(form)));
  }

  async function post(form: Record<string, string>): Promise<Record<string, string>> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const options = {
      method: 'POST',
      ca: host.ca,
      port: host.port,
      path: new URL(`${issuer}/token`).pathname,
    };
    const { hostname } = new URL(origin);
    const headers = { host: hostname, 'content-type': 'application/x-www-form-urlencoded' };
    const call = request({ ...options, host: '127.0.0.1', servername: hostname, headers }, resolve);
    call.on('error', reject).end(encode(form).toString());
    let text = '';
    for await (const chunk of await promise) text += String(chunk);
    return JSON.parse(text);
  }

  host.serve(metadataAt ?? `${issuer}/.well-known/openid-configuration`, {
    issuer,
    jwks_uri: keysUrl,
    token_endpoint: `${issuer}/token`,
  });
  host.serve(`${issuer}/token`, (req, res) => void token(req, res));
  publish([key.jwk]);
  return {
    issuer,
    key,
    publish,
    sign,
    async idJag({ subject, client_id, audience, resource, scope }) {
      const { id_token } = await post({ grant_type: 'password', username: subject });
      const { access_token } = await post({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag',
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
        subject_token: id_token ?? '',
        ...{ audience, resource, known_as: client_id, ...(scope !== undefined && { scope }) },
      });
      return access_token ?? '';
    },
    fetchedKeys: () => host.hits(keysUrl),
  };
}

function defined(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
