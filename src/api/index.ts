/**
 * The workspace API, a protected resource of this server itself (`<issuer>/api`; RFC 6750, 9449, 9728): its
 * gate, its routes, and the links with which people connect a client again. Mounted by public-app.ts.
 */
export type { ApiDeps, ProviderBridge } from './deps.ts';
export { mountApi, openApiToScripts } from './mount.ts';
export { endAllReconnectLinks, purgeReconnectLinks } from './reconnect-queries.ts';
