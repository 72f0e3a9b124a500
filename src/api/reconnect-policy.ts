import { OAuthError } from '../oauth/index.ts';
import type { Resource } from '../resources/index.ts';

/** How long a link works, in milliseconds. */
export const linkLife = 10 * 60_000;

/** Links that a client may ask for one workspace within {@link linkLife}. */
export const mostLinks = 20;

/** The resource servers that a client is: workspace-scoped resources that name it among their clients. */
export function servedBy(clientId: string, resources: readonly Resource[]): Resource[] {
  return resources.filter((resource) => mayOpen(clientId, resource));
}

/** Whether a link of this client for this resource may be opened now. */
export function mayOpen(clientId: string, resource: Resource | undefined): resource is Resource {
  return Boolean(
    resource?.enabled && resource.workspaceScoped && resource.clients.includes(clientId),
  );
}

/**
 * Which resource a link is for.
 *
 * @param asked the resource of the registry that was named, if one was: `unknown` where there is none
 * @throws OAuthError access_denied for who is no such resource server; invalid_target where it has to choose
 */
export function chooseServed(
  served: readonly Resource[],
  asked: Resource | 'unknown' | undefined,
): Resource {
  const [only, ...more] = served;
  if (!only) {
    throw new OAuthError(
      'access_denied',
      'This client is the resource server of no resource with workspaces. An operator lists it in the clients of the resource.',
      { status: 403 },
    );
  }
  const chosen = asked === undefined && more.length === 0 ? only : asked;
  const found = served.find((resource) => resource === chosen);
  if (found) return found;
  const uris = served.map(({ uri }) => uri).join(' ');
  throw new OAuthError(
    'invalid_target',
    asked === undefined
      ? `This client is several resource servers. Send resource with one of: ${uris}`
      : `This client is not the resource server of that resource. Send resource with one of: ${uris}`,
  );
}

/**
 * Holds a client to its share for one workspace.
 *
 * @param made when the links were made that it asked for within {@link linkLife}, oldest first
 * @throws OAuthError temporarily_unavailable 429 with Retry-After
 */
export function checkShare(made: readonly Date[], now: Date): void {
  const oldest = made[made.length - mostLinks];
  if (!oldest) return;
  const wait = Math.max(1, Math.ceil((oldest.getTime() + linkLife - now.getTime()) / 1000));
  throw new OAuthError(
    'temporarily_unavailable',
    `Too many reconnect links were asked for this workspace. Wait ${wait} s and try again.`,
    { status: 429, headers: { 'Retry-After': String(wait) } },
  );
}

/**
 * Who may open a link: the person that it is for; one that names nobody is for admins of the workspace.
 *
 * @param role what they are in the workspace now; undefined for who is no member
 */
export function isFor(
  link: { user_id: string | null },
  person: { id: string; role: 'member' | 'admin' | undefined },
): boolean {
  if (person.role === undefined) return false;
  return link.user_id === null ? person.role === 'admin' : link.user_id === person.id;
}
