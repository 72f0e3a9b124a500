import type { z } from 'zod';
import type { Clients } from '../clients/index.ts';
import { countGrantsFor } from '../consent/index.ts';
import type { Database } from '../db/index.ts';
import { cutPage, pageCursor } from '../http/index.ts';
import type {
  ListedResource,
  ResourceCheck,
  ResourceEdit,
  ResourceEditing,
} from '../resources/index.ts';
import { resources as contract } from './contract/index.ts';
import type { Precondition } from './precondition.ts';
import { resourceRow, resourceVersion } from './resource-wire.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface ResourceDeps {
  db: Database;
  clients: Pick<Clients, 'find'>;
  resourceEditing: ResourceEditing;
  /** Of this server, under which the metadata of resources is served. */
  issuer: string;
}

/** Most grants of a resource that are counted. */
const mostCounted = 1000;

/** What tokens are for. Resources are few: lists are made in memory. */
export function resourceRoutes(deps: ResourceDeps): ServedRoute[] {
  const { resourceEditing: editing, issuer } = deps;
  return [
    fulfil(contract.list, async ({ query }) => {
      const { items, next_cursor } = page(await editing.list(), query);
      return { items: items.map((row) => resourceRow(row, issuer)), next_cursor };
    }),

    fulfil(contract.get, ({ params: { id } }) => detail(deps, id)),

    fulfil(contract.create, async ({ body }, by) => {
      await editing.create(body, by);
      return detail(deps, body.slug);
    }),

    fulfil(contract.update, async ({ params: { id }, body, precondition }, by) => {
      const edit: ResourceEdit = body;
      if (!(await editing.update(id, edit, by, unlessChanged(precondition)))) throw unknownId();
      return detail(deps, id);
    }),

    fulfil(contract.enable, async ({ params: { id }, body: { reason } }, by) => {
      if (!(await editing.enable(id, by, reason))) throw unknownId();
      return detail(deps, id);
    }),

    fulfil(contract.disable, async ({ params: { id }, body: { reason } }, by) => {
      if (!(await editing.disable(id, by, reason))) throw unknownId();
      return detail(deps, id);
    }),

    fulfil(contract.remove, async ({ params: { id }, precondition }, by) => {
      const ended = await editing.remove(id, by, unlessChanged(precondition));
      if (!ended) throw unknownId();
      return { id, grants: ended.grants, authorizations: ended.families };
    }),
  ];
}

function unlessChanged(precondition: Precondition): ResourceCheck {
  return (resource) => precondition(resourceVersion(resource));
}

async function detail(
  { db, clients, resourceEditing, issuer }: ResourceDeps,
  slug: string,
): Promise<z.input<typeof contract.get.answer>> {
  const row = (await resourceEditing.list()).find((one) => one.slug === slug);
  if (!row) throw unknownId();
  const bound = await Promise.all(row.clients.map((id) => boundClient({ clients }, id)));
  const grants = await countGrantsFor(db.kysely, { resource: row.uri, atMost: mostCounted });
  return { ...resourceRow(row, issuer), bound_clients: bound, grants };
}

async function boundClient({ clients }: Pick<ResourceDeps, 'clients'>, client_id: string) {
  const client = await clients.find(client_id, { refresh: false });
  const client_name = client?.clientName ?? null;
  return { client_id, client_name, status: client?.status ?? ('unknown' as const) };
}

function page(
  rows: readonly ListedResource[],
  query: z.output<typeof contract.list.query>,
): { items: ListedResource[]; next_cursor?: string } {
  const cursors = pageCursor(`resources ${query.sort}`);
  const after = query.cursor === undefined ? undefined : cursors.read(query.cursor).id;
  const up = query.sort === 'slug' ? 1 : -1;
  const order = (a: string, b: string) => (a === b ? 0 : a < b ? -up : up);
  const found = rows
    .filter((row) => isMeant(row, query))
    .toSorted((a, b) => order(a.slug, b.slug))
    .filter(({ slug }) => after === undefined || order(after, slug) < 0);
  const { items, next } = cutPage(found, query.limit, ({ slug: id }) => ({ at: new Date(0), id }));
  return { items, ...(next && { next_cursor: cursors.write(next) }) };
}

function isMeant(
  row: ListedResource,
  { q, enabled, source, client_id: client }: z.output<typeof contract.list.query>,
): boolean {
  if (enabled !== undefined && String(row.enabled) !== enabled) return false;
  if (source !== undefined && row.source !== source) return false;
  if (client !== undefined && !row.clients.includes(client)) return false;
  if (q === undefined) return true;
  const names = [row.slug, row.displayName, ...[row.uri, ...row.aliases].flatMap(spellings)];
  return names.some((name) => name.toLowerCase().startsWith(q.toLowerCase()));
}

/** A URI as a whole and from its host on. */
function spellings(uri: string): string[] {
  return [uri, uri.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')];
}
