import type { Clients } from '../clients/index.ts';
import { type Fix, type FixKind, fixesOf, type ListedFlow, questionOf } from '../flows/index.ts';
import { OAuthError, parseScope } from '../oauth/index.ts';
import type { ResourceEditing, Resources } from '../resources/index.ts';
import type { By } from './caller.ts';

export interface FlowFixDeps {
  clients: Pick<Clients, 'lookUp' | 'update' | 'resume'>;
  resources: Pick<Resources, 'all'>;
  resourceEditing: Pick<ResourceEditing, 'addAlias' | 'addScope' | 'enable'>;
}

/** What would let the next attempt like this one go further, as things are now. */
export async function currentFixes(
  { clients, resources }: FlowFixDeps,
  flow: ListedFlow,
): Promise<Fix[]> {
  const client = flow.client_id === null ? undefined : await clients.lookUp(flow.client_id);
  return fixesOf(questionOf(flow, { client, resources: resources.all() }));
}

/**
 * Makes one of these changes, by the very use case of its noun, which judges and audits it.
 *
 * @throws OAuthError invalid_request 409 where it is not among them any more or cannot be made here
 */
export async function applyFix(
  deps: FlowFixDeps,
  flow: ListedFlow,
  { id, by }: { id: string; by: By },
): Promise<void> {
  const fix = (await currentFixes(deps, flow)).find((one) => one.id === id);
  if (!fix) throw conflict('This does not fix the flow as things are now. Read it again.');
  if (fix.blocked !== null) throw conflict(fix.blocked);
  await changes[fix.kind](deps, fix, by);
}

type Change = (deps: FlowFixDeps, fix: Fix, by: By) => Promise<unknown>;

const changes: Record<FixKind, Change> = {
  add_alias: (deps, fix, by) => deps.resourceEditing.addAlias(slugOf(deps, fix), value(fix), by),
  add_scope: (deps, fix, by) => {
    const scope = { name: value(fix), description: value(fix) };
    return deps.resourceEditing.addScope(slugOf(deps, fix), scope, by);
  },
  enable_resource: (deps, fix, by) => deps.resourceEditing.enable(slugOf(deps, fix), by),
  resume_client: ({ clients }, { target }, by) => clients.resume(target, by),
  async allow_resource({ clients }, fix, by) {
    const { resources = [] } = (await clients.lookUp(fix.target)) ?? {};
    return clients.update(fix.target, { resources: [...resources, value(fix)] }, by);
  },
  async allow_scope({ clients }, fix, by) {
    const ceiling = parseScope((await clients.lookUp(fix.target))?.scope);
    const scope = [...new Set([...ceiling, ...parseScope(value(fix))])].join(' ');
    return clients.update(fix.target, { scope }, by);
  },
  async allow_redirect({ clients }, fix, by) {
    const { redirect_uris = [] } = (await clients.lookUp(fix.target))?.metadata ?? {};
    return clients.update(fix.target, { redirect_uris: [...redirect_uris, value(fix)] }, by);
  },
};

function slugOf({ resources }: FlowFixDeps, { target }: Fix): string {
  return resources.all().find(({ uri }) => uri === target)?.slug ?? '';
}

function value(fix: Fix): string {
  return fix.value ?? '';
}

function conflict(description: string): OAuthError {
  return new OAuthError('invalid_request', description, { status: 409 });
}
