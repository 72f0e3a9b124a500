import type { Logger } from 'pino';
import type { Accounts } from './accounts/index.ts';
import { ensureAuditPartitions } from './audit/index.ts';
import type { Clients } from './clients/index.ts';
import type { Config } from './config/index.ts';
import type { Database } from './db/index.ts';
import type { Keys } from './keys/index.ts';
import type { Tokens } from './tokens/index.ts';

interface JobDeps {
  db: Database;
  keys: Keys;
  accounts: Accounts;
  clients: Clients;
  tokens: Tokens;
  config: Config;
  now: () => Date;
  log: Logger;
}

const tick = 30_000; // milliseconds: key rotation is noticed, overlap windows are closed
const sweepEvery = 10 * 60_000;
const batch = 1000;

/** Work that the clock starts. @returns a function that stops it and waits for what is running */
export function startJobs(deps: JobDeps): () => Promise<void> {
  const { keys, tokens, config, now, log } = deps;
  let running: Promise<void> = Promise.resolve();
  let lastSweep = now().getTime();

  async function work(): Promise<void> {
    const at = now();
    await keys.tick(at);
    await tokens.sweep.closeOverlaps(new Date(at.getTime() - config.oauth.refresh_overlap * 1000));
    if (at.getTime() - lastSweep < sweepEvery) return;
    lastSweep = at.getTime();
    await sweep(deps, at);
  }

  const timer = setInterval(() => {
    running = running
      .then(work)
      .catch((err) => log.error({ err }, 'a job failed; it will run again'));
  }, tick);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

/** Removes what has expired, in small batches, so that no lock is held for long. */
async function sweep({ db, accounts, clients, tokens, log }: JobDeps, at: Date): Promise<void> {
  await ensureAuditPartitions(db.kysely, at).catch((err) =>
    log.error(
      { err },
      'the partitions of the audit log could not be made; the next sweep tries again',
    ),
  );
  while ((await tokens.sweep.removeExpired(at, batch)) > 0);
  while ((await accounts.purge(batch)) === batch);
  await clients.reap();
}
