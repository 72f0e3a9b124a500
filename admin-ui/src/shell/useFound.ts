import { useQuery } from '@tanstack/react-query';
import { type Api, ApiError } from '../api/client.ts';
import { useApi } from '../api/context.tsx';

/** Something to go to. */
export interface Hit {
  label: string;
  kind: string;
  path: string;
}

const few = 5;

/** What in the database begins with a text. Lists that who is signed in may not see are left out. */
export function useFound(text: string): Hit[] {
  const api = useApi();
  const { data } = useQuery({
    queryKey: ['found', text],
    enabled: text.length >= 2,
    staleTime: 30_000,
    queryFn: async () => (await Promise.all(searches(api, text))).flat(),
  });
  return data ?? [];
}

function searches(api: Api, q: string): Promise<Hit[]>[] {
  const query = { q, limit: few };
  return [
    hits(api.call('clients', 'list', { query }), 'client', (row) => ({
      label: row.client_name ?? row.client_id,
      path: `/clients/${encodeURIComponent(row.id)}`,
    })),
    hits(api.call('users', 'list', { query }), 'person', (row) => ({
      label: row.email,
      path: `/users/${row.id}`,
    })),
    hits(api.call('resources', 'list', { query }), 'resource', (row) => ({
      label: row.display_name,
      path: `/resources/${encodeURIComponent(row.id)}`,
    })),
    hits(api.call('flows', 'list', { query }), 'flow', (row) => ({
      label: `${row.client_name ?? row.client_id ?? 'Attempt'} · ${row.trace_id}`,
      path: `/flows/${row.id}`,
    })),
    hits(api.call('issuances', 'list', { query }), 'issuance', (row) => ({
      label: row.jti,
      path: `/issuances/${row.id}`,
    })),
  ];
}

async function hits<R>(
  page: Promise<{ items: R[] }>,
  kind: string,
  show: (row: R) => Omit<Hit, 'kind'>,
): Promise<Hit[]> {
  try {
    return (await page).items.map((row) => ({ ...show(row), kind }));
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
}
