import { canonicalResource, OAuthError } from '../oauth/index.ts';
import type { Resource } from './resource.ts';

/** How many URIs an error description lists. */
const listed = 10;

/** The ceilings of a client that the operator may have set; absent means all. */
export interface ClientCeiling {
  /** Space-separated scopes. */
  scope?: string | undefined;
  /** URIs, in any spelling that the resource is known by. */
  resources?: readonly string[] | undefined;
}

/**
 * The one resource that a request is for (RFC 8707 §2). Spellings of one resource count once; a
 * token never has two audiences, and never none.
 *
 * @param requested every `resource` parameter that was sent; empty ones count as omitted
 * @param resources all registered ones; disabled ones are unknown
 * @param defaultResource `oauth.default_resource`
 * @throws OAuthError invalid_target whose description lists what to send
 */
export function chooseResource({
  requested,
  resources,
  defaultResource,
  client,
}: {
  requested: readonly string[];
  resources: readonly Resource[];
  defaultResource?: string | undefined;
  client?: ClientCeiling | undefined;
}): Resource {
  const enabled = resources.filter((resource) => resource.enabled);
  const sent = requested.filter((uri) => uri !== '');
  const chosen =
    sent.length > 0 ? oneRequested(sent, enabled) : defaulted(enabled, defaultResource);
  requireAllowedResource(chosen, client, enabled);
  return chosen;
}

function oneRequested(sent: readonly string[], enabled: readonly Resource[]): Resource {
  const found = new Map<string, Resource | undefined>();
  for (const uri of sent) {
    const canonical = canonicalResource(uri);
    if (canonical === undefined) {
      throw new OAuthError(
        'invalid_target',
        `resource must be an absolute URI without user name and fragment. ${whatToSend(enabled)}`,
      );
    }
    const resource = findResource(enabled, canonical);
    found.set(resource?.uri ?? canonical, resource);
  }
  if (found.size > 1) {
    throw new OAuthError(
      'invalid_target',
      'A token is for one resource: send one resource parameter, and a request per resource.',
    );
  }
  const [[uri, resource] = []] = found;
  if (resource) return resource;
  throw new OAuthError(
    'invalid_target',
    `The resource ${uri} is not registered here. ${whatToSend(enabled)}`,
  );
}

function defaulted(enabled: readonly Resource[], defaultResource: string | undefined): Resource {
  const only = onlyResource(enabled);
  const canonical = defaultResource && canonicalResource(defaultResource);
  const chosen = defaultResource ? canonical && findResource(enabled, canonical) : only;
  if (chosen && chosen.source !== 'builtin') return chosen;
  throw new OAuthError('invalid_target', `resource is missing. ${whatToSend(enabled)}`, {
    detail: defaultResource ? { unknown_default_resource: defaultResource } : undefined,
  });
}

/** The enabled resource where there is but one; the built-in workspace API never counts. */
export function onlyResource(resources: readonly Resource[]): Resource | undefined {
  const candidates = resources.filter(({ enabled, source }) => enabled && source !== 'builtin');
  return candidates.length === 1 ? candidates[0] : undefined;
}

function findResource(resources: readonly Resource[], canonical: string): Resource | undefined {
  return resources.find((resource) => resource.identifiers.includes(canonical));
}

function whatToSend(enabled: readonly Resource[]): string {
  const own = enabled.filter(({ source }) => source !== 'builtin');
  const uris = (own.length > 0 ? own : enabled).map(({ uri }) => uri);
  if (uris.length === 0) return 'No resource is registered at this server yet.';
  const rest = uris.length > listed ? ` (and ${uris.length - listed} more)` : '';
  return `Send resource with one of: ${uris.slice(0, listed).join(' ')}${rest}`;
}

/**
 * Holds a client to the resources that the operator allows it.
 *
 * @throws OAuthError invalid_target naming those it may ask for
 */
function requireAllowedResource(
  resource: Resource,
  client: ClientCeiling | undefined,
  enabled: readonly Resource[],
): void {
  if (mayAskFor(client, resource)) return;
  const allowed = enabled.filter((other) => mayAskFor(client, other));
  const hint =
    allowed.length > 0 ? whatToSend(allowed) : 'It may ask for none that is registered here.';
  throw new OAuthError(
    'invalid_target',
    `This client may not ask for the resource ${resource.uri}. ${hint}`,
  );
}

/** Whether the operator lets a client ask for a resource; without a list it may ask for all. */
export function mayAskFor(client: ClientCeiling | undefined, resource: Resource): boolean {
  if (!client?.resources) return true;
  return client.resources.some((uri) => {
    const canonical = canonicalResource(uri);
    return canonical !== undefined && resource.identifiers.includes(canonical);
  });
}

/** Protected resource metadata (RFC 9728 §2); `resource` is the registered URI, byte for byte. */
export function protectedResourceMetadata(
  resource: Resource,
  issuer: string,
): Record<string, unknown> {
  return {
    resource: resource.uri,
    authorization_servers: [issuer],
    scopes_supported: resource.scopes.map(({ name }) => name),
    bearer_methods_supported: ['header'],
    resource_name: resource.displayName,
    ...(resource.dpop === 'required' ? { dpop_bound_access_tokens_required: true } : {}),
  };
}
