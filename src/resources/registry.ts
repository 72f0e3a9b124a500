import type { BaseLogger } from 'pino';
import type { AuditMeta } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { canonicalResource } from '../oauth/index.ts';
import { resourcesChannel, selectResources } from './queries.ts';
import { type ResourcesReport, reconcileResources } from './reconcile.ts';
import type { DeclaredResource } from './reconcile-policy.ts';
import { type Resource, toResource } from './resource.ts';

export interface ResourcesDeps {
  db: Database;
  /** Seals the secrets of claims hooks. */
  box: SecretBox;
  now: () => Date;
  log: Pick<BaseLogger, 'error'>;
}

/** The registered resources, in memory, the same on every replica. */
export interface Resources {
  /** All of them, disabled ones too, oldest first. */
  all(): Resource[];
  /** The enabled resource of a URI or alias in any spelling. */
  resolve(uri: string): Resource | undefined;
  /** The enabled resource with this short name. */
  bySlug(slug: string): Resource | undefined;
  /** The enabled resource whose URI has this path, where exactly one has it. */
  byPath(path: string): Resource | undefined;
  /** Reads the table again. */
  reload(): Promise<void>;
  /** See {@link reconcileResources}; then reloads. */
  reconcile(
    declared: readonly DeclaredResource[],
    meta: AuditMeta,
    builtin?: DeclaredResource,
  ): Promise<ResourcesReport>;
  /** Calls back when what is registered changed; returns the function that stops it. */
  onChange(listener: () => void): () => void;
  /** Call it before the database is closed. */
  close(): Promise<void>;
}

/** Loads the registered resources and follows changes that this or another replica makes. */
export async function createResources({ db, box, now, log }: ResourcesDeps): Promise<Resources> {
  const listeners = new Set<() => void>();
  let snapshot: Resource[] = [];
  let known = new Map<string, Resource>();
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  /** One after the other: an older read must not overwrite a newer one. */
  function reload(): Promise<void> {
    const result = queue.then(read);
    queue = result.catch(() => {});
    return result;
  }

  async function read(): Promise<void> {
    if (closed) return;
    const fresh = (await selectResources(db.kysely)).map(toResource);
    const changed = JSON.stringify(fresh) !== JSON.stringify(snapshot);
    if (!changed) return;
    snapshot = fresh;
    known = new Map(
      enabled().flatMap((one) => one.identifiers.map((id): [string, Resource] => [id, one])),
    );
    for (const listener of listeners) listener();
  }

  const enabled = () => snapshot.filter((resource) => resource.enabled);

  const stopListening = await db.listen(resourcesChannel, () => {
    reload().catch((err) => log.error({ err }, 'the resources could not be read again'));
  });
  await reload();
  return {
    all: () => [...snapshot],
    resolve(uri) {
      const canonical = canonicalResource(uri);
      return canonical === undefined ? undefined : known.get(canonical);
    },
    bySlug: (slug) => enabled().find((resource) => resource.slug === slug),
    byPath(path) {
      const wanted = pathOf(path);
      const found = enabled().filter((resource) => pathOf(resource.uri) === wanted);
      return found.length === 1 ? found[0] : undefined;
    },
    reload,
    async reconcile(declared, meta, builtin) {
      const report = await reconcileResources({ db, box, now }, declared, meta, builtin);
      await reload();
      return report;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      await stopListening();
      await queue;
    },
  };
}

/** Path of a URI, or of a path itself, without query and one terminating slash. */
function pathOf(uri: string): string {
  const path = uri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, '').replace(/\?.*$/s, '');
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
