import { useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip } from '../../parts/Chip.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { plainText } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Columns, Rows, SimpleTable } from '../../parts/layout.tsx';
import { Note } from '../../parts/Note.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import { bytes } from './bytes.ts';
import { Jobs } from './Jobs.tsx';

type State = Answer<'settings', 'health'>;

/** Whether all is well: database, jobs, caches and replicas. */
export function Health() {
  const query = useAnswer('settings', 'health', {}, { refetchInterval: 15_000 });
  return <Loaded query={query}>{(health) => <Content health={health} />}</Loaded>;
}

function Content({ health }: { health: State }) {
  return (
    <Rows>
      {health.problems.length === 0 && <Note tone="good">All is well.</Note>}
      {health.problems.map(({ severity, what, detail }) => (
        <Note key={what} tone={severity === 'critical' ? 'bad' : 'warn'}>
          <b>{plainText(what)}</b>: {plainText(detail)}
        </Note>
      ))}
      <Columns>
        <Card title="Server">
          <Server health={health} />
        </Card>
        <Card title="Database">
          <Database database={health.database} />
        </Card>
      </Columns>
      <Card title="Jobs">
        <Jobs jobs={health.jobs} />
      </Card>
      <Columns>
        <Card title="Caches">
          <Caches caches={health.caches} />
        </Card>
        <Card title="Largest tables">
          <Tables tables={health.database.tables} />
        </Card>
      </Columns>
    </Rows>
  );
}

function Server({ health }: { health: State }) {
  return (
    <Fields
      items={[
        ['Issuer', <code key="i">{health.issuer}</code>],
        ['Version', `${health.version} on Node ${health.node}`],
        ['Started', <RelativeTime key="s" time={health.started_at} />],
        ['Memory', bytes(health.memory_bytes)],
        [
          'Replicas',
          health.replicas.map((replica) => (
            <div key={replica.id}>
              <code>{replica.id}</code> {replica.this && <Chip tone="accent">this one</Chip>}{' '}
              <span className="dim">
                seen <RelativeTime time={replica.seen_at} />
              </span>
            </div>
          )),
        ],
      ]}
    />
  );
}

function Database({ database }: { database: State['database'] }) {
  const { migrations, disk } = database;
  return (
    <Fields
      items={[
        ['Engine', `${database.driver}, ${database.version}`],
        ['Round trip', `${database.latency_ms.toFixed(1)} ms`],
        ['Size', bytes(database.size_bytes)],
        ['Disk', disk && `${bytes(disk.free_bytes)} free, ${Math.round(disk.used_percent)} % used`],
        ['Migrations', `${migrations.applied} applied, ${migrations.pending.length} to come`],
      ]}
    />
  );
}

function Caches({ caches }: { caches: State['caches'] }) {
  return (
    <SimpleTable label="Caches" head={['Cache', 'Entries', 'Hits']}>
      {caches.map(({ id, title, size, limit, hits, misses }) => (
        <tr key={id}>
          <td>{title}</td>
          <td>
            {size.toLocaleString('en')}
            {limit !== null && <span className="dim"> of {limit.toLocaleString('en')}</span>}
          </td>
          <td>{rate(hits, misses)}</td>
        </tr>
      ))}
    </SimpleTable>
  );
}

function rate(hits: number | null, misses: number | null): string {
  if (hits === null || misses === null || hits + misses === 0) return '—';
  return `${Math.round((hits / (hits + misses)) * 100)} %`;
}

function Tables({ tables }: { tables: State['database']['tables'] }) {
  return (
    <SimpleTable label="Largest tables" head={['Table', 'Rows, about', 'Size']}>
      {tables.slice(0, 10).map(({ id, rows, size_bytes }) => (
        <tr key={id}>
          <td>
            <code>{id}</code>
          </td>
          <td>{rows.toLocaleString('en')}</td>
          <td>{bytes(size_bytes)}</td>
        </tr>
      ))}
    </SimpleTable>
  );
}
