import type { Metrics } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import type { GuardedFetch } from '../http/index.ts';
import { createClientCache } from './cache.ts';
import { createClientKeys } from './client-keys.ts';
import { unknownRules } from './compatibility.ts';
import { isDocumentUrl } from './document-url.ts';
import { createDocuments } from './documents.ts';
import { createEditing } from './edit.ts';
import { createLifecycle, type LifecycleDeps } from './lifecycle.ts';
import { type ListedClient, listPage } from './listing.ts';
import { findListed, type ListRequest } from './listing-queries.ts';
import { createManagement } from './manage.ts';
import { createPreregistration } from './preregister.ts';
import { findClient, findFailure } from './queries.ts';
import { createRegistration } from './register.ts';
import { clientOf } from './rows.ts';
import { isClientId, verifySecret } from './secrets.ts';
import type { Client, ClientsConfig, Log } from './types.ts';

const channel = 'clients';
const cacheLifetimeMs = 500;

export interface ClientsDeps {
  db: Database;
  /** Way out to addresses that strangers named. */
  fetch: GuardedFetch;
  /** Way out to addresses that operators named, with limits of its own. */
  operatorFetch: GuardedFetch;
  now: () => Date;
  log: Log;
  /**
   * Ends every token family, artifact and issuance of a client, inside the given transaction; the room
   * that owns those tables gives it.
   */
  endTokensOfClient: LifecycleDeps['endTokensOfClient'];
  metrics?: Pick<Metrics, 'clientDocumentFetched'>;
}

export type Clients = ReturnType<typeof createClients>;

/** Everything about clients, over one database. */
export function createClients(
  { db, fetch, operatorFetch, now, log, endTokensOfClient, metrics }: ClientsDeps,
  config: ClientsConfig,
) {
  const cache = createClientCache(cacheLifetimeMs, now);
  const unknown = unknownRules(config.compatibility.disabled);
  if (unknown.length > 0) log.warn({ unknown }, 'compatibility.disabled names no known rule');

  async function stored(clientId: string, version?: Date): Promise<Client | undefined> {
    return (
      cache.get(clientId, version) ??
      (await cache.fill(clientId, async () => {
        const row = await findClient(db, clientId);
        return row && clientOf(row);
      }))
    );
  }
  async function changed(clientId: string): Promise<void> {
    cache.forget(clientId);
    await db.notify(channel, clientId);
  }

  const documents = createDocuments({ db, fetch, now, log, stored, changed, metrics }, config);
  const { register, issueInitialAccessToken } = createRegistration({ db, now, log }, config);
  const management = createManagement({ db, now, log, changed, endTokensOfClient }, config);
  const lifecycle = createLifecycle({ db, now, changed, endTokensOfClient }, config);

  return {
    /**
     * The client of a client_id, whatever its status, or undefined.
     *
     * @param options `refresh`: true at the authorization and PAR endpoints only, where a metadata
     *   document that is not known or not fresh is fetched (up to `cimd.fetch_timeout`); elsewhere the
     *   stored one answers, at no cost. `version`: when the row last changed, if the caller has just read
     *   that; a client known by it is not read again
     */
    async find(
      clientId: string,
      { refresh, version }: { refresh: boolean; version?: Date | undefined },
    ): Promise<Client | undefined> {
      if (!isClientId(clientId)) return undefined;
      if (!isDocumentUrl(clientId)) return stored(clientId, version);
      return refresh ? documents.current(clientId) : documents.stored(clientId, version);
    },
    keysFor: createClientKeys({ fetch, operatorFetch, now, log }),
    verifySecret,
    register,
    issueInitialAccessToken,
    /** RFC 7592, by the registration access token; see createManagement. */
    management,
    ...createPreregistration({ db, now, changed }, config),
    ...createEditing({ db, now, changed }, config),
    ...lifecycle,
    /** Why the metadata document of a client_id could not be had lately, for operators only. */
    documentFailure: (clientId: string) => findFailure(db, clientId, now()),
    /** The client as it is stored now, for operators; one that nobody can have is no error. */
    async lookUp(clientId: string): Promise<ListedClient | undefined> {
      const row = isClientId(clientId) ? await findListed(db.kysely, clientId) : undefined;
      return row && { ...clientOf(row), grants: row.grants };
    },
    list: (request: ListRequest = {}) => listPage(db, request),
    /** How the cache of clients does, for operators. */
    cacheState: cache.state,
    /** Follows changes made by other replicas. @returns a function that stops it */
    listen: () => db.listen(channel, (clientId) => cache.forget(clientId)),
  };
}
