import type { Answer } from '../../api/types.ts';
import styles from './overview.module.css';

type Overview = Answer<'stats', 'overview'>;

/** Four numbers, each with how it compares to the span before. */
export function Stats({ overview }: { overview: Overview }) {
  const { tokens_issued, active_people, active_clients, failures, refresh_overlaps } = overview;
  const people = active_people.total ?? Math.max(0, ...active_people.values);
  const clients = active_clients.total ?? Math.max(0, ...active_clients.values);
  return (
    <div className={styles.stats}>
      <Stat name="Tokens issued" value={tokens_issued.total} note={trend(tokens_issued)} />
      <Stat
        name="Active people"
        value={people}
        note={`with ${clients.toLocaleString('en')} clients`}
      />
      <Stat
        name="Requests refused"
        value={failures.total}
        note={trend(failures)}
        bad={failures.total > failures.previous * 1.5 && failures.total > 10}
      />
      <Stat
        name="Refresh races absorbed"
        value={refresh_overlaps.total}
        note={trend(refresh_overlaps)}
      />
    </div>
  );
}

function Stat({
  name,
  value,
  note,
  bad = false,
}: {
  name: string;
  value: number;
  note: string;
  bad?: boolean;
}) {
  return (
    <div className={styles.stat}>
      <small>{name}</small>
      <b>{value.toLocaleString('en')}</b>
      <span data-bad={bad || undefined}>{note}</span>
    </div>
  );
}

function trend({ total, previous }: { total: number; previous: number }): string {
  if (previous === 0) return total === 0 ? 'as before' : 'none before';
  const percent = Math.round(((total - previous) / previous) * 100);
  if (percent === 0) return 'as before';
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent).toLocaleString('en')} % on the span before`;
}
