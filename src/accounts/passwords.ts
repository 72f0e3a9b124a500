import { hash, verify } from '@node-rs/argon2';
import { createGate } from './gate.ts';

/** How a password becomes a hash; injected so that a test can see what was verified. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
}

/** Checks one password; an account without a hash costs the same work. */
export type VerifyPassword = (hash: string | null, password: string) => Promise<boolean>;

export interface Passwords {
  /** Hashes a password that {@link checkNewPassword} has read. */
  hash(password: string): Promise<string>;
  /** Runs a whole sign-in attempt within the limit on parallel work. @throws OAuthError 503 when it is full */
  attempt<T>(work: (verify: VerifyPassword) => Promise<T>): Promise<T>;
}

/** argon2id with the parameters of OWASP's Password Storage Cheat Sheet: 19 MiB, 2 passes, 1 lane. */
export const argon2id: PasswordHasher = {
  hash: (password) =>
    hash(password, {
      algorithm: 2 /* argon2id */,
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
    }),
  verify,
};

/** The argon2id hash of a random value that nobody kept. */
export const nobodysHash =
  '$argon2id$v=19$m=19456,t=2,p=1$5GAhRyK0Ioac2iOsvn5IMg$cBqmMmdkIKU56debKUOHpt0rg90aHZ3vfiAFeR+XLEg';

/** Each one takes 19 MiB and most of a core for some 30 ms. */
const limits = { running: 2, waiting: 40 };

/**
 * Attack: telling known from unknown accounts by the time of the answer (T25). Whoever has no hash is
 * verified against {@link nobodysHash} and fails.
 */
export function createPasswords(hasher: PasswordHasher = argon2id): Passwords {
  const gate = createGate(limits);
  return {
    hash: (password) => gate.run(() => hasher.hash(password)),
    attempt: (work) =>
      gate.run(() =>
        work(async (hash, password) => {
          const matches = await hasher.verify(hash ?? nobodysHash, password);
          return hash !== null && matches;
        }),
      ),
  };
}
