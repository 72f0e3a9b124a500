import { Button, Modal, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { CopyButton } from './CopyableId.tsx';
import { Note } from './Note.tsx';
import styles from './parts.module.css';

/** A value that the server shows once: copy it now, it does not come back. */
export function SecretOnce({
  title,
  label,
  secret,
  onClose,
  children,
}: {
  title: string;
  /** What it is: `Client secret`. */
  label: string;
  /** Absent while there is nothing to show. */
  secret: string | undefined;
  onClose: () => void;
  children?: ReactNode;
}) {
  return (
    <Modal
      opened={secret !== undefined}
      onClose={onClose}
      title={title}
      size="lg"
      closeOnClickOutside={false}
    >
      <Stack gap="md">
        <Note tone="warn">
          Shown this once. Copy it to where it is needed before you close this.
        </Note>
        <div className={styles.secret}>
          <span className="visually-hidden">{label}</span>
          <code data-testid="secret">{secret}</code>
          <CopyButton value={secret ?? ''} label={`Copy ${label.toLowerCase()}`} />
        </div>
        {children}
      </Stack>
      <div className={styles.formActions}>
        <Button onClick={onClose}>I have copied it</Button>
      </div>
    </Modal>
  );
}
