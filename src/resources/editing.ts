import { type Actor, type AuditEvent, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import {
  decideEdit,
  decideResource,
  type ResourceAction,
  type ResourceEdit,
  requireEditable,
  requireUnlike,
  type WrittenResource,
} from './edit-policy.ts';
import {
  announceResources,
  deleteResource,
  insertResource,
  type StoredResource,
  selectResources,
  setEnabled,
  updateResource,
} from './queries.ts';
import { opened, sealed } from './reconcile.ts';
import { changesBetween, type DeclaredColumns, type ResourceRow } from './reconcile-policy.ts';
import type { Resources } from './registry.ts';
import { type Resource, toResource } from './resource.ts';

type Trx = Parameters<typeof selectResources>[0];

/** A resource with the times of its row. */
export interface ListedResource extends Resource {
  createdAt: Date;
  updatedAt: Date;
}

/** Judges a resource that is about to be changed, such as that it is the one that was read. */
export type ResourceCheck = (resource: ListedResource) => void;

/** Who does it, and from where. */
export interface ResourceBy {
  actor: Actor;
  meta: AuditMeta;
}

/** What ended just now. */
export interface EndedWithResource {
  grants: number;
  /** Token families. */
  families: number;
}

export interface ResourceEditingDeps {
  db: Database;
  /** Seals the secrets of claims hooks. */
  box: SecretBox;
  now: () => Date;
  resources: Pick<Resources, 'reload'>;
  /** Ends every grant and token for a resource; the rooms that own those tables give it. */
  endTokensOfResource: (trx: Trx, uri: string, now: Date) => Promise<EndedWithResource>;
}

export type ResourceEditing = ReturnType<typeof createResourceEditing>;

/** One change at a time: what it sees of the other resources is what is there when it is written. */
interface Change {
  trx: Trx;
  rows: StoredResource[];
  now: Date;
}

interface Switched {
  actor: Actor;
  resource: string;
  detail: { slug: string; reason?: string | undefined };
}

/** What operators do to resources. Each change is audited, and every replica reads the table again. */
export function createResourceEditing(deps: ResourceEditingDeps) {
  const { db, box } = deps;

  async function change<T>(work: (change: Change) => Promise<T>): Promise<T> {
    const result = await db.withLock('reconcile_resources', () =>
      db.kysely.transaction().execute(async (trx) => {
        const done = await work({ trx, rows: await selectResources(trx), now: deps.now() });
        await announceResources(trx);
        return done;
      }),
    );
    await deps.resources.reload();
    return result;
  }

  /** Does something to the resource of a slug. @returns undefined where there is none */
  function changeOne<T>(
    slug: string,
    action: ResourceAction,
    work: (row: StoredResource, change: Change) => Promise<T>,
  ): Promise<T | undefined> {
    return change(async (all) => {
      const row = all.rows.find((one) => one.slug === slug);
      if (!row) return undefined;
      requireEditable(row, action);
      return work(row, all);
    });
  }

  async function list(): Promise<ListedResource[]> {
    return (await selectResources(db.kysely)).map(listed);
  }

  function create(written: WrittenResource, { actor, meta }: ResourceBy): Promise<void> {
    const columns = decideResource(written);
    const { uri, slug, token_format } = columns;
    return change(async ({ trx, rows, now }) => {
      requireUnlike([...rows, columns]);
      await insertResource(trx, sealed(box, columns), { source: 'admin', now });
      const scopes = columns.scopes.map(({ name }) => name);
      const detail = { slug, scopes, source: 'admin', token_format };
      await recordAudit(trx, { type: 'resource_created', actor, resource: uri, detail }, meta);
    });
  }

  /** @returns whether there is such a resource */
  async function update(
    slug: string,
    edit: ResourceEdit | ((row: ResourceRow) => ResourceEdit),
    by: ResourceBy,
    check: ResourceCheck = () => {},
  ): Promise<boolean> {
    const found = await changeOne(slug, 'edit', async (row, { trx, rows, now }) => {
      check(listed(row));
      const before = opened(box, row);
      const columns = decideEdit(before, typeof edit === 'function' ? edit(before) : edit);
      requireUnlike([...rows.filter((one) => one !== row), columns]);
      await store(trx, before, columns, { ...by, now });
      return true;
    });
    return found ?? false;
  }

  async function store(
    trx: Trx,
    before: ResourceRow,
    columns: DeclaredColumns,
    { actor, meta, now }: ResourceBy & { now: Date },
  ): Promise<void> {
    const changes = changesBetween(before, columns);
    if (changes.length === 0) return;
    const { uri, slug } = before;
    await updateResource(trx, { uri, columns: sealed(box, columns) }, now);
    const detail = { slug, changes };
    await recordAudit(trx, { type: 'resource_updated', actor, resource: uri, detail }, meta);
  }

  function turn(enabled: boolean, eventOf: (switched: Switched) => AuditEvent) {
    return async (slug: string, { actor, meta }: ResourceBy, reason?: string): Promise<boolean> => {
      const found = await changeOne(slug, 'switch', async (row, { trx, now }) => {
        if (row.enabled === enabled) return true;
        await setEnabled(trx, { uri: row.uri, enabled }, now);
        const event = eventOf({ actor, resource: row.uri, detail: { slug, reason } });
        await recordAudit(trx, event, meta);
        return true;
      });
      return found ?? false;
    };
  }

  /** @returns what ended with it; undefined where there is no such resource */
  function remove(
    slug: string,
    { actor, meta }: ResourceBy,
    check: ResourceCheck = () => {},
  ): Promise<EndedWithResource | undefined> {
    return changeOne(slug, 'remove', async (row, { trx, now }) => {
      check(listed(row));
      const ended = await deps.endTokensOfResource(trx, row.uri, now);
      await deleteResource(trx, row.uri);
      const event = { actor, resource: row.uri, detail: { slug, ...ended } };
      await recordAudit(trx, { type: 'resource_removed', ...event }, meta);
      return ended;
    });
  }

  return {
    /** Every resource as it is stored now, oldest first. */
    list,
    /** Registers a resource. @throws OAuthError invalid_request, 409 where it would be taken for another */
    create,
    /** Changes a resource that was registered by an operator; see {@link decideEdit}. @throws OAuthError */
    update,
    enable: turn(true, (switched) => ({ type: 'resource_enabled', ...switched })),
    disable: turn(false, (switched) => ({ type: 'resource_disabled', ...switched })),
    remove,
    /** Lets clients name a resource by one more URI. */
    addAlias: (slug: string, alias: string, by: ResourceBy) =>
      update(slug, ({ aliases }) => ({ aliases: [...new Set([...aliases, alias])] }), by),
    /** Lets clients ask for one more scope. */
    addScope: (slug: string, scope: { name: string; description?: string }, by: ResourceBy) =>
      update(slug, ({ scopes }) => ({ scopes: withScope(scopes, scope) }), by),
  };
}

function withScope(scopes: ResourceRow['scopes'], scope: { name: string; description?: string }) {
  return scopes.some(({ name }) => name === scope.name) ? scopes : [...scopes, scope];
}

function listed(row: StoredResource): ListedResource {
  return { ...toResource(row), createdAt: row.created_at, updatedAt: row.updated_at };
}
