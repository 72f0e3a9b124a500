import {
  documentAnswer,
  failureAnswer,
  missingTokenAnswer,
  preflight,
  refusalAnswer,
  unreadableBodyAnswer,
} from './answers.ts';
import { type BodySource, type ReadBody, readBody } from './body.ts';
import { challenge } from './challenge.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { documentAt, metadataUrl, protectedResourceMetadata } from './documents.ts';
import { verifyProof } from './dpop.ts';
import type { AccessToken, VerifyToken } from './jwt.ts';
import type { Settings } from './options.ts';
import { MissingToken, Refusal, UnreadableBody } from './refusal.ts';
import type { ReplayStore } from './replay.ts';
import { effectiveScopes, neededScopes } from './tool-scopes.ts';

/** Who is calling, in the shape of the MCP SDK's `AuthInfo`. */
export type AuthInfo = {
  token: string;
  clientId: string;
  /** Granted scopes and those they include. */
  scopes: string[];
  /** Epoch seconds. */
  expiresAt: number;
  resource: URL;
  resourceMetadataUrl: string;
  /** The token's claims: `sub`, `jti`, `workspace_id` … */
  extra: Record<string, unknown>;
};

/** The parts of a request that decide. */
export type Incoming = { method: string; url: URL; headers: Headers; body: BodySource };

/** Let through: who calls, and the body that was judged and must be the one dispatched. */
export type Granted = { auth: AuthInfo; body: ReadBody };

export type GuardDeps = {
  verifyToken: VerifyToken;
  /** The issuer's metadata as it sent it. */
  issuerMetadata: () => Promise<string>;
  replay: ReplayStore;
  now: () => Date;
  onError: (error: unknown) => void;
};

/** The neutral core: answers a request itself, or lets it through. Whatever it cannot check, it refuses. */
export type Guard = (incoming: Incoming) => Promise<Response | Granted>;

export function createGuard(settings: Settings, deps: GuardDeps): Guard {
  const prmUrl = metadataUrl(settings);
  const prmJson = JSON.stringify(protectedResourceMetadata(settings));

  function refuse(error: unknown, scheme: Credentials['scheme'] | undefined): Response {
    const refusal = error instanceof Refusal ? error : undefined;
    const wwwAuthenticate = challenge({ settings, metadataUrl: prmUrl, scheme, refusal });
    if (error instanceof MissingToken) return missingTokenAnswer(error.message, wwwAuthenticate);
    if (error instanceof UnreadableBody) return unreadableBodyAnswer(error);
    if (!refusal || refusal.status === 503) deps.onError(refusal?.cause ?? error);
    return refusal ? refusalAnswer(refusal, wwwAuthenticate) : failureAnswer();
  }

  async function wellKnown({ method, url }: Incoming): Promise<Response | undefined> {
    const document = documentAt(url.pathname, settings);
    if (!document) return undefined;
    const json = document === 'protected-resource' ? prmJson : await deps.issuerMetadata();
    return documentAnswer(method, json);
  }

  async function admit(incoming: Incoming, credentials: Credentials): Promise<Granted> {
    const token = await deps.verifyToken(credentials.token);
    await checkBinding(settings, incoming, credentials, token, deps);
    const auth = authInfo(settings, prmUrl, credentials.token, token);
    const body = await readBody(incoming.body, settings.maxBodyBytes);
    checkScopes(auth.scopes, neededScopes(body.value, settings.toolScopes));
    return { auth, body };
  }

  return async (incoming) => {
    let scheme: Credentials['scheme'] | undefined;
    try {
      if (incoming.method === 'OPTIONS') return preflight();
      const document = await wellKnown(incoming);
      if (document) return document;
      const credentials = readCredentials(incoming.headers, incoming.url);
      scheme = credentials.scheme;
      return await admit(incoming, credentials);
    } catch (error) {
      return refuse(error, scheme);
    }
  };
}

/** What the kit hands to the MCP server about a verified token. */
export function authInfo(
  settings: Settings,
  resourceMetadataUrl: string,
  token: string,
  verified: AccessToken,
): AuthInfo {
  return {
    token,
    clientId: verified.clientId,
    scopes: effectiveScopes(verified.scopes, settings.implies),
    expiresAt: verified.expiresAt,
    resource: new URL(settings.resource),
    resourceMetadataUrl,
    extra: verified.claims,
  };
}

/** RFC 9449 §7.1, 7.2: a bound token counts only with its scheme and a proof, whatever mode we are in. */
async function checkBinding(
  { dpop, resourceUrl }: Settings,
  { method, headers }: Incoming,
  { scheme, token }: Credentials,
  { boundTo }: AccessToken,
  deps: GuardDeps,
): Promise<void> {
  if (boundTo === undefined) {
    if (dpop === 'required') {
      throw new Refusal('invalid_token', 'This MCP server accepts only DPoP-bound access tokens');
    }
    if (scheme === 'DPoP') {
      throw new Refusal('invalid_token', 'The access token is not DPoP-bound; send it as Bearer');
    }
    return;
  }
  if (dpop === 'off') {
    throw new Refusal('invalid_token', 'This MCP server does not accept DPoP-bound access tokens');
  }
  if (scheme === 'Bearer') {
    throw new Refusal(
      'invalid_token',
      'The access token is DPoP-bound; send it as DPoP with a proof',
    );
  }
  const url = `${resourceUrl.origin}${resourceUrl.pathname}`;
  await verifyProof({ proof: headers.get('dpop'), method, url, token, boundTo }, deps);
}

function checkScopes(granted: readonly string[], needed: readonly string[]): void {
  if (needed.every((scope) => granted.includes(scope))) return;
  throw new Refusal('insufficient_scope', `This call needs the scope ${needed.join(' ')}`, {
    scopes: needed,
  });
}
