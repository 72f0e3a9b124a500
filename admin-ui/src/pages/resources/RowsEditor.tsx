import { ActionIcon, Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { CrossIcon, PlusIcon } from '../../parts/icons.tsx';
import styles from './resources.module.css';

/** A list of small forms below each other, with a button for one more. */
export function RowsEditor<R extends { key: string }>({
  legend,
  hint,
  noun,
  rows,
  onChange,
  create,
  children,
}: {
  legend: string;
  hint?: string;
  /** For the buttons: `scope`. */
  noun: string;
  rows: readonly R[];
  onChange: (rows: readonly R[]) => void;
  create: () => R;
  children: (row: R, set: (change: Partial<R>) => void) => ReactNode;
}) {
  return (
    <fieldset className={styles.group}>
      <legend>{legend}</legend>
      {hint && <p className="dim">{hint}</p>}
      {rows.map((row, index) => (
        <fieldset key={row.key} className={styles.row} aria-label={`${noun} ${index + 1}`}>
          <div className={styles.inputs}>
            {children(row, (change) =>
              onChange(rows.map((one) => (one.key === row.key ? { ...one, ...change } : one))),
            )}
          </div>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`Remove ${noun} ${index + 1}`}
            onClick={() => onChange(rows.filter(({ key }) => key !== row.key))}
          >
            <CrossIcon size={14} />
          </ActionIcon>
        </fieldset>
      ))}
      <div>
        <Button
          size="xs"
          variant="default"
          leftSection={<PlusIcon size={12} />}
          onClick={() => onChange([...rows, create()])}
        >
          Add {noun}
        </Button>
      </div>
    </fieldset>
  );
}
