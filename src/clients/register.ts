import type { Insertable } from 'kysely';
import { type AuditMeta, recordAudit } from '../audit/index.ts';
import { type ClientsTable, type Database, hashId } from '../db/index.ts';
import { addressBucket } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { logRules } from './compatibility.ts';
import { type Decision, decideRegistration } from './policy.ts';
import {
  claimInitialAccessToken,
  countUnusedFrom,
  insertClient,
  insertInitialAccessToken,
} from './queries.ts';
import { recordRegistered } from './registered.ts';
import { newClientId, newSecret } from './secrets.ts';
import type { By, ClientMetadata, ClientsConfig, Log } from './types.ts';

/**
 * Clients that one address may register in a day and never use. Hosted clients share addresses and
 * register at each connection, but they use what they register.
 */
const mostUnused = 1000;
const day = 86_400_000;

export interface RegistrationDeps {
  db: Database;
  now: () => Date;
  log: Log;
}

export interface RegistrationRequest {
  /** Address of the caller, for the limit. */
  ip: string;
  meta: AuditMeta;
  /** Bearer token of the request, if it had one. */
  initialAccessToken?: string | undefined;
}

/** The answer to a registration (RFC 7591 §3.2.1, RFC 7592 §3); without any null. */
export type RegistrationResponse = ClientMetadata & {
  client_id: string;
  client_id_issued_at: number;
  client_secret?: string;
  client_secret_expires_at?: 0;
  registration_access_token?: string;
  registration_client_uri: string;
};

/**
 * Dynamic client registration (RFC 7591). The secret and the registration access token are in the answer
 * and nowhere else. A refused request spends no initial access token.
 */
export function createRegistration({ db, now, log }: RegistrationDeps, config: ClientsConfig) {
  async function register(
    body: unknown,
    request: RegistrationRequest,
  ): Promise<{ status: 201; body: RegistrationResponse }> {
    refuseWhereOperatorsRegister(config);
    const at = now();
    const needsToken = config.dcr.mode === 'initial_access_token';
    // Who has no token learns nothing about the body; without tokens a bad body costs no transaction.
    const judged = needsToken ? undefined : decideRegistration(body, config);
    const { rules, answer } = await db.kysely.transaction().execute(async (trx) => {
      if (needsToken) await claim(trx, request, at);
      const decision = judged ?? decideRegistration(body, config);
      await refuseTooMany(trx, request.ip, at);
      const made = newRegistration(decision, at);
      const row = { ...made.row, registered_from: addressBucket(request.ip) };
      await insertClient(trx, row);
      const clientId = row.client_id;
      const by: By = { actor: { kind: 'client', id: clientId }, meta: request.meta };
      await recordRegistered(trx, { clientId, kind: 'dcr', source: 'registration', decision }, by);
      return { rules: decision.rules, answer: made.answer };
    });
    logRules(log, { clientId: answer.clientId, rules, traceId: request.meta.traceId });
    return { status: 201, body: registrationResponse(answer, config) };
  }

  /** Makes a token that registers one client, for the mode `initial_access_token`. @param ttl seconds */
  async function issueInitialAccessToken(
    ttl: number,
    { actor, meta }: By,
  ): Promise<{ token: string; expiresAt: Date }> {
    const token = newSecret('iat');
    const at = now();
    const expiresAt = new Date(at.getTime() + ttl * 1000);
    await db.kysely.transaction().execute(async (trx) => {
      await insertInitialAccessToken(trx, { hash: hashId(token), expiresAt, now: at });
      const detail = { expires_at: expiresAt };
      await recordAudit(trx, { type: 'initial_access_token_created', actor, detail }, meta);
    });
    return { token, expiresAt };
  }

  return { register, issueInitialAccessToken };
}

type Trx = Parameters<typeof claimInitialAccessToken>[0];

function refuseWhereOperatorsRegister({ dcr }: ClientsConfig): void {
  if (dcr.mode !== 'admin_only') return;
  throw new OAuthError('access_denied', 'Clients are registered by the operator of this server', {
    status: 403,
  });
}

async function claim(trx: Trx, { initialAccessToken }: RegistrationRequest, now: Date) {
  if (initialAccessToken && (await claimInitialAccessToken(trx, initialAccessToken, now))) return;
  throw new OAuthError(
    'invalid_token',
    'Registration needs an initial access token that is valid and unused',
    { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } },
  );
}

async function refuseTooMany(trx: Trx, ip: string, now: Date): Promise<void> {
  const since = new Date(now.getTime() - day);
  const unused = await countUnusedFrom(trx, addressBucket(ip), since, mostUnused);
  if (unused < mostUnused) return;
  throw new OAuthError(
    'temporarily_unavailable',
    'Too many clients were registered from this address and never used; try again later',
    { status: 429, headers: { 'Retry-After': '3600' } },
  );
}

interface Registered {
  clientId: string;
  createdAt: Date;
  metadata: ClientMetadata;
  secret?: string | undefined;
  registrationToken?: string | undefined;
}

function newRegistration({ metadata, rules }: Decision, at: Date) {
  const secret = needsSecret(metadata) ? newSecret('cs') : undefined;
  const registrationToken = newSecret('rat');
  const clientId = newClientId();
  const row = {
    client_id: clientId,
    kind: 'dcr',
    client_name: metadata.client_name ?? null,
    metadata: JSON.stringify(metadata),
    secret_hashes: secret === undefined ? [] : [hashId(secret)],
    registration_token_hash: hashId(registrationToken),
    rules,
    source: 'registration',
    created_at: at,
    updated_at: at,
  } satisfies Insertable<ClientsTable>;
  const answer: Registered = { clientId, createdAt: at, metadata, secret, registrationToken };
  return { row, answer };
}

/** Whether a client authenticates with a shared secret. */
export function needsSecret({ token_endpoint_auth_method: method }: ClientMetadata): boolean {
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

/** What a client is told about itself: effective values, and only those that exist. */
export function registrationResponse(
  { clientId, createdAt, metadata, secret, registrationToken }: Registered,
  { server }: Pick<ClientsConfig, 'server'>,
): RegistrationResponse {
  const base = server.issuer.replace(/\/$/, '');
  return {
    client_id: clientId,
    client_id_issued_at: Math.floor(createdAt.getTime() / 1000),
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    ...metadata,
    ...(registrationToken === undefined ? {} : { registration_access_token: registrationToken }),
    registration_client_uri: `${base}/oauth/register/${encodeURIComponent(clientId)}`,
  };
}
