import { UnstyledButton } from '@mantine/core';
import { SortIcon } from '../icons.tsx';
import styles from './table.module.css';
import type { Column } from './types.ts';
import type { ListState } from './useListState.ts';

/** Name of a column; where the server can sort by it, a button that turns the order. */
export function SortHeader<R>({ column, state }: { column: Column<R>; state: ListState }) {
  const { header, sort, align } = column;
  const now = state.get('sort');
  const order = sort && now === sort ? 'ascending' : now === `-${sort}` ? 'descending' : undefined;
  return (
    <th role="columnheader" scope="col" data-align={align} {...(order && { 'aria-sort': order })}>
      {sort ? (
        <UnstyledButton
          className={styles.sort}
          data-order={order}
          onClick={() => state.set('sort', now === `-${sort}` ? sort : `-${sort}`)}
        >
          {header}
          <SortIcon size={12} />
        </UnstyledButton>
      ) : (
        header
      )}
    </th>
  );
}
