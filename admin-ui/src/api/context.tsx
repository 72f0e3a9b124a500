import { routes } from 'virtual:contract-routes';
import { useQuery } from '@tanstack/react-query';
import { createContext, type ReactNode, use } from 'react';
import { ErrorState } from '../parts/ErrorState.tsx';
import { type Api, ApiError } from './client.ts';
import type { Noun, Session, Verb } from './types.ts';

const ApiContext = createContext<Api | undefined>(undefined);
const SessionContext = createContext<Session | undefined>(undefined);

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('used outside of SessionGate');
  return value;
}

export const useApi = (): Api => required(use(ApiContext));
export const useSession = (): Session => required(use(SessionContext));

const ranks: Record<string, number> = { viewer: 1, operator: 2, owner: 3 };

/**
 * Whether who is signed in may call a route, as the server decides it: by their role, or as an admin of a
 * workspace without one. The server decides again; this only hides buttons and links.
 */
export function useMay(): <N extends Noun>(noun: N, verb: Verb<N>) => boolean {
  const { role } = useSession();
  return (noun, verb) => {
    const route = routes[`${noun}.${verb}`];
    if (!route) return false;
    const [, , permission, workspaceAdmin] = route;
    if (role === 'workspace') return workspaceAdmin;
    return (ranks[role] ?? 0) >= (ranks[permission] ?? 9);
  };
}

/** Goes to the sign-in page, from where one comes back to this address. */
export function goToSignIn(): void {
  const here = `${location.pathname}${location.search}`;
  location.assign(`/admin/sign-in?return_to=${encodeURIComponent(here)}`);
}

/** Shows nothing until it is known who is signed in; who is not goes to the sign-in page. */
export function SessionGate({ api, children }: { api: Api; children: ReactNode }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['session'],
    queryFn: () => api.session(),
    retry: false,
    staleTime: 60_000,
  });
  if (data) {
    return (
      <ApiContext value={api}>
        <SessionContext value={data}>{children}</SessionContext>
      </ApiContext>
    );
  }
  if (error instanceof ApiError && error.status === 401) return null;
  if (error) return <ErrorState page error={error} retry={() => void refetch()} />;
  return null;
}
