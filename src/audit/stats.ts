import { type Kysely, sql } from 'kysely';
import type { Database, Tables } from '../db/index.ts';

export type StatsStep = 'hour' | 'day';

/** What was counted under a label in one step. */
export interface StatsRow {
  readonly at: Date;
  readonly metric: string;
  readonly label: string;
  readonly count: number;
}

export interface StatsPeriod {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

/** The hourly counts, for charts. Reads no other table. */
export function createStats({ kysely }: Pick<Database, 'kysely'>) {
  return {
    /** Every count of a period, hour by hour or summed up by day (UTC). */
    async read(period: StatsPeriod, step: StatsStep): Promise<StatsRow[]> {
      const rows = await countsQuery(kysely, period, step).execute();
      return rows.map((row) => ({ ...row, count: Number(row.count) }));
    },
    /** Sums of a whole period by metric. */
    async sums(period: StatsPeriod): Promise<Map<string, number>> {
      const rows = await sumsQuery(kysely, period).execute();
      return new Map(rows.map(({ metric, count }) => [metric, Number(count)]));
    },
    /** How many clients or people were active since a time. */
    async activeSince(kind: 'client' | 'person', since: Date): Promise<number> {
      const { count } = await activeQuery(kysely, kind, since).executeTakeFirstOrThrow();
      return Number(count);
    },
    /** Removes at most `limit` counts and marks of before a time. @returns how many went */
    async removeBefore(before: Date, activeBefore: Date, limit: number): Promise<number> {
      const { rows } = await sql<{ gone: string }>`WITH counts AS (
          DELETE FROM stats_hourly WHERE ctid IN (
            SELECT ctid FROM stats_hourly WHERE hour < ${before} LIMIT ${limit}) RETURNING 1
        ), marks AS (
          DELETE FROM stats_active WHERE ctid IN (
            SELECT ctid FROM stats_active
             WHERE kind IN ('client', 'person') AND last_at < ${activeBefore} LIMIT ${limit}) RETURNING 1
        ) SELECT (SELECT count(*) FROM counts) + (SELECT count(*) FROM marks) AS gone`.execute(
        kysely,
      );
      return Number(rows[0]?.gone ?? 0);
    },
  };
}

export type Stats = ReturnType<typeof createStats>;

export function countsQuery(db: Kysely<Tables>, { from, to }: StatsPeriod, step: StatsStep) {
  const at = step === 'hour' ? sql<Date>`hour` : sql<Date>`date_trunc('day', hour, 'UTC')`;
  return db
    .selectFrom('stats_hourly')
    .select([at.as('at'), 'metric', 'label'])
    .select((select) => select.fn.sum<string>('count').as('count'))
    .where('hour', '>=', from)
    .where('hour', '<', to)
    .groupBy([at, 'metric', 'label']);
}

export function sumsQuery(db: Kysely<Tables>, { from, to }: StatsPeriod) {
  return db
    .selectFrom('stats_hourly')
    .select('metric')
    .select((select) => select.fn.sum<string>('count').as('count'))
    .where('hour', '>=', from)
    .where('hour', '<', to)
    .groupBy('metric');
}

export function activeQuery(db: Kysely<Tables>, kind: 'client' | 'person', since: Date) {
  return db
    .selectFrom('stats_active')
    .select((select) => select.fn.countAll<string>().as('count'))
    .where('kind', '=', kind)
    .where('last_at', '>=', since);
}
