import { createHmac, hkdfSync } from 'node:crypto';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { createAccounts } from './accounts/index.ts';
import { createAdminApp } from './admin/index.ts';
import { type AuditMeta, createMetrics, ensureAuditPartitions } from './audit/index.ts';
import { createClients } from './clients/index.ts';
import { type Config, decodeKey } from './config/index.ts';
import { type Database, migrate, openDatabase, type StorageOptions } from './db/index.ts';
import {
  createCsrf,
  createGuardedFetch,
  createSite,
  currentRequest,
  type GuardedFetch,
} from './http/index.ts';
import { startJobs } from './jobs.ts';
import { createKeys, createSecretBox, loadOrCreateLocalSecrets } from './keys/index.ts';
import { createLiveProvider, type ProviderDeps } from './provider/index.ts';
import { createPublicApp } from './public-app.ts';
import { createResources } from './resources/index.ts';
import { createTokens } from './tokens/index.ts';

export interface AppDeps {
  log: Logger;
  now?: () => Date;
  /** An open database instead of the configured one; closed with the app. */
  db?: Database;
  /** Way out to addresses that strangers name, for tests that bring their own certificates. */
  fetch?: GuardedFetch;
}

/** The whole server, built once: two Koa applications and what a process needs to run them. */
export type App = Awaited<ReturnType<typeof createApp>>;

/**
 * Builds every room once, migrates, reconciles what the configuration declares, and starts the jobs.
 *
 * @throws DatabaseStartError, KeysStartError, ResourceConflictError, AccountRefusal with what to do
 */
export async function createApp(
  config: Config,
  { log, now = () => new Date(), db: opened, fetch }: AppDeps,
) {
  const secrets = secretsOf(config);
  const metrics = createMetrics();
  const db =
    opened ??
    (await openDatabase(storageOptions(config), {
      onQuery: metrics.query,
      onError: (err) => log.warn({ err }, 'a database connection was lost'),
    }));
  try {
    await migrate(db);
    await ensureAuditPartitions(db.kysely, now());
    return await build(config, { db, log, now, metrics, secrets, fetch });
  } catch (error) {
    await db.close();
    throw error;
  }
}

interface Parts {
  db: Database;
  log: Logger;
  now: () => Date;
  metrics: ReturnType<typeof createMetrics>;
  secrets: ReturnType<typeof secretsOf>;
  fetch?: GuardedFetch;
}

async function build(config: Config, parts: Parts) {
  const { db, log, now, metrics, secrets } = parts;
  const keys = await createKeys(
    { db, box: createSecretBox(secrets.dataEncryptionKey), now, log },
    {
      algorithm: config.signing.algorithm,
      rotateEvery: config.signing.rotate_every,
      publishBefore: config.signing.publish_before,
      keepRetiredFor: longestTokenLife(config),
    },
  );
  const tokens = createTokens(db);
  const accounts = createAccounts(
    {
      db,
      now,
      endTokensOfUser: (trx, id, at) => tokens.families.endAllOf(trx, { user_id: id }, at),
    },
    {
      lockout: {
        failures: config.rate_limit.auth_fail_max,
        window: config.rate_limit.auth_fail_window,
        lockout: config.rate_limit.auth_lockout,
      },
    },
  );
  const fetch =
    parts.fetch ??
    createGuardedFetch({
      allowPrivateAddresses: config.cimd.allow_private_addresses,
      timeoutMs: config.cimd.fetch_timeout * 1000,
      now,
    });
  const clients = createClients(
    {
      db,
      fetch,
      now,
      log,
      endTokensOfClient: (trx, id, at) => tokens.families.endAllOf(trx, { client_id: id }, at),
    },
    config,
  );
  const stopClients = await clients.listen();
  const resources = await createResources({ db, now, log });
  await reconcile(config, { accounts, clients, resources, log, now });

  const site = createSite(config.server.issuer);
  const deps: ProviderDeps = {
    config,
    base: site.base,
    db,
    keys,
    tokens,
    clients,
    accounts,
    resources,
    metrics,
    log,
    csrf: createCsrf({ site, secret: secrets.sessionSecret }),
    secrets: { cookies: secrets.derive('cookies'), dpopNonce: secrets.deriveBytes('dpop nonce') },
    now,
    auditMeta: () => auditMeta(now),
  };
  const health = healthOf(db);
  const publicApp = createPublicApp({ ...deps, site, live: createLiveProvider(deps), health });
  const adminApp = createAdminApp(
    { accounts, metrics, health, log, now },
    {
      issuer: config.server.issuer,
      externalUrl: config.admin.external_url,
      apiKey: config.admin.api_key,
      metricsEnabled: config.observability.metrics.enabled,
      trustedProxies: config.server.trusted_proxies,
      cookieSecret: secrets.sessionSecret,
    },
  );
  const stopJobs = startJobs({ db, keys, accounts, clients, config, now, log });
  return {
    public: publicApp,
    admin: adminApp,
    rooms: { accounts, clients, resources, keys, tokens },
    db,
    metrics,
    async close() {
      await stopJobs();
      await stopClients();
      await resources.close();
      await keys.close();
      await db.close();
    },
  };
}

async function reconcile(
  config: Config,
  {
    accounts,
    clients,
    resources,
    log,
    now,
  }: Pick<ProviderDeps, 'accounts' | 'clients' | 'resources' | 'log' | 'now'>,
): Promise<void> {
  const meta: AuditMeta = { at: now() };
  const report = {
    resources: await resources.reconcile(config.resources, meta),
    clients: await clients.reconcile(config.clients, meta),
    users: await accounts.reconcile(config.users, meta),
  };
  log.info({ report }, 'configuration applied');
}

function auditMeta(now: () => Date): AuditMeta {
  const { ip, userAgent, traceId } = currentRequest();
  return { at: now(), ip, userAgent, traceId };
}

/** Seconds that a verifier may still meet a token of a retired key. */
function longestTokenLife({ tokens, resources }: Config): number {
  const own = resources.map((resource) => resource.access_ttl ?? 0);
  return Math.max(tokens.access_ttl, tokens.machine_ttl, ...own) + 600;
}

/** `storage` of the configuration, in the units of the drivers. */
export function storageOptions({ storage }: Config): StorageOptions {
  const { pglite, postgres } = storage;
  if (storage.driver === 'pglite') return { driver: 'pglite', path: pglite.path };
  return {
    driver: 'postgres',
    dsn: postgres.dsn ?? '',
    maxConnections: postgres.max_conns,
    statementTimeout: postgres.statement_timeout * 1000,
    connectTimeout: postgres.connect_timeout * 1000,
  };
}

/** Configured, or made once in the data directory for an issuer on this computer. */
function secretsOf({ session, data_encryption: encryption, storage }: Config) {
  const configuredKey = encryption.key === undefined ? undefined : decodeKey(encryption.key);
  const local =
    session.secret === undefined || configuredKey === undefined
      ? loadOrCreateLocalSecrets(dirname(storage.pglite.path))
      : undefined;
  const sessionSecret = session.secret ?? local?.sessionSecret ?? '';
  return {
    sessionSecret,
    dataEncryptionKey: configuredKey ?? local?.dataEncryptionKey ?? Buffer.alloc(0),
    derive: (purpose: string) =>
      createHmac('sha256', sessionSecret).update(purpose).digest('base64url'),
    deriveBytes: (purpose: string) =>
      Buffer.from(hkdfSync('sha256', sessionSecret, '', purpose, 32)),
  };
}

/** Longest time that readiness waits for the database, in milliseconds. */
const patience = 2000;

function healthOf(db: Database) {
  return async (): Promise<{ ready: true } | { ready: false; reason: string }> => {
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
  };
}
