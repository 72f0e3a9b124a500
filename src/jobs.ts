import { removeExpiredRequests } from './admin/index.ts';
import { purgeReconnectLinks } from './api/index.ts';
import { countEvents, createStats, ensureAuditPartitions } from './audit/index.ts';
import type { Config } from './config/index.ts';
import { vacuum } from './db/index.ts';
import type { Rooms } from './rooms.ts';
import { inBatches, type Job } from './scheduler/index.ts';

/** Rows of one batch. */
const batch = 1000;
const minute = 60;
const hour = 3600;
const day = 86_400;

/** Every job there is. One that only one replica shall run at a time needs no more than its line here. */
export function jobsOf(rooms: Rooms, config: Config): Job[] {
  return [
    ...ownJobs(rooms),
    ...sweeps(rooms, config),
    ...auditJobs(rooms, config),
    ...countingJobs(rooms),
    ...upstreamJobs(rooms),
    ...upkeep(rooms),
  ];
}

/** Jobs of each process: what notifications may have missed is noticed, and what it counted is written. */
function ownJobs({ keys, resources, refusalCounts, replica }: Rooms): Job[] {
  const everywhere = true;
  return [
    {
      ...{ name: 'follow-keys', title: 'Follow the key schedule', interval: 30, everywhere },
      run: async ({ at }) => void (await keys.tick(at)),
    },
    {
      ...{ name: 'read-resources', title: 'Read the resources again', interval: 30, everywhere },
      run: async () => void (await resources.reload()),
    },
    {
      ...{
        name: 'flush-refusals',
        title: 'Write counts of refusals',
        interval: minute,
        everywhere,
      },
      run: ({ at }) => refusalCounts.flush(at),
    },
    {
      ...{ name: 'renew-replica', title: 'Tell that this replica runs', interval: 30, everywhere },
      run: async () => void (await replica.renew()),
    },
  ];
}

/** What removes rows that are no longer needed; `authserver purge` runs the same. */
function sweeps(
  { db, accounts, adminSessions, clients, flows, tokens, now }: Rooms,
  config: Config,
): Job[] {
  const before = (at: Date, seconds: number) => new Date(at.getTime() - seconds * 1000);
  const sweeps = true;
  return [
    {
      ...{ name: 'overlap-windows', title: 'Close refresh overlap windows', interval: 30, sweeps },
      run: ({ at }) => tokens.sweep.closeOverlaps(before(at, config.oauth.refresh_overlap)),
    },
    {
      ...{
        name: 'expired-tokens',
        title: 'Remove expired codes, refresh tokens and replay claims',
      },
      ...{ interval: 10 * minute, sweeps },
      run: (run) => inBatches(run, () => tokens.sweep.removeExpired(now(), batch)),
    },
    {
      ...{ name: 'old-issuances', title: 'Remove old records of issued tokens' },
      ...{ interval: 10 * minute, sweeps },
      run: (run) =>
        inBatches(run, () => {
          const at = now();
          const issuedBefore = before(at, config.retention.issuances);
          return tokens.sweep.removeIssuances(issuedBefore, at, batch);
        }),
    },
    {
      ...{ name: 'expired-sessions', title: 'Remove expired sign-ins, links and counters' },
      ...{ interval: 10 * minute, sweeps },
      run: (run) => inBatches(run, () => accounts.purge(batch)),
    },
    {
      ...{ name: 'expired-reconnect-links', title: 'Remove expired reconnect links' },
      ...{ interval: 10 * minute, sweeps },
      run: (run) => inBatches(run, () => purgeReconnectLinks(db.kysely, now(), batch)),
    },
    {
      ...{ name: 'ended-admin-sessions', title: 'Remove ended sessions of the administration' },
      ...{ interval: 10 * minute, sweeps },
      run: (run) => inBatches(run, () => adminSessions.purge(batch)),
    },
    {
      ...{ name: 'repeated-requests', title: 'Forget answers to requests that may come again' },
      ...{ interval: 10 * minute, sweeps },
      run: (run) => inBatches(run, () => removeExpiredRequests(db.kysely, now(), batch)),
    },
    {
      ...{ name: 'unused-clients', title: 'Remove self-registered clients that nobody uses' },
      ...{ interval: 10 * minute, sweeps },
      async run() {
        const { clients: gone, documents, failures } = await clients.reap();
        return gone + documents + failures;
      },
    },
    {
      ...{ name: 'old-flows', title: 'Remove old authorization attempts' },
      ...{ interval: 10 * minute, sweeps },
      run: (run) => inBatches(run, () => flows.removeExpired(now(), batch)),
    },
    {
      ...{ name: 'old-statistics', title: 'Remove counts that no chart shows any more' },
      ...{ interval: day, sweeps },
      run: (run) =>
        inBatches(run, () => {
          const at = now();
          const counts = before(at, config.retention.audit);
          return createStats(db).removeBefore(counts, before(at, 101 * day), batch);
        }),
    },
  ];
}

/** Seconds: an event is sealed within five, and sent soon after. */
const sealEvery = 2;

/** The audit log; sealing and sending have locks of their own, so that no record is written every time. */
function auditJobs({ auditLog }: Rooms, config: Config): Job[] {
  const everywhere = true;
  return [
    {
      ...{ name: 'seal-audit', title: 'Seal audit events', interval: sealEvery, everywhere },
      run: () => auditLog.seal(),
    },
    {
      ...{ name: 'send-audit', title: 'Send audit events', interval: sealEvery, everywhere },
      run: async ({ signal }) => void (await auditLog.deliver(signal)),
    },
    {
      ...{ name: 'old-audit', title: 'Drop old months of the audit log' },
      ...{ interval: hour, sweeps: true },
      run: ({ at }) => auditLog.dropBefore(new Date(at.getTime() - config.retention.audit * 1000)),
    },
  ];
}

function countingJobs({ db }: Rooms): Job[] {
  return [
    {
      ...{ name: 'hourly-statistics', title: 'Count new events for the charts', interval: minute },
      async run({ at, signal, progress }) {
        let pieces = 0;
        while (!signal.aborted) {
          const until = await countEvents(db, at);
          if (!until) break;
          pieces += 1;
          await progress(`counted until ${until.toISOString()}`);
        }
        return pieces;
      },
    },
  ];
}

/** What members connected at other MCP servers. */
function upstreamJobs({ upstream: { connections } }: Rooms): Job[] {
  return [
    {
      ...{ name: 'revoke-elsewhere', title: 'Revoke ended tokens of other MCP servers' },
      interval: minute,
      run: ({ signal }) => connections.drainRevocations(signal),
    },
    {
      ...{ name: 'unfinished-connections', title: 'Remove connections that nobody finished' },
      ...{ interval: 10 * minute, sweeps: true },
      run: () => connections.purge(),
    },
  ];
}

/** What keeps the database in shape. */
function upkeep({ db }: Rooms): Job[] {
  const partitions: Job = {
    ...{ name: 'audit-partitions', title: 'Make the audit partition of the next month' },
    interval: hour,
    run: async ({ at }) => (await ensureAuditPartitions(db.kysely, at)).length,
  };
  if (db.driver !== 'pglite') return [partitions];
  const reuse: Job = {
    ...{ name: 'vacuum', title: 'Reuse the space of removed rows (embedded database)' },
    interval: hour,
    run: ({ signal }) => vacuum(db, signal),
  };
  return [partitions, reuse];
}
