import { createHmac, hkdfSync } from 'node:crypto';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { createAccounts } from './accounts/index.ts';
import { type AuditMeta, createMetrics, ensureAuditPartitions } from './audit/index.ts';
import { createClients } from './clients/index.ts';
import { type Config, decodeKey } from './config/index.ts';
import { type Database, migrate, openDatabase, type StorageOptions } from './db/index.ts';
import { createGuardedFetch, type FetchLimits, type GuardedFetch } from './http/index.ts';
import { createKeys, createSecretBox, loadOrCreateLocalSecrets } from './keys/index.ts';
import { createResources, hookSecret } from './resources/index.ts';
import {
  createClaimsHooks,
  createIdentityAssertions,
  createTokens,
  createTrustedIssuers,
} from './tokens/index.ts';

export interface RoomsDeps {
  log: Logger;
  now?: () => Date;
  /** An open database instead of the configured one; closed with the rooms. */
  db?: Database;
  /** Way out to addresses that strangers name, for tests that bring their own certificates. */
  fetch?: GuardedFetch;
  /** Way out to addresses that operators name; `fetch` unless given. */
  operatorFetch?: GuardedFetch;
}

/** Every room of levels 1 to 5, wired to one database. */
export type Rooms = Awaited<ReturnType<typeof openRooms>>;

/**
 * Opens the database, migrates it, and builds the rooms that need no listener: what the server and
 * the command line share.
 *
 * @throws DatabaseStartError, KeysStartError with what to do
 */
export async function openRooms(
  config: Config,
  { log, now = () => new Date(), db: opened, ...waysOut }: RoomsDeps,
) {
  const secrets = secretsOf(config);
  const metrics = createMetrics();
  const db = opened ?? (await open(config, metrics, log));
  try {
    await migrate(db);
    await ensureAuditPartitions(db.kysely, now());
    const box = createSecretBox(secrets.dataEncryptionKey);
    const keys = await createKeys({ db, box, now, log }, keySettings(config));
    const tokens = createTokens(db, config);
    const { families } = tokens;
    const accounts = createAccounts(
      {
        db,
        now,
        endTokensOfUser: (trx, id, at) => families.endAllOf(trx, { user_id: id }, at),
      },
      { lockout: lockoutOf(config) },
    );
    const { fetch = guardedFetch(config, now) } = waysOut;
    const operatorFetch = waysOut.operatorFetch ?? waysOut.fetch ?? operatorsFetch(config, now);
    const clients = createClients(
      {
        db,
        ...{ fetch, operatorFetch },
        now,
        log,
        endTokensOfClient: (trx, id, at) => families.endAllOf(trx, { client_id: id }, at),
      },
      config,
    );
    const stopClients = await clients.listen();
    const resources = await createResources({ db, box, now, log });
    const trustedIssuers = await createTrustedIssuers({ db, now, log });
    const assertions = createIdentityAssertions(
      { db, issuers: trustedIssuers, accounts, resources, fetch: operatorFetch, now },
      config,
    );
    const claimsHooks = createClaimsHooks({
      secretOf: (resource) => hookSecret(box, resource),
      ...{ metrics, log, now },
    });
    return {
      ...{ db, log, now, metrics, secrets, keys, tokens, accounts, clients, resources },
      ...{ claimsHooks, trustedIssuers, assertions },
      async close() {
        await stopClients();
        await resources.close();
        await trustedIssuers.close();
        await keys.close();
        await db.close();
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/**
 * Makes what the configuration declares, and changes what it declared differently before.
 *
 * @throws ResourceConflictError, AccountRefusal, OAuthError for rows that cannot be
 */
export async function reconcile(
  config: Config,
  { accounts, clients, resources, trustedIssuers, log, now }: Rooms,
): Promise<void> {
  const meta: AuditMeta = { at: now() };
  const report = {
    resources: await resources.reconcile(config.resources, meta),
    clients: await clients.reconcile(config.clients, meta),
    users: await accounts.reconcile(config.users, meta),
    trusted_issuers: await trustedIssuers.reconcile(config.trusted_issuers, meta),
  };
  log.info({ report }, 'configuration applied');
}

function open(
  config: Config,
  metrics: ReturnType<typeof createMetrics>,
  log: Logger,
): Promise<Database> {
  return openDatabase(storageOptions(config), {
    onQuery: metrics.query,
    onError: (err) => log.warn({ err }, 'a database connection was lost'),
  });
}

function guardedFetch(
  { cimd }: Config,
  now: () => Date,
  limits: Partial<FetchLimits> = {},
): GuardedFetch {
  return createGuardedFetch({
    allowPrivateAddresses: cimd.allow_private_addresses,
    timeoutMs: cimd.fetch_timeout * 1000,
    ...{ now, limits },
  });
}

/**
 * For keys of trusted issuers and of clients that operators made. Its limits are no other's, so that no
 * stranger can use up what they need; nobody makes it ask for addresses of their own.
 */
function operatorsFetch(config: Config, now: () => Date): GuardedFetch {
  return guardedFetch(config, now, { concurrencyPerRequester: Number.POSITIVE_INFINITY });
}

function keySettings(config: Config) {
  return {
    algorithm: config.signing.algorithm,
    rotateEvery: config.signing.rotate_every,
    publishBefore: config.signing.publish_before,
    keepRetiredFor: longestTokenLife(config),
  };
}

/** Seconds that a verifier may still meet a token of a retired key. */
function longestTokenLife({ tokens, resources }: Config): number {
  const own = resources.map((resource) => resource.access_ttl ?? 0);
  return Math.max(tokens.access_ttl, tokens.machine_ttl, ...own) + 600;
}

function lockoutOf({ rate_limit: limits }: Config) {
  return {
    failures: limits.auth_fail_max,
    window: limits.auth_fail_window,
    lockout: limits.auth_lockout,
  };
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
    /** A secret for one purpose, the same on every replica. */
    derive: (purpose: string) =>
      createHmac('sha256', sessionSecret).update(purpose).digest('base64url'),
    /** 32 bytes for one purpose, the same on every replica. */
    deriveBytes: (purpose: string) =>
      Buffer.from(hkdfSync('sha256', sessionSecret, '', purpose, 32)),
  };
}
