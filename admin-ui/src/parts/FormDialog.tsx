import { Button, Modal, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ErrorNote } from './Confirm.tsx';
import styles from './parts.module.css';

export interface FormProps<T> {
  values: T;
  set: <K extends keyof T>(name: K, value: T[K]) => void;
}

interface FormDialogProps<T> {
  opened: boolean;
  onClose: () => void;
  title: string;
  initial: T;
  /** For the button: `Create client`. */
  action: string;
  /** Something ends. */
  bad?: boolean;
  submit: (values: T) => Promise<unknown>;
  size?: string;
  children: (form: FormProps<T>) => ReactNode;
}

/** A form in a dialog. It stays open with what the server said until that says yes. */
export function FormDialog<T>({
  opened,
  onClose,
  title,
  size = 'lg',
  ...form
}: FormDialogProps<T>) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={size} closeOnClickOutside={false}>
      {opened && <DialogForm {...form} onClose={onClose} />}
    </Modal>
  );
}

function DialogForm<T>({
  initial,
  action,
  bad = false,
  submit,
  onClose,
  children,
}: Omit<FormDialogProps<T>, 'opened' | 'title' | 'size'>) {
  const { values, set, sending, error, send } = useForm(initial, async (sent) => {
    await submit(sent);
    onClose();
  });
  return (
    <form onSubmit={send}>
      <Stack gap="md">
        {children({ values, set })}
        {error && <ErrorNote error={error} />}
      </Stack>
      <div className={styles.formActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={sending} {...(bad && { color: 'red' })}>
          {action}
        </Button>
      </div>
    </form>
  );
}

/** Values of a form, and its way to the server. */
export function useForm<T>(initial: T, submit: (values: T) => Promise<unknown>) {
  const [values, setValues] = useState(initial);
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<Error>();
  const set: FormProps<T>['set'] = (name, value) =>
    setValues((before) => ({ ...before, [name]: value }));

  async function run() {
    setSending(true);
    setError(undefined);
    try {
      await submit(values);
    } catch (problem) {
      setError(problem instanceof Error ? problem : new Error(String(problem)));
    } finally {
      setSending(false);
    }
  }

  function send(event: { preventDefault(): void }) {
    event.preventDefault();
    void run();
  }

  return { values, set, sending, error, run, send };
}

/** Lines of a text area as a list. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
