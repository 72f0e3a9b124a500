import { type Actor, type AuditMeta, recordAudit } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { addressBucket } from '../http/index.ts';
import { claimCounter, forgiveAddress, lockCounter, lockedUntil } from './attempts.ts';
import { attemptLimits, judgeAttempt, type LockoutLimits } from './policy.ts';

/** What strangers could guess, beside passwords. */
export type Guessed = 'user_code' | 'api_key';

export interface GuessRequest {
  what: Guessed;
  /** Who is signed in in that browser, if anybody. */
  userId: string | undefined;
  meta: AuditMeta;
}

/** An attempt that may be verified; it counts as wrong until {@link right} takes it back. */
export interface Guess {
  ok: true;
  right(): Promise<void>;
  /** Locks what has had its attempts. */
  wrong(): Promise<void>;
}

/** `retryAfter` in seconds. */
export type Guessing = Guess | { ok: false; retryAfter: number };

interface Target {
  what: 'address' | 'account';
  key: string;
  admitted: number;
}

/**
 * Limits guesses of short secrets by the address (IPv6 /64) and by the account that makes them, over all
 * replicas (RFC 8628 §5.1). The limits are those of sign-ins; the counters are their own.
 */
export function createGuesses(
  { db, now }: { db: Database; now: () => Date },
  lockout: LockoutLimits,
) {
  const limits = attemptLimits(lockout);

  function targets({ what, userId, meta }: GuessRequest): Target[] {
    const bucket = meta.ip ? addressBucket(meta.ip) : 'unknown';
    const keyOf = { address: `${what}:address:${bucket}`, account: `${what}:account:${userId}` };
    const counted: Target['what'][] = userId === undefined ? ['address'] : ['address', 'account'];
    return counted.map((one) => ({ what: one, key: keyOf[one], admitted: limits[one] }));
  }

  async function wrong({ what, userId, meta }: GuessRequest, counted: Target[]): Promise<void> {
    const until = new Date(now().getTime() + lockout.lockout * 1000);
    const actor: Actor = { kind: 'system' };
    await db.kysely.transaction().execute(async (trx) => {
      for (const { what: locked, key, admitted } of counted) {
        if (!(await lockCounter(trx, { key, admitted, until }))) continue;
        const detail = { what: locked, until, failures: admitted, guessed: what };
        await recordAudit(trx, { type: 'user_locked_out', actor, userId, detail }, meta);
      }
    });
  }

  return {
    /**
     * Whether an address has had its attempts, without counting one: for what is asked at every request.
     *
     * @returns seconds to wait; undefined when it may try
     */
    async blocked(request: GuessRequest): Promise<number | undefined> {
      const at = now();
      for (const { key } of targets(request)) {
        const until = await lockedUntil(db.kysely, { key, now: at });
        if (until) return Math.max(1, Math.ceil((until.getTime() - at.getTime()) / 1000));
      }
      return undefined;
    },

    /** Counts a guess before it is verified, as if it were wrong: parallel ones share one limit. */
    async begin(request: GuessRequest): Promise<Guessing> {
      const at = now();
      const windowEndsAt = new Date(at.getTime() + lockout.window * 1000);
      const counted = targets(request);
      for (const { key, admitted } of counted) {
        const counter = await claimCounter(db.kysely, { key, admitted, windowEndsAt, now: at });
        const judged = judgeAttempt(counter, admitted, at);
        if (!judged.ok) return judged;
      }
      return {
        ok: true,
        async right() {
          for (const { key, admitted } of counted) {
            await forgiveAddress(db.kysely, { key, admitted });
          }
        },
        wrong: () => wrong(request, counted),
      };
    },
  };
}
