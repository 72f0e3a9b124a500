import { createHmac, hkdfSync } from 'node:crypto';
import { dirname } from 'node:path';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import {
  createAccounts,
  createAdminSessions,
  createFederation,
  createIdentityProviders,
  createWorkspaces,
} from './accounts/index.ts';
import {
  type AuditMeta,
  alignAuditOrder,
  createAuditLog,
  createMetrics,
  createRefusalCounts,
  createWebhookCall,
  ensureAuditPartitions,
  isAuditEventType,
} from './audit/index.ts';
import { createClients } from './clients/index.ts';
import { type Config, decodeKey, isLoopbackUrl, type LoadedConfig } from './config/index.ts';
import {
  createWithdrawals,
  revokeForClient,
  revokeForMember,
  revokeForResource,
} from './consent/index.ts';
import {
  type Database,
  migrate,
  openDatabase,
  type StorageOptions,
  type Tables,
} from './db/index.ts';
import { createDoctor } from './doctor/index.ts';
import { createFlows } from './flows/index.ts';
import {
  createGuardedFetch,
  createGuardedRequest,
  type FetchLimits,
  type GuardedFetch,
  type GuardedRequest,
  noTracing,
  openTracing,
  type Tracing,
} from './http/index.ts';
import {
  createKeys,
  createSecretBox,
  loadOrCreateLocalSecrets,
  type SecretBox,
} from './keys/index.ts';
import {
  apiResource,
  createResourceEditing,
  createResources,
  hookSecret,
} from './resources/index.ts';
import { createReplica } from './scheduler/index.ts';
import {
  createClaimsHooks,
  createIdentityAssertions,
  createTokens,
  createTrustedIssuers,
  endIssuedFor,
  endIssuedIn,
  endIssuedUnder,
  signWebhook,
} from './tokens/index.ts';
import { createEndings, createUpstream, type WaysOut } from './upstream/index.ts';
import { version } from './version.ts';

export interface RoomsDeps {
  log: Logger;
  now?: () => Date;
  /** An open database instead of the configured one; closed with the rooms. */
  db?: Database;
  /** Where the configuration comes from, for operators to see. */
  loaded?: Pick<LoadedConfig, 'sources' | 'file'>;
  /** Way out to addresses that strangers name, for tests that bring their own certificates. */
  fetch?: GuardedFetch;
  /** Way out to addresses that operators name; `fetch` unless given. */
  operatorFetch?: GuardedFetch;
  /** Way out to identity providers, for tests that are in a hurry. */
  providerRequest?: GuardedRequest;
  /** Ways out to other MCP servers, for tests that bring their own certificates or are in a hurry. */
  upstreamWays?: Partial<WaysOut>;
  /** Where this process is one of several: makes what `/metrics` answers, for all of them together. */
  metricsOfAll?: (registry: Registry) => () => Promise<string>;
}

/** Milliseconds that an identity provider has for one answer. */
const providerPatience = 10_000;

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
  { log, now = () => new Date(), db: opened, loaded, ...waysOut }: RoomsDeps,
) {
  const secrets = secretsOf(config);
  const metrics = createMetrics(waysOut.metricsOfAll);
  const tracing = await tracingOf(config);
  const db = opened ?? (await open(config, { metrics, tracing, log }));
  try {
    await migrate(db);
    await alignAuditOrder(db.kysely);
    await ensureAuditPartitions(db.kysely, now());
    const box = createSecretBox(secrets.dataEncryptionKey);
    const keys = await createKeys({ db, box, now, log }, keySettings(config));
    const tokens = createTokens(db, config);
    const { families } = tokens;
    const connectionEndings = createEndings({ now });
    const accounts = createAccounts(
      {
        db,
        now,
        async endTokensOfUser(trx, id, at) {
          await connectionEndings.endForUser(trx, id);
          return families.endAllOf(trx, { user_id: id }, at);
        },
      },
      { lockout: lockoutOf(config), localSignIn: config.session.local_sign_in },
    );
    const identityProviders = await createIdentityProviders({
      ...{ db, box, now, log, issuer: config.server.issuer },
      localSignIn: config.session.local_sign_in,
    });
    const federation = createFederation({
      ...{ db, box, now, issuer: config.server.issuer },
      ...{ providers: identityProviders, identities: accounts.identities },
      request:
        waysOut.providerRequest ?? createGuardedRequest({ timeoutMs: providerPatience, now }),
    });
    const workspaces = createWorkspaces({
      ...{ db, now },
      async endTokensOfMember(trx, member, at) {
        await connectionEndings.endForMember(trx, member);
        return endTokensOfMember(trx, member, at);
      },
    });
    const adminSessions = createAdminSessions(
      { db, now },
      { idle: config.admin.session_idle, maxAge: config.admin.session_max_age },
    );
    const { fetch = guardedFetch(config, now) } = waysOut;
    const operatorFetch = waysOut.operatorFetch ?? waysOut.fetch ?? operatorsFetch(config, now);
    const clients = createClients(
      {
        db,
        ...{ fetch, operatorFetch },
        now,
        log,
        metrics,
        async endTokensOfClient(trx, clientId, at) {
          const { grants, families: ended } = await revokeForClient(trx, { clientId, now: at });
          await families.endAllOf(trx, { client_id: clientId }, at);
          return { grants: grants.length, families: ended };
        },
      },
      config,
    );
    const stopClients = await clients.listen();
    const resources = await createResources({ db, box, now, log });
    const trustedIssuers = await createTrustedIssuers({
      ...{ db, now, log },
      issuer: config.server.issuer,
    });
    const assertions = createIdentityAssertions(
      { db, issuers: trustedIssuers, accounts, workspaces, resources, fetch: operatorFetch, now },
      config,
    );
    const claimsHooks = createClaimsHooks({
      secretOf: (resource) => hookSecret(box, resource),
      ...{ metrics, log, now },
    });
    const withdrawals = createWithdrawals({ db, endIssuedUnder });
    const resourceEditing = createResourceEditing({
      ...{ db, box, now, resources },
      async endTokensOfResource(trx, resource, at) {
        const ended = await revokeForResource(trx, { resource, now: at });
        await endIssuedFor(trx, { resource, now: at });
        return { grants: ended.grants.length, families: ended.families };
      },
    });
    const flows = createFlows({ db, log }, config);
    const doctor = createDoctor(
      { request: createGuardedRequest({ timeoutMs: 5000, now }), resources, now },
      config,
      {
        privateAddresses:
          isLoopbackUrl(config.server.issuer) || config.cimd.allow_private_addresses,
      },
    );
    const upstream = createUpstream({
      ...{ db, box, now, log, workspaces, issuer: config.server.issuer },
      development: isLoopbackUrl(config.server.issuer) || config.cimd.allow_private_addresses,
      iconKey: secrets.deriveBytes('mcp server icons'),
      waysOut: waysOut.upstreamWays,
    });
    const replica = createReplica({ db, now }, version());
    const refusalCounts = createRefusalCounts(db, metrics);
    const auditLog = createAuditLog({
      ...{ db, now, log, webhook: auditWebhook(config, log) },
      keys: {
        signer: () => keys.providerJwks().keys[0] ?? {},
        trusted: () => keys.publicJwks().keys,
      },
    });
    return {
      ...{
        doctor,
        flows,
        db,
        box,
        log,
        now,
        metrics,
        tracing,
        secrets,
        keys,
        tokens,
        accounts,
        adminSessions,
        clients,
        resources,
      },
      ...{ claimsHooks, trustedIssuers, assertions, withdrawals, resourceEditing, workspaces },
      configuration: { config, sources: new Map<string, string>(), ...loaded },
      ...{ replica, refusalCounts, identityProviders, federation, auditLog, upstream },
      async close() {
        await stopClients();
        await resources.close();
        await trustedIssuers.close();
        await identityProviders.close();
        await keys.close();
        await flows.close();
        await db.close();
        await tracing.close();
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
  { accounts, workspaces, clients, resources, trustedIssuers, identityProviders, log, now }: Rooms,
): Promise<void> {
  const meta: AuditMeta = { at: now() };
  const { issuer } = config.server;
  const report = {
    resources: await resources.reconcile(config.resources, meta, apiResource(issuer)),
    clients: await clients.reconcile(config.clients, meta),
    users: await accounts.reconcile(config.users, meta),
    workspaces: await workspaces.reconcile(config.workspaces, config.users, meta),
    trusted_issuers: await trustedIssuers.reconcile(config.trusted_issuers, meta),
    identity_providers: await identityProviders.reconcile(config.identity_providers, meta),
  };
  log.info({ report }, 'configuration applied');
}

/** What somebody granted for a workspace, and their tokens for it. @returns how many grants ended */
async function endTokensOfMember(
  trx: Kysely<Tables>,
  member: { userId: string; workspaceId: string },
  now: Date,
): Promise<number> {
  const { grants } = await revokeForMember(trx, { ...member, now });
  await endIssuedIn(trx, { ...member, now });
  return grants.length;
}

function open(
  config: Config,
  reports: { metrics: ReturnType<typeof createMetrics>; tracing: Tracing; log: Logger },
): Promise<Database> {
  const { metrics, tracing, log } = reports;
  return openDatabase(storageOptions(config), {
    onQuery(report) {
      metrics.query(report);
      tracing.query(report);
    },
    onError: (err) => log.warn({ err }, 'a database connection was lost'),
  });
}

async function tracingOf({ observability: { tracing } }: Config): Promise<Tracing> {
  return tracing.enabled ? openTracing({ endpoint: tracing.otlp_endpoint }) : noTracing;
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

/** `observability.audit_webhook` */
function auditWebhook({ observability: { audit_webhook: webhook } }: Config, log: Logger) {
  if (!webhook) return undefined;
  const { secret, events, attempts, timeout } = webhook;
  const unknown = events?.filter((type) => !isAuditEventType(type)) ?? [];
  if (unknown.length > 0) {
    log.warn({ unknown }, 'observability.audit_webhook.events names types that do not exist');
  }
  const send = createWebhookCall(webhook, (message) => signWebhook(secret, message));
  return { send, settings: { attempts, events, timeout } };
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

/**
 * Opens and seals what the database keeps secret.
 *
 * @param previous older keys; they only open
 */
export function boxOf(config: Config, previous: readonly Buffer[] = []): SecretBox {
  return createSecretBox(secretsOf(config).dataEncryptionKey, previous);
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
