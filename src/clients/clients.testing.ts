import { generateKeyPairSync } from 'node:crypto';
import type { Database } from '../db/index.ts';
import { type Fetched, type GuardedFetch, GuardedFetchError } from '../http/index.ts';
import { createClients } from './clients.ts';
import type { ClientsConfig, PublicKey } from './types.ts';

/** The defaults of the configuration, with changes. */
export function clientsConfig(changes: Partial<ClientsConfig> = {}): ClientsConfig {
  return {
    server: { issuer: 'https://as.test' },
    dcr: { mode: 'open', approved_redirects: [], unused_ttl: 30 * 86_400, allow_device: false },
    cimd: {
      enabled: true,
      allowed_hosts: [],
      denied_hosts: [],
      cache_ttl: 3600,
      allow_private_addresses: false,
    },
    compatibility: { strict: false, disabled: [] },
    client_credentials: { enabled: true },
    token_exchange: { enabled: true },
    xaa: { enabled: true },
    device: { enabled: true },
    ...changes,
  };
}

export const withoutRules = (...disabled: string[]) =>
  clientsConfig({ compatibility: { strict: false, disabled } });

export interface Clock {
  now: () => Date;
  advance(seconds: number): void;
}

export function testClock(): Clock {
  let at = Date.UTC(2026, 0, 1);
  return {
    now: () => new Date(at),
    advance: (seconds) => {
      at += seconds * 1000;
    },
  };
}

/** A public signing key of the given kind. */
export function publicKey(kind: 'EC' | 'RSA' | 'OKP' = 'EC', kid?: string): PublicKey {
  const pair =
    kind === 'EC'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'OKP'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { kty, crv, x, y, n, e } = pair.publicKey.export({ format: 'jwk' });
  const own = Object.entries({ crv, x, y, n, e, kid }).filter(([, value]) => value !== undefined);
  if (kty !== 'EC' && kty !== 'RSA' && kty !== 'OKP') throw new Error('unexpected key');
  return { kty, ...Object.fromEntries(own) };
}

/** The web, as far as a test needs it: what each URL answers now, and how often it was asked. */
export function testWeb(now: () => Date) {
  const pages = new Map<string, () => { json: unknown; headers?: Record<string, string> }>();
  const asked: string[] = [];
  const fetch: GuardedFetch = async <T>(
    url: string,
    { read }: { read: (json: unknown) => T },
  ): Promise<Fetched<T>> => {
    asked.push(url);
    await new Promise((resolve) => setImmediate(resolve));
    const page = pages.get(url);
    if (!page) throw new GuardedFetchError({ kind: 'dns', code: 'ENOTFOUND' });
    const { json, headers = {} } = page();
    try {
      return { json: read(json), headers, fetchedAt: now() };
    } catch (cause) {
      throw new GuardedFetchError({ kind: 'document', problem: String(cause) }, { cause });
    }
  };
  return {
    fetch,
    asked,
    serve(url: string, json: unknown, headers?: Record<string, string>) {
      pages.set(url, () => (headers === undefined ? { json } : { json, headers }));
    },
    fail(url: string, reason: GuardedFetchError['reason']) {
      pages.set(url, () => {
        throw new GuardedFetchError(reason);
      });
    },
  };
}

export const silentLog = { info: () => {}, warn: () => {} };

/** The room over a database, with a clock and a web of its own. */
export function testClients(db: Database, config = clientsConfig(), clock = testClock()) {
  const web = testWeb(clock.now);
  const ended: string[] = [];
  const clients = createClients(
    {
      db,
      fetch: web.fetch,
      operatorFetch: web.fetch,
      now: clock.now,
      log: silentLog,
      endTokensOfClient: async (_trx, clientId) => {
        ended.push(clientId);
        return { grants: 1, families: 2 };
      },
    },
    config,
  );
  return { clients, web, clock, ended, meta: { at: clock.now(), ip: '192.0.2.1' } };
}

/** Types and details of the audit events about a client, oldest first. */
export async function auditOf(db: Database, clientId: string) {
  return db.kysely
    .selectFrom('audit_events')
    .select(['type', 'actor_kind', 'detail'])
    .where('client_id', '=', clientId)
    .orderBy('id')
    .execute();
}
