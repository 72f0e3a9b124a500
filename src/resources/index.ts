/**
 * What may be asked for: registered MCP servers (RFC 8707 resources), their scopes, which resource and
 * which scopes a request comes to, and their metadata (RFC 9728). Called by provider/ and admin/.
 */
export { apiResource, apiResourceUri, apiSlug } from './api-resource.ts';
export { hookSecret } from './claims-hook.ts';
export type { ResourceEdit, WrittenResource } from './edit-policy.ts';
export {
  createResourceEditing,
  type EndedWithResource,
  type ListedResource,
  type ResourceCheck,
  type ResourceEditing,
} from './editing.ts';
export type { ResourcesReport } from './reconcile.ts';
export { type DeclaredResource, ResourceConflictError } from './reconcile-policy.ts';
export { createResources, type Resources, type ResourcesDeps } from './registry.ts';
export type { AccessRule, ExchangePolicy, Resource, ResourceScope } from './resource.ts';
export {
  type ClientCeiling,
  chooseResource,
  mayAskFor,
  onlyResource,
  protectedResourceMetadata,
} from './resource-policy.ts';
export {
  chooseScopes,
  impliedScopes,
  namesPerson,
  type ScopeChoice,
  type ScopeUser,
  scopesOfUser,
} from './scope-policy.ts';
