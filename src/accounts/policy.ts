/** Pure rules about people: how an e-mail is compared, which passwords are taken, when guessing stops. */

/** Characters that a chosen password needs. */
export const minPasswordLength = 10;
const passwordMaxBytes = 1024;
const emailMaxCharacters = 254; // RFC 5321 §4.5.3.1.3, without the angle brackets
const nameMaxCharacters = 200;
/** An address serves several people (offices, carrier NAT), so it may fail more often than one account. */
const addressFactor = 5;

export type Checked<T> = { ok: true; value: T } | { ok: false; reason: string };

/** How failed sign-ins are limited; `rate_limit.auth_*` of the configuration. */
export interface LockoutLimits {
  /** Failures per account within the window after which it is locked. */
  failures: number;
  /** Seconds from the first failure on. */
  window: number;
  /** Seconds that a lock lasts. */
  lockout: number;
}

/** What a sign-in counts against, in the order in which the counters are claimed. */
export interface AttemptLimits {
  address: number;
  account: number;
}

/**
 * The form of an e-mail address under which accounts are found and are unique: NFKC, lower case, trimmed.
 * Does NOT check that it is an address; see {@link checkEmail}.
 */
export function emailKey(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase();
}

/** An address that an account may have, as it is shown. Does NOT check that mail arrives there. */
export function checkEmail(email: string): Checked<string> {
  const value = email.normalize('NFKC').trim();
  const usable = value.length <= emailMaxCharacters && isStorable(value);
  return usable && /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u.test(value)
    ? { ok: true, value }
    : {
        ok: false,
        reason: 'The e-mail address needs one @ and no spaces, and at most 254 characters',
      };
}

/** A person's name as it is shown; undefined when left empty. */
export function checkName(name: string | undefined): Checked<string | undefined> {
  const value = name?.normalize('NFC').trim();
  if (!value) return { ok: true, value: undefined };
  return value.length <= nameMaxCharacters && isStorable(value) && !/\p{Cc}/u.test(value)
    ? { ok: true, value }
    : { ok: false, reason: 'The name may have at most 200 characters and no control characters' };
}

/**
 * A password someone chooses. The value is what is hashed: NFKC, so that it is the same from every keyboard
 * (NIST SP 800-63B §3.1.1.2). Length is the only rule, as that guideline asks.
 */
export function checkNewPassword(password: string): Checked<string> {
  const value = readPassword(password);
  if (value === undefined) {
    return {
      ok: false,
      reason: `The password may have at most ${passwordMaxBytes} bytes and no NUL character`,
    };
  }
  return [...value].length >= minPasswordLength
    ? { ok: true, value }
    : { ok: false, reason: `The password needs ${minPasswordLength} characters or more` };
}

/**
 * A password someone signs in with, as it is compared; undefined when no account can have it, so that
 * nobody makes the server hash megabytes (BF07).
 */
export function readPassword(password: string): string | undefined {
  // Counted in UTF-16 units first: the exact count of a huge string is itself work.
  if (password.length > passwordMaxBytes || !isStorable(password)) return undefined;
  if (new TextEncoder().encode(password).length > passwordMaxBytes) return undefined;
  return password.normalize('NFKC');
}

/** Whether Postgres takes the text: no NUL, no lone surrogates (else its error 22021 would surface). */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** How many attempts each counter admits within a window. */
export function attemptLimits({ failures }: LockoutLimits): AttemptLimits {
  return { account: failures, address: failures * addressFactor };
}

export interface Counter {
  failures: number;
  windowEndsAt: Date;
  lockedUntil: Date | null;
}

/**
 * Whether an attempt that has just been counted may be verified. The counter includes this attempt, so of
 * many parallel guesses exactly `admitted` are verified (T25).
 *
 * @returns `retryAfter` in whole seconds, 1 or more
 */
export function judgeAttempt(
  counter: Counter,
  admitted: number,
  now: Date,
): { ok: true } | { ok: false; retryAfter: number } {
  if (counter.failures <= admitted) return { ok: true };
  const until = counter.lockedUntil ?? counter.windowEndsAt;
  return {
    ok: false,
    retryAfter: Math.max(1, Math.ceil((until.getTime() - now.getTime()) / 1000)),
  };
}
