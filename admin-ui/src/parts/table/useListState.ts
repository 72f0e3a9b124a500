import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { ListNoun, ListQuery } from '../../api/types.ts';

/**
 * Search, filters and sort of a list. They live in the address alone: a link, a reload and the back
 * button show the same rows.
 */
export function useListState<N extends ListNoun>(
  names: readonly string[],
  fixed: ListQuery<N> | undefined,
) {
  const [params, setParams] = useSearchParams();
  const known = names.join(' ');

  const query = useMemo(() => {
    const entries = known.split(' ').map((name) => [name, params.get(name)] as const);
    const given = entries.filter(([, value]) => value !== null && value !== '');
    return Object.assign(Object.fromEntries(given), fixed) as ListQuery<N>;
  }, [params, known, fixed]);

  const set = useCallback(
    (name: string, value: string | undefined) =>
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          if (value) next.set(name, value);
          else next.delete(name);
          return next;
        },
        { replace: name === 'q' },
      ),
    [setParams],
  );

  const clear = useCallback(
    () =>
      setParams((before) => {
        const next = new URLSearchParams(before);
        for (const name of known.split(' ')) if (name !== 'sort') next.delete(name);
        return next;
      }),
    [setParams, known],
  );

  const get = (name: string) => params.get(name) ?? '';
  const filtered = known.split(' ').some((name) => name !== 'sort' && params.get(name));
  return { query, get, set, clear, filtered };
}

export type ListState = ReturnType<typeof useListState>;
