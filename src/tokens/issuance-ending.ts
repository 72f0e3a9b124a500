import { type Kysely, sql } from 'kysely';
import { type Actor, type AuditMeta, auditRow, recordAudit } from '../audit/index.ts';
import type { Database, Tables } from '../db/index.ts';
import { grantTypes } from '../oauth/index.ts';
import type { Exchange } from './exchange.ts';
import { credentialRevoked, type EndReason } from './workspace-credentials-events.ts';

export interface EndRequest {
  jti: string;
  /**
   * `token`: it and everything that was exchanged from it. `authorization`: with it the whole token family
   * that it belongs to, refresh tokens too. A refresh token always ends its family.
   */
  extent: 'token' | 'authorization';
  actor: Actor;
  meta: AuditMeta;
}

/**
 * One action that takes an issued token back, with its audit event in the same transaction. Repeating it
 * ends nothing more.
 *
 * @returns the `jti` of every token that ended just now; undefined where the token was never issued
 */
export async function endIssued(
  { db, exchange }: { db: Database; exchange: Pick<Exchange, 'end'> },
  { jti, extent, actor, meta }: EndRequest,
): Promise<string[] | undefined> {
  const issued = await findIssued(db.kysely, jti);
  if (!issued) return undefined;
  const { family_id, kind, ...row } = issued;
  if (kind === 'workspace_credential') {
    const why = { jti, reason: 'operator', meta: { ...meta, actor } } as const;
    return db.kysely.transaction().execute((trx) => endCredential(trx, why));
  }
  const event = (detail: { jti: string; family_id?: string; count?: number }) => ({
    type: 'token_revoked' as const,
    ...{ actor, clientId: row.client_id ?? undefined, resource: row.resource },
    userId: row.sub === row.client_id ? undefined : row.sub,
    detail: { reason: 'operator', ...detail },
  });
  if (family_id === null || (extent === 'token' && kind !== 'refresh_token')) {
    return exchange.end(jti, [auditRow(event({ jti }), meta)], meta.at);
  }
  return db.kysely.transaction().execute(async (trx) => {
    const newly = await endFamily(trx, family_id, meta.at);
    const ended = await endTree(trx, { family_id }, meta.at);
    if (newly || ended.length > 0) {
      await recordAudit(trx, event({ jti, family_id, count: ended.length }), meta);
    }
    return ended;
  });
}

/**
 * Marks every token that was issued under a grant and everything that was exchanged from these, in the
 * transaction that withdraws the grant: they stay dead when it is approved again.
 */
export async function endIssuedUnder(
  trx: Kysely<Tables>,
  { grantId, now }: { grantId: string; now: Date },
): Promise<void> {
  await endTree(trx, { grant_id: grantId }, now);
}

/**
 * Marks every token of a person for a workspace, personal ones too, and everything that was exchanged from
 * these, in the transaction that ends the membership.
 */
export async function endIssuedIn(
  trx: Kysely<Tables>,
  { userId, workspaceId, now }: { userId: string; workspaceId: string; now: Date },
): Promise<void> {
  await endTree(trx, { sub: userId, workspace_id: workspaceId }, now);
}

/** Marks every token for a resource and everything that was exchanged from these, when it is removed. */
export async function endIssuedFor(
  trx: Kysely<Tables>,
  { resource, now }: { resource: string; now: Date },
): Promise<void> {
  await endTree(trx, { resource }, now);
}

/**
 * Ends a workspace credential and everything that was exchanged from it, with its audit event; what has ended before
 * ends silently.
 *
 * @returns the `jti` of every token that ended just now
 */
export async function endCredential(
  trx: Kysely<Tables>,
  { jti, reason, meta }: { jti: string; reason: EndReason; meta: AuditMeta & { actor: Actor } },
): Promise<string[]> {
  const ended = await endTree(trx, { jti }, meta.at);
  if (!ended.includes(jti)) return ended;
  await recordAudit(trx, await credentialRevoked(trx, { jti, actor: meta.actor, reason }), meta);
  return ended;
}

function findIssued(db: Kysely<Tables>, jti: string) {
  return db
    .selectFrom('issuances')
    .select(['family_id', 'kind', 'client_id', 'sub', 'resource'])
    .where('jti', '=', jti)
    .executeTakeFirst();
}

/** The order of the locks is that of the token endpoint: families, artifacts, issuances. */
async function endFamily(trx: Kysely<Tables>, id: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('families')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  await trx
    .updateTable('artifacts')
    .set({ successor_sealed: null })
    .where('family_id', '=', id)
    .where('successor_sealed', 'is not', null)
    .execute();
  return numUpdatedRows > 0n;
}

type Roots =
  | { jti: string }
  | { family_id: string }
  | { grant_id: string }
  | { resource: string }
  | { sub: string; workspace_id: string };

function rootsOf(from: Roots) {
  if ('jti' in from) return sql`jti = ${from.jti}`;
  if ('family_id' in from) return sql`family_id = ${from.family_id}`;
  if ('resource' in from) return sql`resource = ${from.resource} AND revoked_at IS NULL`;
  if ('sub' in from) return sql`sub = ${from.sub} AND workspace_id = ${from.workspace_id}`;
  return sql`(grant_id = ${from.grant_id} AND family_id IS NULL)
            OR family_id IN (SELECT id FROM families WHERE grant_id = ${from.grant_id})`;
}

async function endTree(trx: Kysely<Tables>, from: Roots, now: Date): Promise<string[]> {
  const { rows } = await sql<{ jti: string }>`
    WITH RECURSIVE tree AS (
      SELECT jti FROM issuances WHERE ${rootsOf(from)}
      UNION
      SELECT i.jti FROM tree JOIN issuances i ON i.parent_jti = tree.jti
       WHERE i.grant_type = ${grantTypes.tokenExchange}
    )
    UPDATE issuances SET revoked_at = ${now}
     WHERE jti IN (SELECT jti FROM tree) AND revoked_at IS NULL AND expires_at > ${now}
    RETURNING jti`.execute(trx);
  return rows.map((row) => row.jti);
}
