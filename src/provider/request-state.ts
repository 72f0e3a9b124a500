import type { IncomingMessage } from 'node:http';
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import type { ErrorOrigin, Fields } from '../http/index.ts';
import type { IssuedToken } from '../tokens/index.ts';
import type { TokenRequest } from './token-request.ts';

/** What is answered to a client once it has authenticated. */
export type ClientAnswer = (clientId: string) => Promise<{ status: number; body: object }>;

/** What this room keeps about one request while the library works on it. */
export interface RequestState {
  /** Parsed and checked parameters, as the client sent them. */
  form: Fields;
  /** The browser said that another site sent it here (`Sec-Fetch-Site: cross-site`). */
  crossSite?: boolean;
  /** The unit of work of a token request. */
  token?: TokenRequest;
  /** The access token that introspection or revocation was asked about, already verified. */
  presented?: {
    handle: string;
    issued: IssuedToken | undefined;
    /** It as the library's model. */
    payload: Record<string, unknown> | undefined;
  };
  /** The client assertion of this request has been claimed: the next claim is of its DPoP proof. */
  assertionClaimed?: boolean;
  /** The answer to an introspection shall be a signed JWT. */
  wantsJwt?: boolean;
  /** The client shall be answered by another room than this one. */
  answerClient?: ClientAnswer;
  /** Where an error before sign-in would have been redirected: the page names it instead. */
  back?: ErrorOrigin;
  /** The token family that a revocation has ended already. */
  endedFamily?: string;
  /** The attempt that this request begins, unless it goes on with another. */
  flowId?: string;
  /** The page that a person has answered. */
  page?: 'login' | 'consent';
  /** The error that the library reported, with its private detail. */
  error?: unknown;
}

/** The request as the library sees it: rebuilt, with our state on it. */
export type BridgedRequest = IncomingMessage & { state: RequestState; baseUrl: string };

/** Our state of the request that the library is working on. */
export function stateOf(ctx: { req: IncomingMessage }): RequestState {
  if (!isBridged(ctx.req)) throw new TypeError('this request did not come through the bridge');
  return ctx.req.state;
}

/** The same from deep inside the library (adapters, events), where no context is passed. */
export function currentState(): RequestState | undefined {
  const ctx = currentContext();
  return ctx && isBridged(ctx.req) ? ctx.req.state : undefined;
}

/** The library's context of the current request. */
export function currentContext(): KoaContextWithOIDC | undefined {
  return Provider.ctx;
}

function isBridged(req: IncomingMessage): req is BridgedRequest {
  return 'state' in req;
}
