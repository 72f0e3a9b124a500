/**
 * The bricks of every HTTP answer: request context and log, the one error renderer, safe pages, strict
 * bodies, cookies and CSRF, CORS, limits, and the guarded fetch for addresses that strangers name.
 */
export {
  addressBucket,
  clientAddress,
  parseTrustedProxies,
  type TrustedProxies,
} from './address.ts';
export { assets } from './assets.ts';
export { type Challenge, readChallenge } from './bearer-challenge.ts';
export { cleanJson, readForm, readJson, readQuery } from './body.ts';
export { browserMark, markBrowser } from './browser-mark.ts';
export { type Circuit, createCircuit } from './circuit.ts';
export { clearCookie, cookieName, readCookie, setCookie } from './cookies.ts';
export { cors } from './cors.ts';
export { type Csrf, createCsrf } from './csrf.ts';
export { ago, inWords, plainText, shorten } from './display.ts';
export type { ErrorOrigin } from './error-page.ts';
export { errors, renderError } from './errors.ts';
export { type Fields, multiple, parseFields, single } from './fields.ts';
export { refusedRange } from './guarded-address.ts';
export { createGuardedCache } from './guarded-cache.ts';
export { GuardedFetchError, isBusy } from './guarded-error.ts';
export {
  createGuardedFetch,
  type Fetched,
  type GuardedFetch,
  type GuardedFetchOptions,
} from './guarded-fetch.ts';
export { parseStrictJson, StrictJsonError } from './guarded-json.ts';
export type { FetchLimits } from './guarded-limits.ts';
export {
  createGuardedRequest,
  type GuardedRequest,
  type GuardedRequestOptions,
  type Reach,
} from './guarded-request.ts';
export {
  createGuardedSessions,
  type GuardedSession,
  type GuardedSessions,
  type GuardedSessionsOptions,
} from './guarded-session.ts';
export { checkOutboundUrl } from './guarded-url.ts';
export { securityHeaders } from './headers.ts';
export { careIcon, problemNote, tickIcon } from './icons.ts';
export { createLogger, type LoggingOptions } from './logger.ts';
export { openTracing } from './open-tracing.ts';
export { type Page, page } from './page.ts';
export { cutPage, type Position, pageCursor } from './page-cursor.ts';
export { type Provenance, provenanceChip } from './provenance.ts';
export { createRateLimiter, type RateLimiter, rateLimit } from './rate-limit.ts';
export {
  currentRequest,
  currentTraceId,
  newTraceId,
  type RequestContext,
  requestContext,
  withRequestContext,
} from './request-context.ts';
export { foreign, type Html, html, raw } from './safe-html.ts';
export { type SendPageOptions, sendPage } from './send-page.ts';
export { createLimitedServer, type ServerLimits } from './server-limits.ts';
export { createSite, type Site } from './site.ts';
export { noTracing, type Tracing } from './tracing.ts';
