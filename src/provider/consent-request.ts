import type { Membership, User } from '../accounts/index.ts';
import type { Client } from '../clients/index.ts';
import { type Fields, multiple, single } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { chooseScopes, type Resource } from '../resources/index.ts';
import type { ProviderDeps } from './deps.ts';
import { type Interaction, otherPerson } from './interaction.ts';

/** A workspace that somebody may grant, and what of the request they may grant in it. */
export interface OfferedWorkspace extends Membership {
  scopes: string[];
}

/** Who asks whom for what. */
export interface ConsentRequest {
  user: User;
  client: Client;
  resource: Resource;
  /** What this person may grant of what was asked; in some workspace at least. */
  offered: string[];
  /** Where the resource is workspace-scoped: one is granted. */
  workspaces?: OfferedWorkspace[];
}

/** What the form says: scopes, and the workspace where one has to be chosen. */
export interface ConsentAnswer {
  scopes: string[];
  /** What the page offered for that workspace. */
  offered: string[];
  workspace?: OfferedWorkspace | undefined;
}

export type AnswerProblem = 'no-scope' | 'no-workspace' | 'not-in-workspace';

/**
 * @returns the request, or the error that the client gets when this person may grant nothing of it
 * @throws OAuthError when it is not the person's own interaction, or its client is gone
 */
export async function consentRequestOf(
  deps: ProviderDeps,
  { stored, session, params }: Interaction,
): Promise<ConsentRequest | OAuthError> {
  // Attack: somebody else's interaction, finished under my own session.
  if (!session || stored.session?.accountId !== session.userId) throw otherPerson();
  const [user, client] = await Promise.all([
    deps.accounts.find(session.userId),
    deps.clients.find(params.clientId, { refresh: false }),
  ]);
  const resource = deps.resources.resolve(params.resource);
  if (!user || !client || !resource) {
    throw new OAuthError(
      'invalid_request',
      'The app or the server it asked for is gone. Start again from the app.',
    );
  }
  try {
    const asked = { requested: params.scope, resource, client, user };
    return { user, client, resource, ...(await offerOf(deps, asked)) };
  } catch (error) {
    if (error instanceof OAuthError)
      return new OAuthError('access_denied', error.description, { cause: error });
    throw error;
  }
}

interface Asked {
  requested: string;
  resource: Resource;
  client: Client;
  user: User;
}

async function offerOf(
  deps: ProviderDeps,
  asked: Asked,
): Promise<Pick<ConsentRequest, 'offered' | 'workspaces'>> {
  const { resource, user } = asked;
  if (!resource.workspaceScoped) return { offered: grantable(deps, asked) };
  const memberships = await deps.workspaces.membershipsOf(user.id);
  if (memberships.length === 0) {
    throw new OAuthError(
      'access_denied',
      `${resource.uri} is used in a workspace, and the person who signed in is a member of none. The operator of the server decides who is.`,
    );
  }
  // Nothing in any of them is refused with the reason.
  const offered = grantable(deps, asked, memberships);
  const workspaces = memberships.map((one) => ({
    ...one,
    scopes: grantableOrNothing(deps, asked, one),
  }));
  return { offered, workspaces: workspaces.filter(({ scopes }) => scopes.length > 0) };
}

/** Of what is asked, what a person may grant in these workspaces. @throws OAuthError invalid_scope for nothing */
function grantable({ config }: ProviderDeps, asked: Asked, memberships?: Membership[]): string[] {
  const workspaceRoles = memberships?.map(({ role }) => role);
  const user = { ...asked.user, workspaceRoles };
  return chooseScopes({ ...asked, user, requireScope: config.oauth.require_scope }).scopes;
}

/** The same for one workspace; nothing where there is nothing. */
export function grantableOrNothing(
  deps: ProviderDeps,
  asked: Asked,
  membership?: Membership,
): string[] {
  try {
    return grantable(deps, asked, membership && [membership]);
  } catch (error) {
    if (error instanceof OAuthError) return []; // the consent page says so to the client
    throw error;
  }
}

/**
 * Reads the form. What was not offered counts as not sent. Attack: a scope or a workspace that the page did
 * not show, posted by hand.
 */
export function answerOf(
  { offered, workspaces }: ConsentRequest,
  form: Fields,
): ConsentAnswer | { problem: AnswerProblem; kept: ConsentKept } {
  const ticked = multiple(form, 'scope').filter((scope) => offered.includes(scope));
  const scopes = [...new Set(ticked)];
  const workspace = workspaces?.find(({ id }) => id === single(form, 'workspace'));
  const kept = { scopes, workspaceId: workspace?.id };
  if (scopes.length === 0) return { problem: 'no-scope', kept: { ...kept, scopes: offered } };
  if (!workspaces) return { scopes, offered };
  if (!workspace) return { problem: 'no-workspace', kept };
  const allowed = scopes.filter((scope) => workspace.scopes.includes(scope));
  if (allowed.length === 0) return { problem: 'not-in-workspace', kept };
  return { scopes: allowed, offered: workspace.scopes, workspace };
}

/** What a form that is shown again still says. */
export interface ConsentKept {
  scopes: readonly string[];
  workspaceId?: string | undefined;
}

/** The radios of the consent page: the only one is chosen, of several none. */
export function workspaceChoices(
  { offered, workspaces }: ConsentRequest,
  kept: ConsentKept | undefined,
) {
  return workspaces?.map(({ id, slug, name, scopes }) => ({
    ...{ id, name },
    detail: scopes.length < offered.length ? `${slug}, only ${scopes.join(' ')}` : slug,
    checked: workspaces.length === 1 || id === kept?.workspaceId,
  }));
}
