import type { Client, Clients } from '../clients/index.ts';
import { currentContext, currentState } from './request-state.ts';

/**
 * The client of a client_id as this request may see it: its metadata document is fetched only at the
 * authorization endpoint, and a client that the request's first statement found unchanged is not read again.
 */
export function knownClient(clients: Clients, clientId: string): Promise<Client | undefined> {
  const source = currentState()?.token?.source;
  return clients.find(clientId, {
    refresh: currentContext()?.oidc.route === 'authorization',
    version: source?.clientId === clientId ? source.clientVersion : undefined,
  });
}
