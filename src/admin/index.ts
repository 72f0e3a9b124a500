/**
 * The admin listener: health, metrics, the admin API and the page that makes the first owner. Refuses
 * requests whose `Host` is neither `admin.external_url`'s nor this computer's.
 */
export { revokeAllApiKeys } from './api-keys-ending.ts';
export { type AdminDeps, type AdminOptions, createAdminApp, createLocalAdmin } from './app.ts';
export {
  AdminCallError,
  type AdminClient,
  type AdminClientOptions,
  type Call,
  createAdminClient,
} from './client.ts';
export { type Health, liveness, readiness } from './health.ts';
export { removeExpiredRequests } from './idempotency-queries.ts';
export { type LocalKey, makeLocalKey, readLocalKey, systemUserHeader } from './local-key.ts';
export type { Sweep } from './maintenance-routes.ts';
export { openApiReference } from './openapi.ts';
export type { StartAdminSession } from './session-cookies.ts';
export { setupUrl } from './setup.ts';
export type { SignInElsewhere, SignInProvider } from './sign-in.ts';
export { createSignInElsewhere } from './sign-in-elsewhere.ts';
export { passwordLinkUrl } from './user-routes.ts';
