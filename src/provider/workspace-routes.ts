import type Router from '@koa/router';
import type { ProviderDeps } from './deps.ts';
import { invitations } from './invitations.ts';
import type { LiveProvider } from './provider.ts';
import { workspaceConnectors } from './workspace-connectors.ts';
import { workspacePages } from './workspace-pages.ts';
import { workspacePeople } from './workspace-people.ts';

/** Mounts the pages of workspaces and of invitations to them. */
export function mountWorkspacePages(router: Router, deps: ProviderDeps, live: LiveProvider): void {
  const pages = workspacePages(deps, live);
  const people = workspacePeople(deps, pages);
  const connectors = workspaceConnectors(deps, pages);
  const invited = invitations(deps, live);
  const one = '/account/workspaces/:workspace';

  router.get('/account/workspaces', pages.list);
  router.get(one, pages.show);
  router.post(`${one}/members/role`, people.changeRole);
  router.get(`${one}/members/:user/remove`, people.askToRemove);
  router.post(`${one}/members/remove`, people.remove);
  router.get(`${one}/leave`, people.askToLeave);
  router.post(`${one}/leave`, people.leave);
  router.post(`${one}/invitations`, people.invite);
  router.post(`${one}/invitations/revoke`, people.revokeInvitation);
  router.post(`${one}/connectors/revoke`, connectors.disconnect);
  router.post(`${one}/credentials/revoke`, connectors.revoke);
  router.post(`${one}/credentials/env`, connectors.download);
  router.get(`${one}/credentials/:resource`, connectors.askToRegenerate);
  router.post(`${one}/credentials/:resource`, connectors.regenerate);
  router.get(`${one}/credentials/:resource/revoke`, connectors.askToRevoke);
  router.get('/account/invitations/:token', invited.show);
  router.post('/account/invitations/:token', invited.submit);
}
