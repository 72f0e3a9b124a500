import type { Client } from './types.ts';

const mostClients = 2000;

/**
 * Clients that were read before. Only a saving of reads: an entry is good for half a second, so that
 * a suspension is seen everywhere within a second even where the notification of it is lost, or for as
 * long as the caller knows that the row has not changed. The statement that issues a token asks the
 * database again anyway.
 */
export function createClientCache(lifetimeMs: number, now: () => Date) {
  const entries = new Map<string, { client: Client; until: number }>();
  let generation = 0;
  let hits = 0;
  let misses = 0;

  function look(clientId: string, version: Date | undefined): Client | undefined {
    const entry = entries.get(clientId);
    if (!entry) return undefined;
    if (version) return isVersion(entry.client, version) ? entry.client : undefined;
    return entry.until > now().getTime() ? entry.client : undefined;
  }

  return {
    /** @param version when the row last changed, from a statement that ran just now */
    get(clientId: string, version?: Date): Client | undefined {
      const found = look(clientId, version);
      if (found) hits += 1;
      else misses += 1;
      return found;
    },
    /** How it does, since the start of this process. */
    state: () => ({ size: entries.size, limit: mostClients, hits, misses }),
    /** Reads a client into the cache, unless something was forgotten while it was being read. */
    async fill(clientId: string, read: () => Promise<Client | undefined>) {
      const before = generation;
      const client = await read();
      if (client && generation === before) {
        entries.set(clientId, { client, until: now().getTime() + lifetimeMs });
        const [oldest] = entries.keys();
        if (entries.size > mostClients && oldest !== undefined) entries.delete(oldest);
      }
      return client;
    },
    /** @param clientId all clients where it is empty, as after a lost connection */
    forget(clientId: string): void {
      generation += 1;
      if (clientId === '') entries.clear();
      else entries.delete(clientId);
    },
  };
}

function isVersion({ updatedAt }: Client, version: Date): boolean {
  return updatedAt.getTime() === version.getTime();
}
