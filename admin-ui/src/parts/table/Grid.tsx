import { Checkbox, Skeleton } from '@mantine/core';
import type { ReactTable } from '@tanstack/react-table';
import type { RefObject } from 'react';
import { Link, useNavigate } from 'react-router';
import type { ListNoun, Row } from '../../api/types.ts';
import type { DataTableProps, Features } from './props.ts';
import { SortHeader } from './SortHeader.tsx';
import styles from './table.module.css';
import type { Column } from './types.ts';
import type { ListState } from './useListState.ts';

interface GridProps<N extends ListNoun> extends DataTableProps<N> {
  table: ReactTable<Features, Row<N>>;
  body: RefObject<HTMLTableElement | null>;
  state: ListState;
  loading: boolean;
  /** The rows are those of the query before. */
  stale: boolean;
  selectable: boolean;
}

/** Head and rows, with their roles said: as blocks on a narrow screen they would lose them. On a narrow screen every row is a block with the names of its columns. */
export function Grid<N extends ListNoun>(props: GridProps<N>) {
  const { table, columns, label, body, loading, stale, selectable, state } = props;
  const shown = columns.filter(({ id }) => table.getColumn(id)?.getIsVisible() !== false);
  const rows = table.getRowModel().rows;
  if (!loading && rows.length === 0) return null;
  return (
    <div className={styles.scroll}>
      <table
        role="table"
        className={styles.table}
        ref={body}
        aria-label={label}
        aria-busy={loading || stale}
      >
        <colgroup>
          {selectable && <col className={styles.checkColumn} />}
          {shown.map(({ id, width = id === columns[0]?.id ? '22%' : undefined }) => (
            <col key={id} {...(width && { style: { width } })} />
          ))}
        </colgroup>
        <thead role="rowgroup">
          <tr role="row">
            {selectable && (
              <th role="columnheader" scope="col" className={styles.check}>
                <Checkbox
                  size="xs"
                  aria-label="Select all that are shown"
                  checked={rows.length > 0 && table.getIsAllRowsSelected()}
                  indeterminate={table.getIsSomeRowsSelected()}
                  onChange={table.getToggleAllRowsSelectedHandler()}
                />
              </th>
            )}
            {shown.map((column) => (
              <SortHeader key={column.id} column={column} state={state} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" data-stale={stale || undefined}>
          {loading && <SkeletonRows columns={shown.length + (selectable ? 1 : 0)} />}
          {rows.map((row) => (
            <TableRow
              key={row.id}
              row={row}
              columns={shown}
              href={props.href}
              selectable={selectable}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface TableRowProps<R> {
  row: {
    original: R;
    getIsSelected: () => boolean;
    getToggleSelectedHandler: () => (event: unknown) => void;
  };
  columns: readonly Column<R>[];
  href: ((row: R) => string) | undefined;
  selectable: boolean;
}

const interactive = 'a, button, input, label';

function TableRow<R>({ row, columns, href, selectable }: TableRowProps<R>) {
  const navigate = useNavigate();
  const address = href?.(row.original);
  return (
    <tr
      role="row"
      data-selected={row.getIsSelected() || undefined}
      data-link={address !== undefined || undefined}
      onClick={(event) => {
        if (!address || (event.target instanceof Element && event.target.closest(interactive)))
          return;
        if (!window.getSelection()?.isCollapsed) return;
        void navigate(address);
      }}
    >
      {selectable && (
        <td role="cell" className={styles.check}>
          <Checkbox
            size="xs"
            aria-label="Select this row"
            checked={row.getIsSelected()}
            onChange={row.getToggleSelectedHandler()}
          />
        </td>
      )}
      {columns.map((column, index) => (
        <td role="cell" key={column.id} data-label={column.header} data-align={column.align}>
          {index === 0 && address !== undefined ? (
            <Link to={address} className={styles.rowLink} data-row-link>
              {column.cell(row.original)}
            </Link>
          ) : (
            column.cell(row.original)
          )}
        </td>
      ))}
    </tr>
  );
}

const placeholders = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

function SkeletonRows({ columns }: { columns: number }) {
  return placeholders.map((name) => (
    <tr role="row" key={name}>
      <td role="cell" colSpan={columns}>
        <Skeleton height={14} width="100%" />
        <span className="visually-hidden">Loading</span>
      </td>
    </tr>
  ));
}
