import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { ProtectMcpOptions } from './options.ts';
import { checksum } from './token-shape.ts';

/** What a test token says; what is left out is as a real one of that issuer. */
export type TestTokenOptions = {
  /** Default: all scopes of the issuer. */
  scopes?: readonly string[];
  /** Who the token speaks for. Default: `usr_test`. */
  sub?: string;
  /** Default: `test-client`. */
  clientId?: string;
  workspaceId?: string;
  /** `jwt` is verified by its signature; the others are asked about. Default: `jwt`. */
  kind?: 'jwt' | 'opaque' | 'personal' | 'credential';
  /** Seconds from now; below 0 for an expired one. Default: 900. A credential has none. */
  expiresIn?: number;
  /** Thumbprint of the DPoP key that the token is bound to. */
  dpopThumbprint?: string;
  /** Further claims, and others in place of those above; `undefined` leaves one out. */
  claims?: Readonly<Record<string, unknown>>;
};

/** An authorization server without network, for tests. */
export type TestIssuer = {
  issuer: string;
  /** For `protectMcp({ ...local.options, toolScopes })`: issuer, resource, scopes, introspection and the way there. */
  options: Pick<ProtectMcpOptions, 'issuer' | 'resource' | 'scopes' | 'fetch'> & {
    introspection: NonNullable<ProtectMcpOptions['introspection']>;
  };
  testToken(options?: TestTokenOptions): Promise<string>;
  /** Ends a token: introspection says inactive from now on. A JWT stays good unless it is asked about. */
  revoke(token: string): void;
};

/** Where a test issuer says it is, and for whom. */
export type TestIssuerOptions = {
  resource: string;
  scopes: readonly string[];
  /** Default: `https://auth.test`. */
  issuer?: string;
  /** Default: the system's clock. */
  clock?: () => Date;
};

/**
 * Makes an authorization server in memory: metadata, a fresh key, tokens and introspection. Nothing listens and nothing is
 * shared: every call makes another one.
 */
export async function testIssuer(setup: TestIssuerOptions): Promise<TestIssuer> {
  const { resource, scopes, issuer = 'https://auth.test', clock = () => new Date() } = setup;
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'ES256', use: 'sig' };
  const alive = new Map<string, Claims>();

  async function mint(token: TestTokenOptions = {}): Promise<string> {
    const claims = claimsOf({ issuer, resource, scopes }, token, clock());
    const text =
      token.kind === undefined || token.kind === 'jwt'
        ? await new SignJWT(claims)
            .setProtectedHeader({ alg: 'ES256', kid: 'test', typ: 'at+jwt' })
            .sign(privateKey)
        : randomToken(token.kind);
    alive.set(text, claims);
    return text;
  }

  const credentials = { clientId: 'test-resource-server', clientSecret: randomText(32) };
  const answers: Record<string, (init: RequestInit) => unknown> = {
    [metadataUrl(issuer)]: () => ({
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      introspection_endpoint: `${issuer}/oauth/introspect`,
    }),
    [`${issuer}/.well-known/jwks.json`]: () => ({ keys: [jwk] }),
    [`${issuer}/oauth/introspect`]: ({ body }) =>
      introspection(alive.get(new URLSearchParams(String(body)).get('token') ?? ''), clock()),
  };
  return {
    issuer,
    options: {
      issuer,
      resource,
      scopes,
      introspection: credentials,
      fetch: async (url, init = {}) => {
        const answer = answers[String(url instanceof Request ? url.url : url)];
        return answer ? Response.json(answer(init)) : new Response(null, { status: 404 });
      },
    },
    testToken: mint,
    revoke: (token) => void alive.delete(token),
  };
}

/** A test issuer and one token of it, for a test that needs no more. */
export async function testToken(
  options: TestIssuerOptions & TestTokenOptions,
): Promise<{ token: string; options: TestIssuer['options'] }> {
  const local = await testIssuer(options);
  return { token: await local.testToken(options), options: local.options };
}

type Claims = Record<string, unknown>;

function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`;
}

function claimsOf(
  { issuer, resource, scopes }: { issuer: string; resource: string; scopes: readonly string[] },
  token: TestTokenOptions,
  now: Date,
): Claims {
  const iat = Math.floor(now.getTime() / 1000);
  const isPersonal = token.kind === 'personal' || token.kind === 'credential';
  const claims: Claims = {
    iss: issuer,
    aud: resource,
    sub: token.sub ?? 'usr_test',
    // Nobody's program, but the person's own: these have no client.
    client_id: isPersonal ? undefined : (token.clientId ?? 'test-client'),
    scope: (token.scopes ?? scopes).join(' '),
    jti: crypto.randomUUID(),
    iat,
    exp: token.kind === 'credential' ? undefined : iat + (token.expiresIn ?? 900),
    workspace_id: token.workspaceId,
    cnf: token.dpopThumbprint === undefined ? undefined : { jkt: token.dpopThumbprint },
    ...token.claims,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** What introspection says (RFC 7662 §2.2). */
function introspection(claims: Claims | undefined, now: Date): Claims {
  const { exp } = claims ?? {};
  const expired = typeof exp === 'number' && exp <= now.getTime() / 1000;
  if (!claims || expired) return { active: false };
  return { active: true, token_type: claims.cnf === undefined ? 'Bearer' : 'DPoP', ...claims };
}

function randomToken(kind: 'opaque' | 'personal' | 'credential'): string {
  const start = {
    opaque: 'as_oat_',
    personal: 'as_pat_',
    credential: `wsc_${randomText(12)}.`,
  }[kind];
  const body = start + randomText(43);
  return body + checksum(body);
}

/** Letters and digits. */
function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}
