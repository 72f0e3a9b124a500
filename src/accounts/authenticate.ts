import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { addressBucket } from '../http/index.ts';
import { OAuthError } from '../oauth/index.ts';
import {
  type AttemptKeys,
  attemptKeys,
  claimAttempt,
  forgetAccountFailures,
  forgiveAddress,
  lockCounter,
} from './attempts.ts';
import type { Passwords } from './passwords.ts';
import {
  attemptLimits,
  emailKey,
  isStorable,
  judgeAttempt,
  type LockoutLimits,
  readPassword,
} from './policy.ts';
import { findUserByEmailKey, markSignedIn, type UserRow } from './queries.ts';
import { toUser, type User } from './user.ts';

export interface Credentials {
  email: string;
  password: string;
  /** What they sign in for, where it is not an authorization or their account. */
  purpose?: 'admin';
  meta: AuditMeta;
}

/** `invalid` and `locked` are the same for known and unknown accounts; `retryAfter` is in seconds. */
export type Authentication =
  | { ok: true; user: User }
  | { ok: false; reason: 'invalid' | 'locked'; retryAfter?: number };

interface Deps {
  db: Database;
  now: () => Date;
  passwords: Passwords;
}

/** Why a sign-in fails, for the audit log only. */
type Failure = 'locked' | 'unknown' | 'invalid' | 'disabled' | 'changed';

interface Attempt {
  keys: AttemptKeys;
  user: UserRow | undefined;
  purpose: 'admin' | undefined;
  meta: AuditMeta;
}

/**
 * Signs someone in by e-mail and password. Known and unknown, locked, disabled and password-less
 * accounts cost the same work and the same statements (T25). Limits hold per account and per address
 * (IPv6 /64) over all replicas.
 *
 * Does NOT make a session; does NOT check what the account may do.
 *
 * @throws OAuthError temporarily_unavailable (503) when too many sign-ins are under way
 */
export function createAuthenticate({ db, now, passwords }: Deps, lockout: LockoutLimits) {
  const limits = attemptLimits(lockout);

  return ({ email, password, purpose, meta }: Credentials): Promise<Authentication> =>
    passwords.attempt(async (verify) => {
      const at = now();
      const key = emailKey(email);
      const keys = attemptKeys(key, meta.ip ? addressBucket(meta.ip) : 'unknown');
      const windowEndsAt = after(at, lockout.window);
      const claim = await claimAttempt(db.kysely, { keys, limits, windowEndsAt, now: at });
      // A locked address learns nothing about any account: it costs neither a hash nor an audit row.
      const address = judgeAttempt(claim.address, limits.address, at);
      if (!address.ok || !claim.account) return refusal(address);
      const account = judgeAttempt(claim.account, limits.account, at);

      const user = isStorable(key) ? await findUserByEmailKey(db.kysely, key) : undefined;
      const typed = readPassword(password);
      const matches = typed !== undefined && (await verify(user?.password_hash ?? null, typed));
      const attempt = { keys, user, purpose, meta: { ...meta, at } };
      const failure = whyNot({ admitted: account.ok, matches, user });
      const signedIn = failure ? undefined : await succeed(attempt);
      if (signedIn) return { ok: true, user: signedIn };
      await fail(attempt, failure ?? 'changed');
      return refusal(account);
    });

  /** @returns undefined when the account changed while its password was verified */
  function succeed({ keys, user, purpose, meta }: Attempt): Promise<User | undefined> {
    return db.kysely.transaction().execute(async (trx) => {
      if (!user?.password_hash) return undefined;
      const { id, password_hash: passwordHash } = user;
      const row = await markSignedIn(trx, { id, passwordHash, now: meta.at });
      if (!row) return undefined;
      await forgiveAddress(trx, { key: keys.address, admitted: limits.address });
      await forgetAccountFailures(trx, keys.account);
      const actor: Actor = { kind: 'user', id };
      const detail = { method: 'password', purpose };
      await recordAudit(trx, { type: 'user_login', actor, userId: id, detail }, meta);
      return toUser(row);
    });
  }

  async function fail({ keys, user, meta }: Attempt, reason: Failure): Promise<void> {
    const about = { actor: { kind: 'system' } satisfies Actor, userId: user?.id };
    const until = after(meta.at, lockout.lockout);
    await db.kysely.transaction().execute(async (trx) => {
      const detail = { reason, method: 'password', known_account: user !== undefined };
      await recordAudit(trx, { type: 'user_login_failed', ...about, detail }, meta);
      for (const what of ['address', 'account'] as const) {
        const failures = limits[what];
        if (await lockCounter(trx, { key: keys[what], admitted: failures, until })) {
          const locked = { what, until, failures };
          await recordAudit(trx, { type: 'user_locked_out', ...about, detail: locked }, meta);
        }
      }
    });
  }
}

/**
 * Stands for {@link createAuthenticate} where `session.local_sign_in` is off.
 *
 * @throws OAuthError access_denied, always
 */
export async function refusePasswords(_: Credentials): Promise<Authentication> {
  throw new OAuthError(
    'access_denied',
    'People do not sign in with a password here. Go back and choose an identity provider.',
    { status: 403 },
  );
}

function whyNot(attempt: {
  admitted: boolean;
  matches: boolean;
  user: UserRow | undefined;
}): Failure | undefined {
  if (!attempt.admitted) return 'locked';
  if (!attempt.user) return 'unknown';
  if (!attempt.matches) return 'invalid';
  return attempt.user.status === 'disabled' ? 'disabled' : undefined;
}

function refusal(judged: ReturnType<typeof judgeAttempt>): Authentication {
  return judged.ok
    ? { ok: false, reason: 'invalid' }
    : { ok: false, reason: 'locked', retryAfter: judged.retryAfter };
}

function after(time: Date, seconds: number): Date {
  return new Date(time.getTime() + seconds * 1000);
}
