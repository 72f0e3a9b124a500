import type { Answer } from '../../api/types.ts';
import { Chip, type Tone } from '../../parts/Chip.tsx';
import { plainText } from '../../parts/foreign.ts';
import { SimpleTable } from '../../parts/layout.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { duration } from '../../parts/time.ts';

type Job = Answer<'settings', 'health'>['jobs'][number];

const tones: Record<Job['status'], Tone> = {
  ok: 'good',
  running: 'accent',
  failing: 'bad',
  late: 'warn',
  never: 'plain',
};

/** What runs by itself, when it last did, and what it removed. */
export function Jobs({ jobs }: { jobs: readonly Job[] }) {
  return (
    <SimpleTable
      stack
      label="Jobs"
      head={['Job', 'State', 'Every', 'Last finished', 'Rows then', 'Rows in all']}
    >
      {jobs.map((job) => (
        <tr key={job.id}>
          <td>
            {job.title}
            {job.error && <p className="dim">{plainText(job.error)}</p>}
            {job.progress && <p className="dim">{plainText(job.progress)}</p>}
          </td>
          <td>
            <Chip tone={tones[job.status]}>{job.status}</Chip>
          </td>
          <td data-label="Every">{duration(job.interval)}</td>
          <td data-label="Last finished">
            <RelativeTime time={job.finished_at} />
          </td>
          <td data-label="Rows then">{(job.rows ?? 0).toLocaleString('en')}</td>
          <td data-label="Rows in all">{job.rows_total.toLocaleString('en')}</td>
        </tr>
      ))}
    </SimpleTable>
  );
}
