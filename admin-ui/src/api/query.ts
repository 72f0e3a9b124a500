import { notifications } from '@mantine/notifications';
import {
  keepPreviousData,
  QueryCache,
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { ApiError } from './client.ts';
import { goToSignIn, useApi } from './context.tsx';
import type { Answer, ListNoun, ListQuery, Noun, Row, Sent, Verb } from './types.ts';

const isOver = (error: unknown) => error instanceof ApiError && error.status === 401;

/** One cache for the whole console. A session that ended leads to the sign-in page from anywhere. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError: (error) => isOver(error) && goToSignIn() }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (count, error) =>
          count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
      },
      mutations: { onError: (error) => isOver(error) && goToSignIn() },
    },
  });
}

/** Answer of a GET route, kept under `[noun, verb, what was sent]`. */
export function useAnswer<N extends Noun, V extends Verb<N>>(
  noun: N,
  verb: V,
  sent: Sent<N, V> = {},
  options: { enabled?: boolean; refetchInterval?: number | false; keep?: boolean } = {},
) {
  const api = useApi();
  const { keep, ...others } = options;
  return useQuery<Answer<N, V>>({
    queryKey: [noun, verb, sent],
    queryFn: ({ signal }) => api.call(noun, verb, { ...sent, signal }),
    ...(keep && { placeholderData: keepPreviousData }),
    ...others,
  });
}

type Page<R> = { items: R[]; next_cursor?: string | undefined };

/** The pages of a list that were asked for so far; the rows before stay while a filter changes. */
export function useList<N extends ListNoun>(
  noun: N,
  query: ListQuery<N>,
  options: { refetchInterval?: number | false } = {},
) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [noun, 'list', query],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const sent = { query: Object.assign({}, query, pageParam && { cursor: pageParam }), signal };
      const page: unknown = await api.call(noun, 'list' as Verb<N>, sent as Sent<N, Verb<N>>);
      return page as Page<Row<N>>;
    },
    getNextPageParam: (last) => last.next_cursor,
    placeholderData: keepPreviousData,
    ...options,
  });
}

/**
 * Does something and says so: on success the lists and rows that it may have changed are read again.
 * Errors are shown by whoever calls it (forms), or as a notification when `loud`.
 */
export function useAction<N extends Noun, V extends Verb<N>>(
  noun: N,
  verb: V,
  options: { done?: string; changes?: readonly Noun[]; loud?: boolean } = {},
) {
  const api = useApi();
  const cache = useQueryClient();
  return useMutation<Answer<N, V>, Error, Sent<N, V>>({
    mutationFn: (sent) => api.call(noun, verb, sent),
    onSuccess: async () => {
      if (options.done) notifications.show({ message: options.done });
      const changed = [noun, ...(options.changes ?? [])];
      // What was removed is not asked for again while its page is being left.
      const stays = ({ queryKey: [name, read] }: { queryKey: readonly unknown[] }) =>
        verb !== 'remove' || name !== noun || read !== 'get';
      await Promise.all(
        changed.map((name) => cache.invalidateQueries({ queryKey: [name], predicate: stays })),
      );
    },
    onError: (error) => {
      if (isOver(error)) return goToSignIn();
      if (options.loud) showError(error);
    },
  });
}

export function showError(error: Error): void {
  const trace = error instanceof ApiError && error.traceId ? ` (trace ${error.traceId})` : '';
  notifications.show({ color: 'red', autoClose: 12_000, message: `${error.message}${trace}` });
}
