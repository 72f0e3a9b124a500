import { fetchAdapter, handleRequest, honoAdapter, koaAdapter, nodeAdapter } from './adapters.ts';
import { type AuthInfo, authInfo } from './auth-info.ts';
import { createDailyCap } from './daily-cap.ts';
import { metadataUrl } from './documents.ts';
import { proofWindow } from './dpop.ts';
import { nonceSource } from './dpop-nonce.ts';
import { createGuard } from './guard.ts';
import { createIntrospection } from './introspection.ts';
import { connectIssuer, type Issuer } from './issuer.ts';
import { jwtVerifier, type VerifyToken } from './jwt.ts';
import type { ProtectMcpOptions, Settings } from './options.ts';
import { Refusal } from './refusal.ts';
import { replayMemory } from './replay.ts';
import { resolveOptions } from './settings.ts';
import { tokenVerifier } from './verify.ts';

/** Makes the error that the MCP SDK in use answers with 401, e.g. `(text) => new InvalidTokenError(text)`. */
export type InvalidToken = (description: string) => Error;

/**
 * Protects an MCP server with tokens of one authorization server: serves its protected resource metadata (RFC 9728),
 * verifies access tokens (RFC 9068) and DPoP proofs (RFC 9449), and answers 401 and 403 as MCP clients expect.
 * Everything that reaches an adapter needs a token, but for the well-known documents and preflights.
 *
 * The issuer is not contacted before the first token arrives.
 * @throws TypeError listing every mistake in the options
 */
export function protectMcp(options: ProtectMcpOptions) {
  const settings = resolveOptions(options);
  const now = options.clock ?? (() => new Date());
  const onError = options.onError ?? (() => {});
  const fetchImpl = options.fetch ?? globalThis.fetch;
  const issuer = connectIssuer(settings, { fetch: fetchImpl, now });
  const verifyToken = verifierOf(settings, issuer, { fetch: fetchImpl, now });
  const guard = createGuard(settings, {
    verifyToken,
    issuerMetadata: issuer.metadata,
    // A proof is good for proofWindow seconds on either side of its iat.
    nonces: settings.dpopNonce && nonceSource(settings.dpopNonce, now),
    checkCap: settings.dailyCap && createDailyCap(settings.dailyCap, now),
    replay: options.replay ?? replayMemory(now, 2 * proofWindow + 1),
    now,
    onError,
  });
  const { origin } = settings.resourceUrl;
  const node = nodeAdapter(guard, origin);
  return {
    /** The neutral core: a response to send, or who calls and the request to pass on. */
    handle: (request: Request) => handleRequest(guard, request),
    /** Wraps a fetch-style handler: `export default { fetch: auth.fetch((request, caller) => …) }`. */
    fetch: (handler: (request: Request, auth: AuthInfo) => Response | Promise<Response>) =>
      fetchAdapter(guard, handler),
    /** `(req, res, next)` for node:http and connect; sets `req.auth` and `req.body`. */
    node: () => node,
    /** The same for Express: `app.use(auth.express())`, on the app and not under a path. */
    express: () => node,
    /** Koa middleware; sets `ctx.state.auth` and `ctx.request.body`. */
    koa: () => koaAdapter(guard, origin),
    /** Hono middleware; sets the variable `auth`. */
    hono: () => honoAdapter(guard),
    /** The MCP SDK's `OAuthTokenVerifier`, for servers that keep the SDK's own middleware. */
    verifier: (invalidToken?: InvalidToken) =>
      sdkVerifier(settings, { verifyToken, onError, invalidToken }),
    /** The URL of the protected resource metadata, as the challenges name it. */
    resourceMetadataUrl: metadataUrl(settings),
  };
}

function verifierOf(
  settings: Settings,
  issuer: Issuer,
  deps: { fetch: typeof fetch; now: () => Date },
): VerifyToken {
  const { introspection } = settings;
  return tokenVerifier(settings, {
    verifyJwt: jwtVerifier(settings, { key: issuer.key, now: deps.now }),
    introspect:
      introspection &&
      createIntrospection(
        { issuer: settings.issuer, introspection },
        { endpoint: issuer.introspectionEndpoint, ...deps },
      ),
    askAboutJwts: introspection?.jwts ?? false,
    now: deps.now,
  });
}

/** It sees only the token, so it refuses bound ones (there is no proof to check), and knows nothing of tools. */
function sdkVerifier(
  settings: Settings,
  deps: {
    verifyToken: VerifyToken;
    onError: (error: unknown) => void;
    invalidToken: InvalidToken | undefined;
  },
) {
  if (settings.dpop === 'required') {
    throw new TypeError("verifier() sees no DPoP proof, so it cannot serve dpop: 'required'");
  }
  return {
    async verifyAccessToken(token: string): Promise<AuthInfo> {
      try {
        const verified = await deps.verifyToken(token);
        if (verified.boundTo !== undefined) {
          throw new Refusal('invalid_token', 'DPoP-bound access tokens are not accepted here');
        }
        return authInfo(settings, metadataUrl(settings), token, verified);
      } catch (error) {
        if (error instanceof Refusal && error.error === 'invalid_token') {
          throw deps.invalidToken?.(error.message) ?? error;
        }
        deps.onError(error instanceof Refusal ? (error.cause ?? error) : error);
        throw error;
      }
    },
  };
}
