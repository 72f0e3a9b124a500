import { Button } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { type RowSelectionState, useTable } from '@tanstack/react-table';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { useList } from '../../api/query.ts';
import type { ListNoun } from '../../api/types.ts';
import { ErrorState } from '../ErrorState.tsx';
import parts from '../parts.module.css';
import { Grid } from './Grid.tsx';
import { type DataTableProps, features } from './props.ts';
import { SelectionBar } from './SelectionBar.tsx';
import { Toolbar } from './Toolbar.tsx';
import styles from './table.module.css';
import type { Column } from './types.ts';
import { useListState } from './useListState.ts';
import { useRowKeys } from './useRowKeys.ts';

/** A list of the admin API: search, filters and sort in the address, selection, pages by cursor. */
export function DataTable<N extends ListNoun>(props: DataTableProps<N>) {
  const { noun, columns, filters = [], fixed, bulk = [] } = props;
  const names = useMemo(() => ['q', 'sort', ...filters.map(({ name }) => name)], [filters]);
  const state = useListState<N>(names, fixed);
  const list = useList(noun, state.query, { refetchInterval: props.refetchInterval ?? false });
  const rows = useMemo(() => (list.data?.pages ?? []).flatMap(({ items }) => items), [list.data]);
  const [selected, setSelected] = useState<RowSelectionState>({});
  const [visible, setVisible] = useVisibleColumns(noun, columns);
  const body = useRef<HTMLTableElement>(null);
  useRowKeys(body);

  const definitions = useMemo(() => columns.map(({ id, header }) => ({ id, header })), [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: idOf,
    state: { rowSelection: selected, columnVisibility: visible },
    onRowSelectionChange: setSelected,
    onColumnVisibilityChange: setVisible,
  });
  const clear = () => setSelected({});
  const chosen = table.getSelectedRowModel().rows.map(({ original }) => original);

  return (
    <div className={styles.frame}>
      <Toolbar
        state={state}
        search={props.search}
        filters={filters}
        columns={columns}
        visible={visible}
        onVisible={(id, shown) => setVisible({ ...visible, [id]: shown })}
      >
        {props.tools}
      </Toolbar>
      {list.error && rows.length === 0 ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Grid
          {...props}
          table={table}
          body={body}
          state={state}
          loading={list.isPending}
          stale={list.isPlaceholderData}
          selectable={bulk.length > 0}
        />
      )}
      {list.isSuccess && rows.length === 0 && !list.isPlaceholderData && (
        <Nothing state={state}>{props.empty}</Nothing>
      )}
      {list.hasNextPage && (
        <div className={styles.more}>
          <span className="dim">{rows.length.toLocaleString('en')} shown</span>
          <Button
            variant="default"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show more
          </Button>
        </div>
      )}
      <SelectionBar rows={chosen} actions={bulk} clear={clear} />
    </div>
  );
}

/** Every row of the contract has an id. */
function idOf(row: unknown, index: number): string {
  const named = typeof row === 'object' && row !== null && 'id' in row;
  return named && typeof row.id === 'string' ? row.id : String(index);
}

function Nothing({
  state,
  children,
}: {
  state: { filtered: boolean; clear: () => void };
  children: ReactNode;
}) {
  return (
    <div className={parts.state}>
      {state.filtered ? (
        <>
          <h2>Nothing matches</h2>
          <Button variant="default" onClick={state.clear}>
            Clear search and filters
          </Button>
        </>
      ) : (
        children
      )}
    </div>
  );
}

/** Which columns are shown: remembered in this browser for each list. */
function useVisibleColumns<R>(noun: string, columns: readonly Column<R>[]) {
  const hidden = columns.filter((column) => column.hidden).map(({ id }) => [id, false]);
  return useLocalStorage<Record<string, boolean>>({
    key: `authserver.columns.${noun}`,
    defaultValue: Object.fromEntries(hidden),
    getInitialValueInEffect: false,
  });
}
