import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/context.tsx';
import { useAction } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { ErrorNote } from '../../parts/Confirm.tsx';
import { Foreign } from '../../parts/Foreign.tsx';
import { Note } from '../../parts/Note.tsx';
import styles from './flows.module.css';

type Flow = Answer<'flows', 'get'>;
type Fix = Flow['fixes'][number];

/** What would make the next attempt succeed, each with its button. */
export function Fixes({ flow }: { flow: Flow }) {
  const may = useMay();
  const [chosen, setChosen] = useState<Fix>();
  const [done, setDone] = useState<string>();
  return (
    <>
      {done && (
        <div className={styles.done} role="status">
          <Note tone="good">
            <b>{done}</b>: done. The next attempt gets further; nobody has to do anything else.
          </Note>
        </div>
      )}
      {flow.fixes.map((fix, index) => (
        <div key={fix.id} className={styles.fix} data-blocked={fix.blocked !== null}>
          <div>
            <p>
              <Foreign text={fix.explanation} limit={600} />
            </p>
            {fix.value && <Change fix={fix} />}
            {fix.blocked && (
              <p className={styles.blocked}>
                <Foreign text={fix.blocked} limit={400} />
              </p>
            )}
          </div>
          {may('flows', 'fix') && fix.blocked === null && (
            <Button
              variant={index === 0 ? 'filled' : 'default'}
              onClick={() => setChosen(fix)}
              aria-haspopup="dialog"
            >
              {fix.label}
            </Button>
          )}
        </div>
      ))}
      <Modal
        opened={chosen !== undefined}
        onClose={() => setChosen(undefined)}
        title={chosen?.label}
      >
        {chosen && (
          <Question
            flow={flow}
            fix={chosen}
            onClose={() => setChosen(undefined)}
            onDone={() => setDone(chosen.label)}
          />
        )}
      </Modal>
    </>
  );
}

const Change = ({ fix }: { fix: Fix }) => (
  <code>
    <Foreign text={fix.value} limit={200} /> → <Foreign text={fix.target} limit={120} />
  </code>
);

/** Asked once more, because it widens what is allowed. */
function Question({
  flow,
  fix,
  onClose,
  onDone,
}: {
  flow: Flow;
  fix: Fix;
  onClose: () => void;
  onDone: () => void;
}) {
  const run = useAction('flows', 'fix', {
    changes: ['clients', 'resources', 'stats'],
  });
  return (
    <>
      <p>
        <Foreign text={fix.explanation} limit={600} />
      </p>
      <dl className={styles.diff}>
        {fix.value && (
          <>
            <dt>adds</dt>
            <dd>
              <Foreign text={fix.value} limit={400} />
            </dd>
          </>
        )}
        <dt>{fix.value ? 'to' : 'changes'}</dt>
        <dd>
          <Foreign text={fix.target} limit={400} />
        </dd>
      </dl>
      <p className="muted">It is written to the audit log under your name.</p>
      {run.error && <ErrorNote error={run.error} />}
      <div className={styles.question}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          data-autofocus
          loading={run.isPending}
          onClick={() =>
            run.mutate(
              { params: { id: flow.id }, body: { fix: fix.id } },
              {
                onSuccess: () => {
                  onDone();
                  onClose();
                },
              },
            )
          }
        >
          {fix.label}
        </Button>
      </div>
    </>
  );
}
