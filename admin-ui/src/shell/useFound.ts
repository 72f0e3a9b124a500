import { useQuery } from '@tanstack/react-query';
import { type Api, ApiError } from '../api/client.ts';
import { useApi, useMay } from '../api/context.tsx';
import type { ListNoun } from '../api/types.ts';

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
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['found', text],
    enabled: text.length >= 2,
    staleTime: 30_000,
    queryFn: async () =>
      (await Promise.all(searches(api, text, (noun) => may(noun, 'list')))).flat(),
  });
  return data ?? [];
}

type May = (noun: ListNoun) => boolean;

function searches(api: Api, q: string, may: May): Promise<Hit[]>[] {
  const query = { q, limit: few };
  const all: readonly (readonly [ListNoun, () => Promise<Hit[]>])[] = [
    [
      'clients',
      () =>
        hits(api.call('clients', 'list', { query }), 'client', (row) => ({
          label: row.client_name ?? row.client_id,
          path: `/clients/${encodeURIComponent(row.id)}`,
        })),
    ],
    [
      'users',
      () =>
        hits(api.call('users', 'list', { query }), 'person', (row) => ({
          label: row.email,
          path: `/users/${row.id}`,
        })),
    ],
    [
      'resources',
      () =>
        hits(api.call('resources', 'list', { query }), 'resource', (row) => ({
          label: row.display_name,
          path: `/resources/${encodeURIComponent(row.id)}`,
        })),
    ],
    [
      'workspaces',
      () =>
        hits(api.call('workspaces', 'list', { query }), 'workspace', (row) => ({
          label: row.name,
          path: `/workspaces/${row.id}`,
        })),
    ],
    [
      'mcp-servers',
      () =>
        hits(api.call('mcp-servers', 'list', { query }), 'MCP server', (row) => ({
          label: row.name,
          path: `/mcp-servers/${row.id}`,
        })),
    ],
    [
      'flows',
      () =>
        hits(api.call('flows', 'list', { query }), 'flow', (row) => ({
          label: `${row.client_name ?? row.client_id ?? 'Attempt'} · ${row.trace_id}`,
          path: `/flows/${row.id}`,
        })),
    ],
    [
      'issuances',
      () =>
        hits(api.call('issuances', 'list', { query }), 'issuance', (row) => ({
          label: row.jti,
          path: `/issuances/${row.id}`,
        })),
    ],
  ];
  return all.filter(([noun]) => may(noun)).map(([, search]) => search());
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
