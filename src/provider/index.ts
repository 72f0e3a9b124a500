/**
 * The seam to oidc-provider, and the only room that imports it: its configuration, storage adapter,
 * prompts and events, the pages of a sign-in, and the public listener's routes.
 */
export { createApiBridge } from './api-bridge.ts';
export type { ProviderDeps } from './deps.ts';
export { grantReference } from './grant-facts.ts';
export { createLiveProvider, type LiveProvider } from './provider.ts';
export { mountPublicRoutes, openToScripts } from './routes.ts';
