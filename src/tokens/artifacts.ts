import { type Database, hashId, statement } from '../db/index.ts';

/** Codes, refresh tokens, interactions …: keyed by the hash of their value, which is never stored. */
export interface Artifact {
  kind: string;
  payload: Record<string, unknown>;
  expiresAt: Date;
  consumedAt?: Date;
}

export interface NewArtifact {
  /** The secret value itself; only its hash is stored. */
  value: string;
  kind: string;
  familyId?: string;
  clientId?: string;
  userCode?: string;
  payload: Record<string, unknown>;
  expiresAt: Date;
}

const find = statement(
  'find_artifact',
  'SELECT kind, payload, expires_at, consumed_at FROM artifacts WHERE id = $1 AND kind = $2',
);
const save = statement(
  'save_artifact',
  `INSERT INTO artifacts (id, kind, family_id, client_id, payload, expires_at, user_code, created_at)
   VALUES ($1, $2, $3, $4, $5::jsonb, $6, $7, $8)
   ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
);
const consume = statement(
  'consume_artifact',
  'UPDATE artifacts SET consumed_at = $3 WHERE id = $1 AND kind = $2 AND consumed_at IS NULL RETURNING id',
);
const remove = statement('remove_artifact', 'DELETE FROM artifacts WHERE id = $1 AND kind = $2');

interface Row {
  kind: string;
  payload: Record<string, unknown>;
  expires_at: Date;
  consumed_at: Date | null;
}

/** Reads, writes and uses up artifacts, one statement each. */
export function createArtifacts(db: Database) {
  return {
    async find(kind: string, value: string): Promise<Artifact | undefined> {
      const [row] = await db.run<Row>(find, [hashId(value), kind]);
      if (!row) return undefined;
      return {
        kind: row.kind,
        payload: row.payload,
        expiresAt: row.expires_at,
        consumedAt: row.consumed_at ?? undefined,
      };
    },
    async save(artifact: NewArtifact, now: Date): Promise<void> {
      await db.run(save, [
        hashId(artifact.value),
        artifact.kind,
        artifact.familyId ?? null,
        artifact.clientId ?? null,
        JSON.stringify(artifact.payload),
        artifact.expiresAt,
        artifact.userCode ?? null,
        now,
      ]);
    },
    /** Uses an artifact up. @returns false when somebody else already has */
    async consume(kind: string, value: string, now: Date): Promise<boolean> {
      const rows = await db.run(consume, [hashId(value), kind, now]);
      return rows.length === 1;
    },
    async remove(kind: string, value: string): Promise<void> {
      await db.run(remove, [hashId(value), kind]);
    },
  };
}

export type Artifacts = ReturnType<typeof createArtifacts>;
