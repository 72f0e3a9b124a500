import {
  capAnswer,
  closedToolAnswer,
  corsHeaders,
  documentAnswer,
  failureAnswer,
  missingTokenAnswer,
  preflight,
  refusalAnswer,
  unreadableBodyAnswer,
} from './answers.ts';
import { type AuthInfo, authInfo } from './auth-info.ts';
import { type BodySource, type ReadBody, readBody } from './body.ts';
import { challenge } from './challenge.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import type { CheckCap } from './daily-cap.ts';
import { documentAt, metadataUrl, protectedResourceMetadata } from './documents.ts';
import { verifyProof } from './dpop.ts';
import type { NonceSource } from './dpop-nonce.ts';
import type { AccessToken, VerifyToken } from './jwt.ts';
import type { Settings } from './options.ts';
import { ClosedTool, MissingToken, Refusal, UnreadableBody } from './refusal.ts';
import type { ReplayStore } from './replay.ts';
import { neededScopes, unlistedTool } from './tool-scopes.ts';

/** The parts of a request that decide. */
export type Incoming = { method: string; url: URL; headers: Headers; body: BodySource };

/** Let through: who calls, the body that was judged and must be the one dispatched, and headers for the answer. */
export type Granted = {
  auth: AuthInfo;
  body: ReadBody;
  headers: Readonly<Record<string, string>>;
};

export type GuardDeps = {
  verifyToken: VerifyToken;
  /** The issuer's metadata as it sent it. */
  issuerMetadata: () => Promise<string>;
  replay: ReplayStore;
  /** Absent: proofs need no nonce. */
  nonces: NonceSource | undefined;
  /** Absent: calls are not counted. */
  checkCap: CheckCap | undefined;
  now: () => Date;
  onError: (error: unknown) => void;
};

/** The neutral core: answers a request itself, or lets it through. Whatever it cannot check, it refuses. */
export type Guard = (incoming: Incoming) => Promise<Response | Granted>;

export function createGuard(settings: Settings, deps: GuardDeps): Guard {
  const prmUrl = metadataUrl(settings);
  const prmJson = JSON.stringify(protectedResourceMetadata(settings));

  async function nonceHeader(needed: boolean): Promise<Record<string, string>> {
    return deps.nonces && needed ? { 'dpop-nonce': await deps.nonces.current() } : {};
  }

  async function refuse(
    error: unknown,
    scheme: Credentials['scheme'] | undefined,
  ): Promise<Response> {
    const refusal = error instanceof Refusal ? error : undefined;
    const wwwAuthenticate = challenge({ settings, metadataUrl: prmUrl, scheme, refusal });
    if (error instanceof MissingToken) return missingTokenAnswer(error.message, wwwAuthenticate);
    if (error instanceof UnreadableBody) return unreadableBodyAnswer(error);
    if (error instanceof ClosedTool) return closedToolAnswer(error.message);
    if (!refusal || refusal.status === 503) deps.onError(refusal?.cause ?? error);
    if (!refusal) return failureAnswer();
    const nonce = await nonceHeader(refusal.error === 'use_dpop_nonce');
    return refusalAnswer(refusal, wwwAuthenticate, nonce);
  }

  async function wellKnown({ method, url }: Incoming): Promise<Response | undefined> {
    const document = documentAt(url.pathname, settings);
    if (!document) return undefined;
    const json = document === 'protected-resource' ? prmJson : await deps.issuerMetadata();
    return documentAnswer(method, json);
  }

  async function admit(incoming: Incoming, credentials: Credentials): Promise<Response | Granted> {
    const token = await deps.verifyToken(credentials.token);
    await checkBinding(settings, incoming, credentials, token, deps);
    const auth = authInfo(settings, prmUrl, credentials.token, token);
    const body = await readBody(incoming.body, settings.maxBodyBytes);
    checkTools(settings, body.value);
    checkScopes(auth.scopes, neededScopes(body.value, settings.toolScopes));
    const capped = await deps.checkCap?.(body.value, auth, incoming.headers.get('accept'));
    if (capped) return capAnswer(capped);
    const nonce = await nonceHeader(credentials.scheme === 'DPoP');
    return { auth, body, headers: { ...corsHeaders, ...nonce } };
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
      return await refuse(error, scheme);
    }
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
  const { now, replay, nonces } = deps;
  const proven = { proof: headers.get('dpop'), method, url, token, boundTo };
  await verifyProof(proven, { now, replay, checkNonce: nonces?.check });
}

/** Where the author wants a complete table, a tool that it lacks is open to nobody. */
function checkTools({ unlistedTools, toolScopes }: Settings, body: unknown): void {
  const name = unlistedTools === 'deny' ? unlistedTool(body, toolScopes) : undefined;
  if (name === undefined) return;
  throw new ClosedTool(`The tool ${JSON.stringify(name.slice(0, 128))} is not open to callers`);
}

function checkScopes(granted: readonly string[], needed: readonly string[]): void {
  if (needed.every((scope) => granted.includes(scope))) return;
  throw new Refusal('insufficient_scope', `This call needs the scope ${needed.join(' ')}`, {
    scopes: needed,
  });
}
