import { createAdminApp } from './admin/index.ts';
import type { AuditMeta } from './audit/index.ts';
import type { Config } from './config/index.ts';
import type { Database } from './db/index.ts';
import { createCsrf, createSite, currentRequest } from './http/index.ts';
import { startJobs } from './jobs.ts';
import { createLiveProvider, type ProviderDeps } from './provider/index.ts';
import { createPublicApp } from './public-app.ts';
import { openRooms, type Rooms, type RoomsDeps, reconcile } from './rooms.ts';

/** The whole server, built once: two Koa applications and what a process needs to run them. */
export type App = Awaited<ReturnType<typeof createApp>>;

/**
 * Builds every room once, migrates, reconciles what the configuration declares, and starts the jobs.
 *
 * @throws DatabaseStartError, KeysStartError, ResourceConflictError, AccountRefusal with what to do
 */
export async function createApp(config: Config, roomsDeps: RoomsDeps) {
  const rooms = await openRooms(config, roomsDeps);
  try {
    await reconcile(config, rooms);
    return build(config, rooms);
  } catch (error) {
    await rooms.close();
    throw error;
  }
}

function build(config: Config, rooms: Rooms) {
  const { db, now, secrets } = rooms;
  const site = createSite(config.server.issuer);
  const health = healthOf(db);
  const deps: ProviderDeps = {
    ...rooms,
    config,
    base: site.base,
    csrf: createCsrf({ site, secret: secrets.sessionSecret }),
    secrets: { cookies: secrets.derive('cookies'), dpopNonce: secrets.deriveBytes('dpop nonce') },
    auditMeta: () => auditMeta(now),
  };
  const publicApp = createPublicApp({ ...deps, site, live: createLiveProvider(deps), health });
  const adminApp = createAdminApp(
    { ...rooms, health, auditMeta: deps.auditMeta },
    {
      issuer: config.server.issuer,
      externalUrl: config.admin.external_url,
      apiKey: config.admin.api_key,
      metricsEnabled: config.observability.metrics.enabled,
      trustedProxies: config.server.trusted_proxies,
      cookieSecret: secrets.sessionSecret,
    },
  );
  const stopJobs = startJobs({ ...rooms, config });
  return {
    public: publicApp,
    admin: adminApp,
    rooms,
    async close() {
      await stopJobs();
      await rooms.close();
    },
  };
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
  return (): Promise<Readiness> => {
    if (!answer || performance.now() > until) {
      answer = ask().finally(() => {
        until = performance.now() + goodFor;
      });
      until = Number.POSITIVE_INFINITY;
    }
    return answer;
  };
}
