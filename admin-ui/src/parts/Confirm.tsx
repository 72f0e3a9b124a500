import { Button, Modal, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { Note } from './Note.tsx';
import styles from './parts.module.css';

interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What ends, one sentence each: `Ends 3 connections of Alice.` */
  consequences: readonly ReactNode[];
  /** For the button, with the verb: `Revoke 3 grants` */
  action: string;
  /** Has to be typed when the act cannot be undone. */
  typeName?: string;
  run: () => Promise<unknown>;
}

/** Asks before something ends: names what it takes down, and for what is final asks for the name. */
export function ConfirmDestructive({ opened, onClose, ...props }: ConfirmProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={props.title} size="md">
      {opened && <Question {...props} onClose={onClose} />}
    </Modal>
  );
}

function Question({
  consequences,
  action,
  typeName,
  run,
  onClose,
}: Omit<ConfirmProps, 'opened' | 'title'>) {
  const [typed, setTyped] = useState('');
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<Error>();

  async function confirm() {
    setRunning(true);
    setError(undefined);
    try {
      await run();
      onClose();
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      setRunning(false);
    }
  }

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void confirm();
      }}
    >
      <ul className={styles.consequences}>
        {consequences.map((sentence, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list does not change
          <li key={index}>{sentence}</li>
        ))}
      </ul>
      {typeName !== undefined && (
        <TextInput
          label={
            <>
              To go on, type <code>{typeName}</code>
            </>
          }
          value={typed}
          autoComplete="off"
          data-autofocus
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      {error && <ErrorNote error={error} />}
      <div className={styles.formActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          type="submit"
          color="red"
          loading={running}
          disabled={typeName !== undefined && typed.trim() !== typeName}
        >
          {action}
        </Button>
      </div>
    </form>
  );
}

/** An error of a form or dialog with its trace id. */
export function ErrorNote({ error }: { error: Error }) {
  return (
    <Note tone="bad">
      {error.message}
      {error instanceof ApiError && error.traceId && (
        <>
          {' '}
          <span className="mono">trace {error.traceId}</span>
        </>
      )}
    </Note>
  );
}
