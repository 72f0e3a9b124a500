/**
 * The admin listener: health, metrics, the admin API and the page that makes the first owner. Refuses
 * requests whose `Host` is neither `admin.external_url`'s nor this computer's.
 */
export { type AdminDeps, type AdminOptions, createAdminApp } from './app.ts';
export { AdminCallError, type AdminClientOptions, createAdminClient } from './client.ts';
export { type Health, liveness, readiness } from './health.ts';
export { openApiReference } from './openapi.ts';
export { setupUrl } from './setup.ts';
