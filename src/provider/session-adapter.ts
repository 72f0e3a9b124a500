import type { Adapter } from 'oidc-provider';
import type { Accounts } from '../accounts/index.ts';
import { hashId } from '../db/index.ts';
import { expiresAt, unsupported, withoutSecrets } from './stored-payload.ts';

/** Milliseconds for which a rotated session id is still known: parallel tabs are on their way with it. */
const rotationGrace = 15_000;

/** Sign-in sessions, kept by accounts/ under the hash of the cookie's value. */
export function sessionAdapter({
  accounts: { sessions },
  now,
}: {
  accounts: Accounts;
  now: () => Date;
}): Adapter {
  return {
    ...unsupported('Session'),
    async find(id) {
      const row = await sessions.find(hashId(id));
      return row && { ...row.payload, jti: id };
    },
    async findByUid(uid) {
      return (await sessions.findByUid(uid))?.payload;
    },
    async upsert(id, payload, expiresIn) {
      await sessions.save({
        id: hashId(id),
        uid: String(payload.uid),
        user_id: payload.accountId ?? null,
        payload: JSON.stringify(withoutSecrets(payload)),
        expires_at: expiresAt(now(), expiresIn),
        created_at: now(),
      });
    },
    async destroy(id) {
      // The id changed; at sign-in the whole session before ends instead (browser-session.ts).
      await sessions.touch(hashId(id), new Date(now().getTime() + rotationGrace));
    },
  };
}
