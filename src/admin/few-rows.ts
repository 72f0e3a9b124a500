import { cutPage, pageCursor } from '../http/index.ts';

interface Asked {
  limit: number;
  cursor?: string | undefined;
  q?: string | undefined;
  sort: string;
  enabled?: 'true' | 'false' | undefined;
  source?: string | undefined;
}

interface Row {
  enabled: boolean;
  source: string;
}

/**
 * One page of a list whose rows are few and all in memory.
 *
 * @param list name of the list, for its cursors
 * @param about `key` is unique and what the rows are ordered by; `q` is a prefix of one of the `words`
 */
export function pageOfFew<R extends Row>(
  list: string,
  rows: readonly R[],
  { limit, cursor, q, sort, enabled, source }: Asked,
  about: { key: (row: R) => string; words: (row: R) => string[] },
): { items: R[]; next_cursor?: string } {
  const down = sort.startsWith('-');
  const cursors = pageCursor(`${list} ${sort}`);
  const after = cursor === undefined ? undefined : cursors.read(cursor).id;
  const prefix = q?.toLowerCase() ?? '';
  const comesAfter = (a: string, b: string) => (down ? a < b : a > b);
  const found = rows
    .filter((row) => after === undefined || comesAfter(about.key(row), after))
    .filter((row) => enabled === undefined || row.enabled === (enabled === 'true'))
    .filter((row) => source === undefined || row.source === source)
    .filter((row) => about.words(row).some((word) => word.toLowerCase().startsWith(prefix)))
    .toSorted((a, b) => (comesAfter(about.key(a), about.key(b)) ? 1 : -1));
  const { items, next } = cutPage(found, limit, (row) => ({ at: new Date(0), id: about.key(row) }));
  return { items, ...(next && { next_cursor: cursors.write(next) }) };
}
