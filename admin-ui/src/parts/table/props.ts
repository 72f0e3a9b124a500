import { columnVisibilityFeature, rowSelectionFeature, tableFeatures } from '@tanstack/react-table';
import type { ReactNode } from 'react';
import type { ListNoun, ListQuery, Row } from '../../api/types.ts';
import type { BulkAction, Column, Filter } from './types.ts';

/** What TanStack Table does here; searching, sorting and paging are the server's. */
export const features = tableFeatures({ rowSelectionFeature, columnVisibilityFeature });
export type Features = typeof features;

export interface DataTableProps<N extends ListNoun> {
  noun: N;
  /** What the rows are, for screen readers and the empty state: `Grants`. */
  label: string;
  columns: readonly Column<Row<N>>[];
  /** What the server's `q` looks at: `Client id, name or host`. Absent: no search box. */
  search?: string;
  filters?: readonly Filter<N>[];
  /** Filters that the page itself sets, such as the client of a detail page. */
  fixed?: ListQuery<N>;
  /** Address of the row's own page, below /admin/ui. */
  href?: (row: Row<N>) => string;
  bulk?: readonly BulkAction<Row<N>>[];
  /** How the first row comes to be. */
  empty: ReactNode;
  /** Beside the search: actions of the list. */
  tools?: ReactNode;
  /** Milliseconds after which it is read again, for a live tail. */
  refetchInterval?: number | false;
}
