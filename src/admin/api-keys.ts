import { randomInt } from 'node:crypto';
import { recordAudit } from '../audit/index.ts';
import { type Database, hashId } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import { isCheckedSecret, newCheckedSecret } from '../tokens/index.ts';
import {
  type ApiKeyQuery,
  type ApiKeyRow,
  findApiKey,
  findApiKeyByHash,
  insertApiKey,
  listApiKeys,
  markApiKeyUsed,
  revokeApiKey,
} from './api-keys-queries.ts';
import type { By } from './caller.ts';
import type { Permission } from './contract/index.ts';
import { permits } from './policy.ts';

const start = 'as_key_';
/** Characters of the value, beyond its start, by which people recognise a key. */
const shown = 6;
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export interface NewApiKey {
  name: string;
  role: Permission;
  /** Seconds; without it the key lives until it is revoked. */
  expiresIn?: number | undefined;
}

export type ApiKeys = ReturnType<typeof createApiKeys>;

/** Keys of programs that call the admin API, each bound to a role. Only their hashes are kept. */
export function createApiKeys({ db, now }: { db: Database; now: () => Date }) {
  return {
    list: (query: ApiKeyQuery) => listApiKeys(db.kysely, query, now()),
    find: (id: string) => findApiKey(db.kysely, id, now()),

    /**
     * Makes a key. Its value is returned this once.
     *
     * @throws OAuthError access_denied, 403, for a role above the maker's own
     */
    async create(
      { name, role, expiresIn }: NewApiKey,
      by: By,
    ): Promise<ApiKeyRow & { value: string }> {
      if (!permits(by.role, role)) {
        throw new OAuthError('access_denied', `Nobody gives more than they have: ${by.role}.`, {
          status: 403,
        });
      }
      const at = now();
      const value = newCheckedSecret(start);
      const expires =
        expiresIn === undefined ? undefined : new Date(at.getTime() + expiresIn * 1000);
      const row = {
        ...{ id: newKeyId(), name, role, hash: hashId(value) },
        prefix: value.slice(0, start.length + shown),
        ...{ created_by: await personBehind(by), created_at: at, expires_at: expires },
      };
      await db.kysely.transaction().execute(async (trx) => {
        await insertApiKey(trx, row);
        const detail = { key_id: row.id, name, role, expires_at: expires };
        await recordAudit(trx, { type: 'api_key_created', actor: by.actor, detail }, by.meta);
      });
      const made = await findApiKey(db.kysely, row.id, at);
      if (!made) throw new Error('an API key that was just made is gone');
      return { ...made, value };
    },

    /** Ends a key at once. Ending it again changes nothing. @returns undefined for an unknown one */
    async revoke(id: string, { actor, meta }: By): Promise<ApiKeyRow | undefined> {
      await db.kysely.transaction().execute(async (trx) => {
        const ended = await revokeApiKey(trx, { id, now: now() });
        if (!ended) return;
        const detail = { key_id: id, name: ended.name, role: ended.role };
        await recordAudit(trx, { type: 'api_key_revoked', actor, detail }, meta);
      });
      return findApiKey(db.kysely, id, now());
    },

    /**
     * The key with this value, while it works. Notes the use, at most once a minute.
     *
     * @param from address of the caller
     */
    async use(value: string, from: string): Promise<{ id: string; role: Permission } | undefined> {
      if (!isCheckedSecret(value, start)) return undefined;
      const at = now();
      const row = await findApiKeyByHash(db.kysely, hashId(value), at);
      if (row?.status !== 'active') return undefined;
      const role = roleNow(row);
      if (!role) return undefined;
      if (!row.last_used_at || at.getTime() - row.last_used_at.getTime() >= 60_000) {
        await markApiKeyUsed(db.kysely, { id: row.id, at, from });
      }
      return { id: row.id, role };
    },
  };

  /** Who is behind a key that a key makes: the person who made that one. */
  async function personBehind({ actor }: By): Promise<string | undefined> {
    const key = actor.id?.startsWith('key_') ? await findApiKey(db.kysely, actor.id, now()) : null;
    return key?.created_by?.startsWith('usr_') ? key.created_by : actor.id;
  }
}

/**
 * What a key may do: no more than the person who made it may do now. Attack: somebody who is let go keeps a key, and
 * lets themselves in again. A key that the configuration's key or the command line made stands for itself.
 */
function roleNow({
  role,
  created_by,
  maker_role,
}: ApiKeyRow & { maker_role: Permission | null }): Permission | undefined {
  if (!created_by?.startsWith('usr_')) return role;
  if (!maker_role) return undefined;
  return permits(maker_role, role) ? role : maker_role;
}

function newKeyId(): string {
  return `key_${Array.from({ length: 20 }, () => base62[randomInt(base62.length)]).join('')}`;
}
