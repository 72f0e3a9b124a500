import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose';
import type { BaseLogger } from 'pino';
import type { Actor, AuditMeta } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { KeysStartError } from './errors.ts';
import { type PrivateJwk, parsePrivateJwk, publicJwk } from './generate.ts';
import { type KeyPlan, type KeyTimes, planKeys, type RotationSettings } from './policy.ts';
import { keysChannel, type StoredKey, selectKeys } from './queries.ts';
import {
  followSchedule,
  type Occasion,
  type Rotation,
  rotateByCommand,
  sealContext,
  system,
  withdrawByCommand,
} from './rotate.ts';
import type { SecretBox } from './secret-box.ts';

export interface KeysDeps {
  readonly db: Database;
  readonly box: SecretBox;
  readonly now: () => Date;
  readonly log: Pick<BaseLogger, 'info' | 'error'>;
}

/** A key as the administration shows it. */
export interface KeyInfo extends KeyTimes {
  readonly state: 'current' | 'next' | 'retired';
}

/** The signing keys of this server, the same on every replica. */
export interface Keys {
  /** What `/.well-known/jwks.json` publishes: current, next and retired keys, public members only. */
  publicJwks(): { keys: JWK[] };
  /** Finds the published key that a JWT names, for `jwtVerify`; the same function until the keys change. */
  verificationKey: JWTVerifyGetKey;
  /** Private keys for the library: the one that signs comes first, all published ones follow. */
  providerJwks(): { keys: PrivateJwk[] };
  current(): { kid: string; alg: PrivateJwk['alg'] };
  list(): KeyInfo[];
  readonly settings: RotationSettings;
  /**
   * Rotates by command: the next key signs after `publishBefore`, or at once with `force` (for
   * emergencies: resource servers that cache the JWKS must then fetch it anew). No request fails.
   */
  rotate(meta: AuditMeta, options?: { actor?: Actor; force?: boolean }): Promise<Rotation>;
  /**
   * Withdraws a key that others may know: what it signed is refused from now on. Where it signs, another
   * signs first.
   *
   * @returns false when no such key is published
   */
  withdraw(kid: string, meta: AuditMeta, options: { actor: Actor }): Promise<boolean>;
  /** Follows the schedule and what other replicas did; call it every 30 s. Logs errors, never rejects. */
  tick(now: Date): Promise<void>;
  /** Calls back when the published set or the signer changed; returns the function that stops it. */
  onChange(listener: () => void): () => void;
  /** Call it before the database is closed. */
  close(): Promise<void>;
}

type OpenedKey = KeyTimes & { readonly jwk: PrivateJwk };

/**
 * Opens the signing keys, making the first one where there is none. Any number of replicas may start at
 * once: they end up with one key.
 *
 * @throws KeysStartError when the keys in the database do not open with this data-encryption key
 */
export async function createKeys(deps: KeysDeps, settings: RotationSettings): Promise<Keys> {
  const { db, box, now, log } = deps;
  const listeners = new Set<() => void>();
  let plan = await firstPlan(deps, settings);
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;
  let verification = verificationOf(plan);

  /** One after the other: an older read must not overwrite a newer one. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  }

  async function refresh(at: Date): Promise<void> {
    if (closed) return;
    try {
      adopt(await upToDate(deps, settings, at, 'tick'), at);
    } catch (err) {
      log.error({ err }, 'the signing keys could not be refreshed; the known ones stay in use');
    }
  }

  function adopt(stored: readonly StoredKey[], at: Date): void {
    const opened = stored.flatMap((key) => open(key, plan, deps) ?? []);
    const fresh = planKeys(opened, settings, at);
    if (!fresh.current) return;
    const changed = fingerprint(fresh) !== fingerprint(plan);
    plan = fresh;
    if (!changed) return;
    verification = verificationOf(plan);
    log.info({ kid: fresh.current.kid }, 'the signing keys changed');
    for (const listener of listeners) tell(listener, log);
  }

  const stopListening = await db.listen(keysChannel, () => void inTurn(() => refresh(now())));
  await inTurn(() => refresh(now())); // what happened before we listened
  return {
    publicJwks: () => publicSet(plan),
    verificationKey: (header, token) => verification(header, token),
    providerJwks: () => ({ keys: published(plan).map(({ jwk }) => ({ ...jwk })) }),
    current: () => signer(plan),
    list: () => describe(plan),
    settings,
    rotate: (meta, { actor = system, force = false } = {}) =>
      inTurn(async () => {
        const command = { actor, meta, force };
        const rotation = await rotateByCommand({ db, box, settings }, now(), command);
        await refresh(now());
        return rotation;
      }),
    withdraw: (kid, meta, { actor }) =>
      inTurn(async () => {
        const known = await withdrawByCommand({ db, box, settings }, now(), { kid, actor, meta });
        await refresh(now());
        return known;
      }),
    tick: (at) => inTurn(() => refresh(at)),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      await stopListening();
      await queue;
    },
  };
}

/** One listener that fails must not keep the others from hearing of a new key. */
function tell(listener: () => void, log: KeysDeps['log']): void {
  try {
    listener();
  } catch (err) {
    log.error({ err }, 'a part of the server could not take over the changed signing keys');
  }
}

/** Before anything is written: keys that do not open must stop the start, not be replaced. */
async function firstPlan(deps: KeysDeps, settings: RotationSettings): Promise<KeyPlan<OpenedKey>> {
  const at = deps.now();
  const stored = await selectKeys(deps.db.kysely);
  openAll(planKeys(stored, settings, at), deps);
  const keys = await upToDate(deps, settings, at, 'start');
  return planKeys(openAll(planKeys(keys, settings, at), deps), settings, at);
}

async function upToDate(
  { db, box }: KeysDeps,
  settings: RotationSettings,
  at: Date,
  occasion: Occasion,
): Promise<StoredKey[]> {
  const stored = await selectKeys(db.kysely);
  const acted = await followSchedule({ db, box, settings }, stored, at, occasion);
  return acted ? selectKeys(db.kysely) : stored;
}

function openAll(plan: KeyPlan<StoredKey>, { box }: KeysDeps): OpenedKey[] {
  return published(plan).map((key) => {
    try {
      return { ...key, jwk: unseal(key, box) };
    } catch (cause) {
      throw new KeysStartError(
        `the signing key ${key.kid} in the database does not open with this data-encryption key. ` +
          'Set data_encryption.key (AUTHPLANE_DATA_ENCRYPTION_KEY) to the key with which this ' +
          'database was first started; on a loopback issuer it lies in secrets.json in the data ' +
          'directory. If it is lost for good, delete the rows of the table signing_keys: new keys ' +
          'are made at the next start, and tokens that the old ones signed are refused',
        { cause },
      );
    }
  });
}

/**
 * A key that does not open is left out and not published: the seal also vouches for the public part, so
 * that who can write to the table cannot plant a key of their own.
 */
function open(key: StoredKey, known: KeyPlan<OpenedKey>, { box, log }: KeysDeps) {
  const same = published(known).find(({ kid }) => kid === key.kid);
  if (same) return { ...key, jwk: same.jwk };
  try {
    return { ...key, jwk: unseal(key, box) };
  } catch (err) {
    log.error({ err, kid: key.kid }, 'a signing key does not open and is not used');
    return undefined;
  }
}

function unseal(key: StoredKey, box: SecretBox): PrivateJwk {
  return parsePrivateJwk(box.open(key.privateSealed, sealContext(key.kid)));
}

function published<K extends KeyTimes>({ current, next, retired }: KeyPlan<K>): K[] {
  return [...(current ? [current] : []), ...next, ...retired];
}

function publicSet(plan: KeyPlan<OpenedKey>): { keys: JWK[] } {
  return { keys: published(plan).map(({ jwk }) => publicJwk(jwk)) };
}

function verificationOf(plan: KeyPlan<OpenedKey>): JWTVerifyGetKey {
  return createLocalJWKSet(publicSet(plan));
}

function signer({ current }: KeyPlan<OpenedKey>): { kid: string; alg: PrivateJwk['alg'] } {
  if (!current) throw new Error('there is no signing key');
  return { kid: current.jwk.kid, alg: current.jwk.alg };
}

function describe({ current, next, retired }: KeyPlan<OpenedKey>): KeyInfo[] {
  const info = (state: KeyInfo['state']) => (key: OpenedKey) => ({
    kid: key.kid,
    alg: key.alg,
    state,
    createdAt: key.createdAt,
    signsFrom: key.signsFrom,
    retiredAt: key.retiredAt,
    expiresAt: key.expiresAt,
  });
  return [
    ...(current ? [current] : []).map(info('current')),
    ...next.map(info('next')),
    ...retired.map(info('retired')),
  ];
}

function fingerprint(plan: KeyPlan<KeyTimes>): string {
  const kids = published(plan).map(({ kid }) => kid);
  return [plan.current?.kid, ...kids.sort()].join(' ');
}
