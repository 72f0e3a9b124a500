import type { Logger } from 'pino';
import type { Accounts } from './accounts/index.ts';
import { ensureAuditPartitions } from './audit/index.ts';
import type { Clients } from './clients/index.ts';
import type { Config } from './config/index.ts';
import type { Database } from './db/index.ts';
import type { Keys } from './keys/index.ts';
import type { Resources } from './resources/index.ts';
import type { Tokens } from './tokens/index.ts';

export interface JobDeps {
  db: Database;
  keys: Keys;
  accounts: Accounts;
  clients: Clients;
  resources: Resources;
  tokens: Tokens;
  config: Config;
  now: () => Date;
  log: Logger;
}

const tick = 30_000; // milliseconds: what notifications may have missed is noticed, windows are closed
const sweepEvery = 10 * 60_000;
const batch = 1000;

/** Work that the clock starts. @returns a function that stops it and waits for what is running */
export function startJobs(deps: JobDeps): () => Promise<void> {
  const { now } = deps;
  let running: Promise<void> | undefined;
  let lastSweep = now().getTime();

  async function work(): Promise<void> {
    const at = now();
    const isDue = at.getTime() - lastSweep >= sweepEvery;
    if (isDue) lastSweep = at.getTime();
    await runAll(deps, isDue ? [...often(deps, at), ...sweeps(deps, at)] : often(deps, at));
  }

  const timer = setInterval(() => {
    running ??= work().finally(() => {
      running = undefined;
    });
  }, tick);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

type Job = readonly [name: string, run: () => Promise<unknown>];

/** One after the other; one that fails is logged and stops none of the others. */
export async function runAll(
  { log }: { log: Pick<Logger, 'error'> },
  jobs: readonly Job[],
): Promise<void> {
  for (const [name, run] of jobs) {
    await run().catch((err) => log.error({ err, job: name }, 'a job failed; it will run again'));
  }
}

function often({ keys, resources, tokens, config }: JobDeps, at: Date): Job[] {
  const windowStart = new Date(at.getTime() - config.oauth.refresh_overlap * 1000);
  return [
    ['follow the key schedule', () => keys.tick(at)],
    ['read the resources again', () => resources.reload()],
    ['close refresh overlap windows', () => tokens.sweep.closeOverlaps(windowStart)],
  ];
}

/** Removes what has expired, in small batches, so that no lock is held for long. */
function sweeps({ db, accounts, clients, tokens, config }: JobDeps, at: Date): Job[] {
  const issuedBefore = new Date(at.getTime() - config.retention.issuances * 1000);
  return [
    ['make audit partitions', () => ensureAuditPartitions(db.kysely, at)],
    ['remove expired artifacts', () => untilEmpty(() => tokens.sweep.removeExpired(at, batch))],
    [
      'remove old issuance records',
      () => untilEmpty(() => tokens.sweep.removeIssuances(issuedBefore, at, batch)),
    ],
    ['remove expired sessions', () => untilEmpty(() => accounts.purge(batch))],
    ['reap unused clients', () => clients.reap()],
  ];
}

async function untilEmpty(removeBatch: () => Promise<number>): Promise<void> {
  while ((await removeBatch()) > 0);
}
