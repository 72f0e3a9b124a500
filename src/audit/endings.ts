import type { Kysely } from 'kysely';
import type { Tables } from '../db/index.ts';

/** What an event says about the end of tokens. */
export interface Ending {
  type: string;
  at: Date;
  actorKind: string;
  actorId: string | null;
  detail: Record<string, unknown>;
}

const endings = [
  'token_revoked',
  'credential_revoked',
  'consent_revoked',
  'refresh_token_reused',
  'auth_code_reused',
  'client_removed',
  'user_disabled',
];
/** Milliseconds between the time of an event and that in the row that it tells of. */
const tolerance = 3000;
const mostExamined = 200;

/** What ended a token, by the ids that events name; undefined where the log does not say. */
export async function findEnding(
  db: Kysely<Tables>,
  at: Date,
  ids: readonly (string | null)[],
): Promise<Ending | undefined> {
  const known = new Set(ids.filter((id) => id !== null));
  const rows = await db
    .selectFrom('audit_events')
    .select(['type', 'at', 'actor_kind', 'actor_id', 'client_id', 'user_id', 'detail'])
    .where('type', 'in', endings)
    .where('at', '>=', new Date(at.getTime() - tolerance))
    .where('at', '<=', new Date(at.getTime() + tolerance))
    .limit(mostExamined)
    .execute();
  const found = rows.find(({ client_id, user_id, detail, type }) => {
    const whole = type === 'client_removed' ? client_id : type === 'user_disabled' ? user_id : null;
    return [whole, detail.jti, detail.family_id, detail.grant_id].some(
      (id) => typeof id === 'string' && known.has(id),
    );
  });
  if (!found) return undefined;
  const { type, actor_kind: actorKind, actor_id: actorId, detail } = found;
  return { type, at: found.at, actorKind, actorId, detail };
}
