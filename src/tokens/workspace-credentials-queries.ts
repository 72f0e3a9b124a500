import { type Kysely, sql } from 'kysely';
import { type Database, statement, type Tables } from '../db/index.ts';
import { freshUse } from './personal-access-tokens-policy.ts';
import { credentialGrants } from './workspace-credentials-policy.ts';

export interface CredentialRow {
  jti: string;
  id: string;
  grant_type: string;
  workspace_id: string;
  label: string;
  connector_kind: string | null;
  connector_id: string | null;
  resource: string;
  user_id: string;
  email: string;
  user_name: string | null;
  created_at: Date;
  revoked_at: Date | null;
  last_used_at: Date | null;
  last_used_from: string | null;
}

const columns = [
  'c.jti',
  'c.id',
  'i.grant_type',
  'c.workspace_id',
  'c.label',
  'c.connector_kind',
  'c.connector_id',
  'i.resource',
  'c.user_id',
  'u.email',
  'u.name as user_name',
  'c.created_at',
  'i.revoked_at',
  'c.last_used_at',
  'c.last_used_from',
] as const;

/** Whoever makes the default credential of a workspace waits here for who makes it at the same moment. */
export async function lockWorkspace(trx: Kysely<Tables>, id: string): Promise<void> {
  await trx
    .selectFrom('workspaces')
    .select('id')
    .where('id', '=', id)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

/** Live ones of a member in a workspace. */
export async function countLive(
  trx: Kysely<Tables>,
  { userId, workspaceId }: { userId: string; workspaceId: string },
): Promise<number> {
  const { count } = await trx
    .selectFrom('issuances')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('kind', '=', 'workspace_credential')
    .where('revoked_at', 'is', null)
    .where('workspace_id', '=', workspaceId)
    .where('sub', '=', userId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The live default of a workspace at a resource. */
export async function selectDefault(
  trx: Kysely<Tables>,
  { workspaceId, resource }: { workspaceId: string; resource: string },
): Promise<string | undefined> {
  const row = await trx
    .selectFrom('issuances')
    .select('jti')
    .where('kind', '=', 'workspace_credential')
    .where('grant_type', '=', credentialGrants.default)
    .where('revoked_at', 'is', null)
    .where('workspace_id', '=', workspaceId)
    .where('resource', '=', resource)
    .executeTakeFirst();
  return row?.jti;
}

/** What is told of one that ends. Its person, and with them its name, may be gone. */
export function selectEnded(trx: Kysely<Tables>, jti: string) {
  return trx
    .selectFrom('issuances as i')
    .leftJoin('workspace_credentials as c', 'c.jti', 'i.jti')
    .select(['i.sub', 'i.resource', 'i.grant_type', 'i.workspace_id', 'c.id'])
    .where('i.jti', '=', jti)
    .executeTakeFirstOrThrow();
}

export async function insertCredential(
  trx: Kysely<Tables>,
  row: {
    jti: string;
    id: string;
    workspace_id: string;
    user_id: string;
    label: string;
    connector_kind: string | null;
    connector_id: string | null;
    created_at: Date;
  },
): Promise<void> {
  await trx.insertInto('workspace_credentials').values(row).execute();
}

export interface CredentialPage {
  workspaceId: string;
  /** `active`: those that have not ended. Absent: ended ones too, as long as their records are kept. */
  status?: 'active' | 'revoked' | undefined;
  after?: { at: Date; id: string } | undefined;
  limit: number;
}

/** Newest first. */
export function selectCredentials(
  db: Kysely<Tables>,
  page: CredentialPage,
): Promise<CredentialRow[]> {
  return credentialsQuery(db, page).execute();
}

/** Live ones are found along the index of these, so that many that ended cost nothing. */
export function credentialsQuery(
  db: Kysely<Tables>,
  { workspaceId, status, after, limit }: CredentialPage,
) {
  const live = status === 'active';
  const [time, key] = live
    ? (['i.issued_at', 'i.jti'] as const)
    : (['c.created_at', 'c.jti'] as const);
  return joined(db)
    .select(columns)
    .$if(live, (page) =>
      page
        .where('i.kind', '=', sql.lit('workspace_credential'))
        .where('i.revoked_at', 'is', null)
        .where('i.workspace_id', '=', workspaceId),
    )
    .$if(!live, (page) => page.where('c.workspace_id', '=', workspaceId))
    .$if(status === 'revoked', (page) => page.where('i.revoked_at', 'is not', null))
    .$if(after !== undefined, (page) =>
      page.where((where) =>
        where(
          where.refTuple(time, key),
          '<',
          where.tuple(after?.at ?? new Date(0), after?.id ?? ''),
        ),
      ),
    )
    .orderBy(time, 'desc')
    .orderBy(key, 'desc')
    .limit(limit);
}

/** By what people call it. */
export function selectCredential(
  db: Kysely<Tables>,
  id: string,
): Promise<CredentialRow | undefined> {
  return joined(db).select(columns).where('c.id', '=', id).executeTakeFirst();
}

function joined(db: Kysely<Tables>) {
  return db
    .selectFrom('workspace_credentials as c')
    .innerJoin('issuances as i', 'i.jti', 'c.jti')
    .innerJoin('users as u', 'u.id', 'c.user_id');
}

const used = statement(
  'touch_workspace_credential',
  `UPDATE workspace_credentials SET last_used_at = $2, last_used_from = $3
    WHERE jti = $1 AND (last_used_at IS NULL OR last_used_at < $4)`,
);

/** Notes a use, unless one was noted within the last minute. */
export async function markCredentialUsed(
  db: Database,
  { jti, at, from }: { jti: string; at: Date; from: string | undefined },
): Promise<void> {
  await db.run(used, [jti, at, from ?? null, freshUse(at)]);
}
