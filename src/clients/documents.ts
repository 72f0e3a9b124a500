import CachePolicy from 'http-cache-semantics';
import type { Insertable } from 'kysely';
import { type Metrics, recordAudit } from '../audit/index.ts';
import type { ClientsTable, Database } from '../db/index.ts';
import {
  currentTraceId,
  type Fetched,
  type GuardedFetch,
  GuardedFetchError,
} from '../http/index.ts';
import { metadataChanges } from './changes.ts';
import { logRules } from './compatibility.ts';
import { checkClientIdUrl, isHostAllowed } from './document-url.ts';
import { type Decision, decideDocument } from './policy.ts';
import {
  deleteFailure,
  findFailure,
  insertClient,
  lockClient,
  recordFailure,
  updateClient,
} from './queries.ts';
import { recordRegistered } from './registered.ts';
import { clientOf } from './rows.ts';
import { clientDigest } from './secrets.ts';
import type { By, Client, ClientsConfig, Log } from './types.ts';

const minute = 60_000;
const shortestFreshness = minute;
/** After a failure the same document is not asked for again for this long, by any replica. */
const pauseAfterFailure = minute;
/** How long a stored document stands in for one that cannot be had (RFC 5861 §4). */
const staleIfError = 24 * 60 * minute;

export interface DocumentDeps {
  db: Database;
  fetch: GuardedFetch;
  now: () => Date;
  log: Log;
  /** The client's row as it is stored. */
  stored: (clientId: string, version?: Date) => Promise<Client | undefined>;
  /** Forgets a client everywhere, because its row changed. */
  changed: (clientId: string) => Promise<void>;
  /** Hears how each look-up at the authorization endpoint ended. */
  metrics?: Pick<Metrics, 'clientDocumentFetched'> | undefined;
}

/**
 * Client ID metadata documents (CIMD draft-02): one row per client_id is the cache of all replicas.
 *
 * `stored` answers the stored document, for the token endpoint and introspection; `current` is for the
 * authorization endpoint, where a document that is no longer fresh is fetched again, once at a time per
 * process. What cannot be had or is not valid is `undefined`, whatever the reason, which is logged; then
 * it is left alone for a minute. That pause is not a cache of the answer (which draft-02 §5.2 forbids)
 * but a limit on what strangers make us fetch.
 */
export function createDocuments(deps: DocumentDeps, config: ClientsConfig) {
  const underWay = new Map<string, Promise<Client | undefined>>();

  /** The host of a usable client_id; undefined where the operator or the draft does not want it. */
  function hostOf(clientId: string): string | undefined {
    if (!config.cimd.enabled) return undefined;
    const checked = checkClientIdUrl(clientId);
    if (checked.ok && isHostAllowed(checked.host, config.cimd)) return checked.host;
    const reason = checked.ok ? 'host not allowed' : checked.problem;
    deps.log.info({ client_id: clientId.slice(0, 200), reason }, 'client_id URL refused');
    return undefined;
  }

  function refreshed(clientId: string, host: string, known: Client | undefined) {
    const running = underWay.get(clientId);
    if (running) return running;
    const fetching = refresh(deps, config, { clientId, host, known }).finally(() =>
      underWay.delete(clientId),
    );
    underWay.set(clientId, fetching);
    return fetching;
  }

  return {
    async stored(clientId: string, version?: Date): Promise<Client | undefined> {
      return hostOf(clientId) === undefined ? undefined : deps.stored(clientId, version);
    },
    async current(clientId: string): Promise<Client | undefined> {
      const host = hostOf(clientId);
      if (host === undefined) return undefined;
      const known = await deps.stored(clientId);
      if (known && !needsRefresh(known, deps.now())) {
        deps.metrics?.clientDocumentFetched('cached');
        return known;
      }
      return refreshed(clientId, host, known);
    },
  };
}

/** A suspended client is never fetched again: nothing that its host says may change its row. */
function needsRefresh(client: Client, now: Date): boolean {
  if (client.kind !== 'cimd' || client.status === 'suspended') return false;
  return client.documentExpiresAt === undefined || client.documentExpiresAt <= now;
}

interface Asked {
  clientId: string;
  host: string;
  known: Client | undefined;
}

async function refresh(deps: DocumentDeps, config: ClientsConfig, asked: Asked) {
  const { clientId, known } = asked;
  const paused = await findFailure(deps.db, clientId, deps.now());
  if (paused !== undefined) {
    deps.metrics?.clientDocumentFetched('failed_cached');
    return isTransient(paused) ? standIn(known, deps.now()) : undefined;
  }
  try {
    const read = (json: unknown) => decideDocument(clientId, json, config);
    const fetched = await deps.fetch(clientId, { read });
    await store(deps, config, asked, fetched);
    deps.metrics?.clientDocumentFetched('fetched');
    logRules(deps.log, { clientId, rules: fetched.json.rules });
    await deps.changed(clientId);
    return await deps.stored(clientId);
  } catch (error) {
    if (!(error instanceof GuardedFetchError)) throw error;
    deps.metrics?.clientDocumentFetched('failed');
    return failed(deps, asked, error);
  }
}

async function failed(
  deps: DocumentDeps,
  { clientId, host, known }: Asked,
  error: GuardedFetchError,
) {
  const now = deps.now();
  const { reason } = error;
  const transience = transienceOf(reason);
  const fallback = transience === 'lasting' ? undefined : standIn(known, now);
  // `reason.code` would be taken for a secret code and blotted out.
  const { kind, ...particulars } = reason;
  const why = [kind, ...Object.values(particulars)].join(' ');
  deps.log.warn(
    {
      client_id: clientId,
      reason: why,
      trace_id: currentTraceId(),
      stored_copy_used: fallback !== undefined,
    },
    'client metadata document not usable',
  );
  // "busy" speaks of us, not of the host: others must not lock a client out by making us busy.
  if (reason.kind !== 'busy') {
    const retryAfter = new Date(now.getTime() + pauseAfterFailure);
    await recordFailure(deps.db.kysely, {
      clientId,
      host,
      reason: `${transience}: ${reason.kind}`,
      retryAfter,
    });
  }
  return fallback;
}

/** Whether the host could not say, or has said that there is no such (valid) document any more. */
function transienceOf(reason: GuardedFetchError['reason']): 'transient' | 'lasting' {
  const { kind } = reason;
  if (kind === 'status')
    return reason.status >= 500 || reason.status === 429 ? 'transient' : 'lasting';
  const network = ['dns', 'connect', 'tls', 'timeout', 'busy'];
  return network.includes(kind) ? 'transient' : 'lasting';
}

const isTransient = (recorded: string) => recorded.startsWith('transient');

function standIn(known: Client | undefined, now: Date): Client | undefined {
  const fetchedAt = known?.documentFetchedAt?.getTime();
  if (fetchedAt === undefined || now.getTime() - fetchedAt > staleIfError) return undefined;
  return known;
}

async function store(
  { db }: DocumentDeps,
  config: ClientsConfig,
  { clientId, host }: Asked,
  { json: decision, headers, fetchedAt }: Fetched<Decision>,
): Promise<void> {
  const columns = {
    client_name: decision.metadata.client_name ?? null,
    metadata: JSON.stringify(decision.metadata),
    rules: decision.rules,
    document_host: host,
    document_fetched_at: fetchedAt,
    document_expires_at: new Date(fetchedAt.getTime() + freshness(headers, config.cimd.cache_ttl)),
    document_etag: headers.etag?.slice(0, 200) ?? null,
    updated_at: fetchedAt,
  };
  await db.kysely.transaction().execute(async (trx) => {
    const row = {
      client_id: clientId,
      kind: 'cimd',
      source: 'document',
      created_at: fetchedAt,
      ...columns,
    } satisfies Insertable<ClientsTable>;
    await deleteFailure(trx, clientId);
    if (await insertClient(trx, row)) {
      const by: By = { actor: { kind: 'system' }, meta: { at: fetchedAt } };
      const found = { clientId, kind: 'cimd', source: 'document', decision } as const;
      return recordRegistered(trx, found, by);
    }
    const before = await lockClient(trx, clientId);
    if (before?.kind !== 'cimd' || before.status === 'suspended') return;
    await updateClient(trx, clientId, columns);
    await recordChange(trx, clientOf(before), decision, fetchedAt);
  });
}

type Trx = Parameters<typeof recordAudit>[0];

async function recordChange(trx: Trx, before: Client, { metadata }: Decision, at: Date) {
  if (before.digest === clientDigest(metadata)) return;
  await recordAudit(
    trx,
    {
      type: 'client_document_changed',
      actor: { kind: 'system' },
      clientId: before.clientId,
      detail: { changes: metadataChanges(before.metadata, metadata) },
    },
    { at },
  );
}

/**
 * Milliseconds that a document counts as fresh (RFC 9111, as a shared cache): what its headers say, but at
 * least a minute and at most `longest` seconds; where they say nothing, the longest.
 */
export function freshness(headers: Record<string, string>, longest: number): number {
  const most = Math.max(shortestFreshness, longest * 1000);
  if (headers['cache-control'] === undefined && headers.expires === undefined) return most;
  const policy = new CachePolicy(
    { url: '/', method: 'GET', headers: {} },
    { status: 200, headers },
    { shared: true },
  );
  return Math.min(most, Math.max(shortestFreshness, policy.timeToLive()));
}
