import { Button } from '@mantine/core';
import { Link } from 'react-router';
import { useMay } from '../../api/context.tsx';
import { useAction, useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip, type Tone } from '../../parts/Chip.tsx';
import { CopyableId } from '../../parts/CopyableId.tsx';
import { Fields } from '../../parts/Fields.tsx';
import { Loaded } from '../../parts/Loaded.tsx';
import { Note } from '../../parts/Note.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';

type Verification = Answer<'audit', 'verification'>;

const states: Record<Verification['status'], { tone: Tone; words: string }> = {
  never: { tone: 'plain', words: 'not checked yet' },
  running: { tone: 'accent', words: 'checking' },
  ok: { tone: 'good', words: 'unbroken' },
  broken: { tone: 'bad', words: 'broken' },
  failed: { tone: 'warn', words: 'check not finished' },
};

/** Whether the log is as it was written, and how to find that out. */
export function Chain() {
  const may = useMay();
  const query = useAnswer('audit', 'verification', {}, { refetchInterval: 2000 });
  const verify = useAction('audit', 'verify', { loud: true });
  const running = query.data?.status === 'running';
  return (
    <Card
      title="Is the log as it was written?"
      action={
        may('audit', 'verify') && (
          <Button loading={running || verify.isPending} onClick={() => verify.mutate({})}>
            Verify now
          </Button>
        )
      }
    >
      <Loaded query={query}>{(verification) => <Result verification={verification} />}</Loaded>
    </Card>
  );
}

function Result({ verification }: { verification: Verification }) {
  const { status, broken, head } = verification;
  const { tone, words } = states[status];
  const number = (value: number) => value.toLocaleString('en');
  return (
    <>
      {broken && (
        <Note tone="bad">
          {broken.message}{' '}
          {broken.event_id && <Link to={`/audit?event=${broken.event_id}`}>The event</Link>}
        </Note>
      )}
      {verification.message && <Note tone="warn">{verification.message}</Note>}
      <Fields
        items={[
          [
            'Chain',
            <Chip key="c" tone={tone}>
              {words}
            </Chip>,
          ],
          ['Compared', `${number(verification.events)} of ${number(verification.total)} events`],
          ['Signed checkpoints', number(verification.checkpoints)],
          ['Not sealed yet', number(verification.unsealed)],
          ['Checked', <RelativeTime key="t" time={verification.finished_at} />],
          ['Head', head && <CopyableId value={`${head.seq} ${head.hash}`} limit={40} />],
        ]}
      />
      <p className="dim">
        Keep the head elsewhere: a log that was cut short is found by it. On the command line:{' '}
        <code>authserver audit verify</code>
      </p>
    </>
  );
}
