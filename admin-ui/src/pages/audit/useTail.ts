import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** For how long what comes at once is gathered before the list is read again, in milliseconds. */
const gather = 500;

/**
 * Follows the log while `live`: whenever something happened, the list is read again with its filters, so
 * that rows, order and pages stay those of the API.
 */
export function useTail(live: boolean): 'off' | 'open' | 'lost' {
  const cache = useQueryClient();
  const [state, setState] = useState<'off' | 'open' | 'lost'>('off');
  useEffect(() => {
    if (!live) {
      setState('off');
      return;
    }
    const source = new EventSource('/admin/api/audit/tail');
    let timer: ReturnType<typeof setTimeout> | undefined;
    source.onopen = () => setState('open');
    source.onerror = () => setState('lost');
    source.addEventListener('audit', () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void cache.invalidateQueries({ queryKey: ['audit', 'list'] });
      }, gather);
    });
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [live, cache]);
  return state;
}
