import { Button } from '@mantine/core';
import styles from './table.module.css';
import type { BulkAction } from './types.ts';

/** What can be done with the rows that are selected; floats so that nothing moves. */
export function SelectionBar<R>({
  rows,
  actions,
  clear,
}: {
  rows: R[];
  actions: readonly BulkAction<R>[];
  clear: () => void;
}) {
  if (rows.length === 0) return null;
  return (
    <div className={styles.selection} role="toolbar" aria-label="Selected rows">
      <span>{rows.length} selected</span>
      {actions.map(({ label, run }) => (
        <Button key={label} color="red" onClick={() => run(rows, clear)}>
          {label}
        </Button>
      ))}
      <Button variant="default" onClick={clear}>
        Clear
      </Button>
    </div>
  );
}
