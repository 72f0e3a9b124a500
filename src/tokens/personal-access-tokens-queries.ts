import type { Insertable, Kysely } from 'kysely';
import { type Database, type IssuancesTable, statement, type Tables } from '../db/index.ts';
import { freshUse } from './personal-access-tokens-policy.ts';

export interface PersonalTokenRow {
  jti: string;
  user_id: string;
  email: string;
  name: string;
  resource: string;
  scope: string;
  workspace_id: string | null;
  /** As the workspace is called now. */
  workspace_name: string | null;
  created_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  last_used_at: Date | null;
  last_used_from: string | null;
}

const columns = [
  'p.jti',
  'p.user_id',
  'u.email',
  'p.name',
  'i.resource',
  'i.scope',
  'i.workspace_id',
  'w.name as workspace_name',
  'p.created_at',
  'i.expires_at',
  'i.revoked_at',
  'p.last_used_at',
  'p.last_used_from',
] as const;

/**
 * The account that a token is made for. Until the end of the transaction nobody disables it, and nobody
 * else makes a token for it. Attack: many requests at once, each below the maximum.
 */
export function lockPerson(trx: Kysely<Tables>, id: string) {
  return trx
    .selectFrom('users')
    .select(['id', 'email', 'groups', 'status'])
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** Whether a resource is registered and enabled; it stays so until the end of the transaction. */
export async function lockResource(trx: Kysely<Tables>, uri: string): Promise<boolean> {
  const row = await trx
    .selectFrom('resources')
    .select('uri')
    .where('uri', '=', uri)
    .where('enabled', '=', true)
    .forShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether a client may be issued tokens; it stays so until the end of the transaction. */
export async function lockClient(trx: Kysely<Tables>, clientId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('clients')
    .select('client_id')
    .where('client_id', '=', clientId)
    .where('status', '=', 'active')
    .forShare()
    .executeTakeFirst();
  return row !== undefined;
}

export async function countLive(trx: Kysely<Tables>, userId: string, now: Date): Promise<number> {
  const { count } = await trx
    .selectFrom('personal_access_tokens as p')
    .innerJoin('issuances as i', 'i.jti', 'p.jti')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('p.user_id', '=', userId)
    .where('i.revoked_at', 'is', null)
    .where('i.expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export async function insertIssuance(
  trx: Kysely<Tables>,
  row: Insertable<IssuancesTable>,
): Promise<void> {
  await trx.insertInto('issuances').values(row).execute();
}

export async function insertPersonalToken(
  trx: Kysely<Tables>,
  row: { jti: string; user_id: string; name: string; created_at: Date },
): Promise<void> {
  await trx.insertInto('personal_access_tokens').values(row).execute();
}

export interface Position {
  createdAt: Date;
  jti: string;
}

/** Newest first. @param which.status as of `which.now`; absent means any */
export function selectPersonalTokens(
  db: Kysely<Tables>,
  which: {
    userId?: string | undefined;
    workspaceIds?: readonly string[] | undefined;
    status?: 'active' | 'expired' | 'revoked' | undefined;
    now: Date;
    after?: Position | undefined;
    limit: number;
  },
): Promise<PersonalTokenRow[]> {
  const { userId, workspaceIds, status, now, after, limit } = which;
  return joined(db)
    .select(columns)
    .$if(userId !== undefined, (query) => query.where('p.user_id', '=', userId ?? ''))
    .$if(workspaceIds !== undefined, (query) =>
      query.where('i.workspace_id', 'in', ['-', ...(workspaceIds ?? [])]),
    )
    .$if(status !== undefined, (query) =>
      query.where('i.revoked_at', status === 'revoked' ? 'is not' : 'is', null),
    )
    .$if(status === 'active', (query) => query.where('i.expires_at', '>', now))
    .$if(status === 'expired', (query) => query.where('i.expires_at', '<=', now))
    .$if(after !== undefined, (query) =>
      query.where((where) =>
        where(
          where.refTuple('p.created_at', 'p.jti'),
          '<',
          where.tuple(after?.createdAt ?? new Date(0), after?.jti ?? ''),
        ),
      ),
    )
    .orderBy('p.created_at', 'desc')
    .orderBy('p.jti', 'desc')
    .limit(limit)
    .execute();
}

export function selectPersonalToken(
  db: Kysely<Tables>,
  jti: string,
): Promise<PersonalTokenRow | undefined> {
  return joined(db).select(columns).where('p.jti', '=', jti).executeTakeFirst();
}

function joined(db: Kysely<Tables>) {
  return db
    .selectFrom('personal_access_tokens as p')
    .innerJoin('issuances as i', 'i.jti', 'p.jti')
    .innerJoin('users as u', 'u.id', 'p.user_id')
    .leftJoin('workspaces as w', 'w.id', 'i.workspace_id');
}

const used = statement(
  'touch_personal_access_token',
  `UPDATE personal_access_tokens SET last_used_at = $2, last_used_from = $3
    WHERE jti = $1 AND (last_used_at IS NULL OR last_used_at < $4)`,
);

/** Notes a use, unless one was noted within the last minute. */
export async function markUsed(
  db: Database,
  { jti, at, from }: { jti: string; at: Date; from: string | undefined },
): Promise<void> {
  await db.run(used, [jti, at, from ?? null, freshUse(at)]);
}
