import { createHash } from 'node:crypto';
import pg from 'pg';

/** The number that Postgres locks for a name. */
export function lockKey(name: string): string {
  return createHash('sha256').update(`authserver:${name}`).digest().readBigInt64BE().toString();
}

/** Session-level lock on a connection of its own, so that waiting for it never drains the pool. */
export async function withAdvisoryLock<T>(
  settings: pg.PoolConfig,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ ...settings, statement_timeout: 0, query_timeout: 0 });
  client.on('error', () => {}); // the awaited query reports it
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [lockKey(name)]);
    return await work();
  } finally {
    await client.end(); // ends the session and with it the lock
  }
}

/**
 * Locks that are taken only where they are free, all on one connection that stays open: jobs ask every few
 * seconds. When it breaks, its locks are free, and the next question opens another.
 */
export function createLockSession(settings: pg.PoolConfig) {
  const held = new Set<string>();
  let session: Promise<pg.Client> | undefined;

  function open(): Promise<pg.Client> {
    if (session) return session;
    const client = new pg.Client(settings);
    const opening = client.connect().then(() => client);
    const forget = () => {
      if (session === opening) session = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    opening.catch(forget);
    session = opening;
    return opening;
  }

  return {
    async tryLock<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
      if (held.has(name)) return undefined; // one session may take a lock twice
      held.add(name);
      try {
        const client = await open();
        const key = [lockKey(`try:${name}`)];
        const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS taken', key);
        if (rows[0]?.taken !== true) return undefined;
        try {
          return await work();
        } finally {
          await client.query('SELECT pg_advisory_unlock($1)', key).catch(() => {}); // broken: it is free
        }
      } finally {
        held.delete(name);
      }
    },
    async close(): Promise<void> {
      const client = await session?.catch(() => undefined);
      await client?.end();
    },
  };
}
