import { randomBytes } from 'node:crypto';
import { type Database, hashId } from '../db/index.ts';
import { insertLink, takeLinkSubject } from './links.ts';
import { findUser } from './queries.ts';
import { toUser, type User } from './user.ts';

const purpose = 'admin_sign_in';
const validFor = 60_000;

/**
 * Hands a person who came back to the public listener over to the admin listener, which has other cookies:
 * a link for one use within a minute, in the browser that began there. Attack: a link that is stolen, or
 * slipped to somebody else's browser, has another browser's cookie and fits nothing.
 */
export function createProviderHandover({ db, now }: { db: Database; now: () => Date }) {
  return {
    /** @param browserHash hash of the cookie with which it began @returns the token of the link */
    async give({ userId, provider, browserHash }: Handover): Promise<string> {
      const at = now();
      const token = randomBytes(32).toString('base64url');
      await insertLink(db.kysely, {
        token_hash: tokenHash(token, browserHash),
        purpose,
        subject: JSON.stringify([userId, provider]),
        created_at: at,
        expires_at: new Date(at.getTime() + validFor),
      });
      return token;
    },

    /**
     * @param browser value of the cookie
     * @returns undefined for a link that was used, is too old, was made up, or is of another browser; and
     *   for somebody who has been disabled
     */
    async take(given: {
      token: string;
      browser: string;
    }): Promise<{ user: User; provider: string } | undefined> {
      const claim = {
        tokenHash: tokenHash(given.token, hashId(given.browser)),
        purpose,
        now: now(),
      };
      const subject = await takeLinkSubject(db.kysely, claim);
      if (subject === undefined) return undefined;
      const [userId, provider] = readSubject(subject);
      const row = await findUser(db.kysely, userId);
      return row?.status === 'active' ? { user: toUser(row), provider } : undefined;
    },
  };
}

export interface Handover {
  userId: string;
  /** Slug. */
  provider: string;
  browserHash: string;
}

function tokenHash(token: string, browserHash: string): string {
  return hashId(`${token}.${browserHash}`);
}

function readSubject(subject: string): [string, string] {
  const parts: unknown = JSON.parse(subject);
  const [userId, provider] = Array.isArray(parts) ? parts : [];
  return [String(userId), String(provider)];
}
