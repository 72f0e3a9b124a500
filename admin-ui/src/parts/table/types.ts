import type { ReactNode } from 'react';
import type { ListNoun, ListQuery, Row } from '../../api/types.ts';

export type { Row };

/** A column of a list. The first one is the row's link. */
export interface Column<R> {
  id: string;
  header: string;
  cell: (row: R) => ReactNode;
  /** Value of `sort` when rising; `-` before it when falling. Absent: not sortable. */
  sort?: string;
  align?: 'end';
  /** In pixels; the first column has a good fifth without one, others share what is left. */
  width?: number;
  /** Not shown until somebody asks for it. */
  hidden?: boolean;
}

interface Option {
  value: string;
  label: string;
}

/** A filter that stands in the address under its name. Without options it takes an exact value. */
export interface Filter<N extends ListNoun> {
  name: keyof ListQuery<N> & string;
  label: string;
  options?: readonly (Option | { group: string; items: Option[] })[];
}

/** Something to do with many rows at once. */
export interface BulkAction<R> {
  /** For the button: `Revoke`. */
  label: string;
  run: (rows: R[], clear: () => void) => void;
}

/** Options of a filter from values that are words already. */
export const optionsOf = (...values: readonly string[]) =>
  values.map((value) => ({ value, label: value.replaceAll('_', ' ') }));
