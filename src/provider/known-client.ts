import type { Client, Clients } from '../clients/index.ts';
import { grantTypes } from '../oauth/index.ts';
import { beginsAuthorization } from './entry-routes.ts';
import { internalsOf } from './internals.ts';
import { currentContext, currentState } from './request-state.ts';

/**
 * The client of a client_id as this request may see it: its metadata document is fetched only where an
 * authorization begins, and a client that the request's first statement found unchanged is not read again.
 */
export function knownClient(clients: Clients, clientId: string): Promise<Client | undefined> {
  const source = currentState()?.token?.source;
  return clients.find(clientId, {
    refresh: beginsAuthorization(currentContext()?.oidc.route) || beginsWithAssertion(),
    version: source?.clientId === clientId ? source.clientVersion : undefined,
  });
}

/** Under enterprise-managed authorization a client may never come to any other endpoint (EMA §5). */
function beginsWithAssertion(): boolean {
  const oidc = currentContext()?.oidc;
  if (oidc?.route !== 'token' || currentState()?.form.grant_type !== grantTypes.jwtBearer) {
    return false;
  }
  return internalsOf(oidc.provider).configuration.grantTypes.has(grantTypes.jwtBearer);
}
