import { createAdminApp, createSignInElsewhere } from './admin/index.ts';
import type { AuditMeta } from './audit/index.ts';
import type { Config } from './config/index.ts';
import type { Database } from './db/index.ts';
import { createCsrf, createSite, currentRequest } from './http/index.ts';
import { jobsOf } from './jobs.ts';
import { createLiveProvider, type ProviderDeps } from './provider/index.ts';
import { createPublicApp } from './public-app.ts';
import { openRooms, type Rooms, type RoomsDeps, reconcile } from './rooms.ts';
import { createScheduler } from './scheduler/index.ts';
import { sweepsOf } from './sweeps.ts';

/** The whole server, built once: two Koa applications and what a process needs to run them. */
export type App = Awaited<ReturnType<typeof createApp>>;

export interface AppDeps extends RoomsDeps {
  /** The admin key of programs on this computer; `serve` keeps it in the data directory. */
  localKey?: string | undefined;
}

/**
 * Builds every room once, migrates, reconciles what the configuration declares, and starts the jobs.
 *
 * @throws DatabaseStartError, KeysStartError, ResourceConflictError, AccountRefusal with what to do
 */
export async function createApp(config: Config, { localKey, ...roomsDeps }: AppDeps) {
  const rooms = await openRooms(config, roomsDeps);
  try {
    await reconcile(config, rooms);
    return build(config, rooms, localKey);
  } catch (error) {
    await rooms.close();
    throw error;
  }
}

function build(config: Config, rooms: Rooms, localKey: string | undefined) {
  const { db, now, secrets } = rooms;
  const site = createSite(config.server.issuer);
  const health = healthOf(db);
  const deps: ProviderDeps = {
    ...rooms,
    config,
    vending: rooms.upstream.vending,
    base: site.base,
    csrf: createCsrf({ site, secret: secrets.sessionSecret }),
    secrets: { cookies: secrets.derive('cookies'), dpopNonce: secrets.deriveBytes('dpop nonce') },
    auditMeta: () => auditMeta(now),
  };
  const publicApp = createPublicApp({
    ...{ ...deps, site, health, tracing: rooms.tracing, upstream: rooms.upstream },
    live: createLiveProvider(deps),
  });
  const scheduler = createScheduler(
    { db, now, log: rooms.log, replica: rooms.replica.id, onRun: rooms.metrics.jobRan },
    jobsOf(rooms, config),
  );
  const adminApp = createAdminApp(
    {
      ...{ ...rooms, health, scheduler, auditMeta: deps.auditMeta },
      sweeps: sweepsOf(rooms, config),
      signInElsewhere: createSignInElsewhere({
        ...{ ...rooms, auditMeta: deps.auditMeta },
        localSignIn: config.session.local_sign_in,
        externalUrl: config.admin.external_url,
      }),
    },
    {
      issuer: config.server.issuer,
      externalUrl: config.admin.external_url,
      apiKey: config.admin.api_key,
      localKey,
      metricsEnabled: config.observability.metrics.enabled,
      trustedProxies: config.server.trusted_proxies,
      cookieSecret: secrets.sessionSecret,
    },
  );
  scheduler.start();
  return {
    public: publicApp,
    admin: adminApp,
    rooms,
    scheduler,
    /** From now on health says that no more requests should come; those that do are served. */
    drain: health.stop,
    async close() {
      await scheduler.stop();
      await leave(rooms);
      await rooms.close();
    },
  };
}

/** What this process alone knows is written before it ends; a database that is gone must not stop it. */
async function leave({ auditLog, refusalCounts, replica, log, now }: Rooms): Promise<void> {
  try {
    await refusalCounts.flush(now());
    await replica.leave();
    await auditLog.close();
  } catch (err) {
    log.warn({ err }, 'the last counts of this process could not be written');
  }
}

function auditMeta(now: () => Date): AuditMeta {
  const { ip, userAgent, traceId } = currentRequest();
  return { at: now(), ip, userAgent, traceId };
}

/** Longest time that readiness waits for the database, in milliseconds. */
const patience = 2000;
/** For how long its answer is good, in milliseconds. */
const goodFor = 500;

type Readiness = { ready: true } | { ready: false; reason: string };

function healthOf(db: Database) {
  async function ask(): Promise<Readiness> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error('database did not answer')), patience);
    try {
      await Promise.race([db.ping(), late.promise]);
      return { ready: true };
    } catch {
      return { ready: false, reason: 'database' };
    } finally {
      clearTimeout(timer);
    }
  }

  // Anybody may ask, and must not be able to empty the pool by asking often.
  let answer: Promise<Readiness> | undefined;
  let until = 0;
  let stopping = false;
  const readiness = async (): Promise<Readiness> => {
    if (stopping) return { ready: false, reason: 'stopping' };
    if (!answer || performance.now() > until) {
      answer = ask().finally(() => {
        until = performance.now() + goodFor;
      });
      until = Number.POSITIVE_INFINITY;
    }
    return answer;
  };
  return Object.assign(readiness, {
    stop() {
      stopping = true;
    },
  });
}
