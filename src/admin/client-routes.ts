import { randomBytes } from 'node:crypto';
import { documentChanges } from '../audit/index.ts';
import type { Check, Client, Clients } from '../clients/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import { OAuthError } from '../oauth/index.ts';
import type { Resources } from '../resources/index.ts';
import { type By, sourceOf } from './caller.ts';
import { clientDetail, clientRow, clientVersion } from './client-wire.ts';
import { clients as contract } from './contract/index.ts';
import type { Precondition } from './precondition.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface ClientDeps {
  db: Database;
  clients: Clients;
  resources: Pick<Resources, 'all'>;
  configuration: Pick<LoadedConfig, 'config'>;
  now: () => Date;
}

const mostChanges = 20;

/** The programs that ask for tokens. */
export function clientRoutes(deps: ClientDeps): ServedRoute[] {
  const { clients } = deps;
  return [
    fulfil(contract.list, async ({ query }) => {
      const { items, next_cursor } = await clients.list(query);
      return { items: items.map(clientRow), next_cursor };
    }),

    fulfil(contract.get, ({ params: { id } }) => detail(deps, id)),

    fulfil(contract.create, async ({ body: { client_id = newId(), ...members } }, by) => {
      const declared = { client_id, ...members };
      const { clientSecret } = await clients.create(declared, sourceOf(by), by);
      const made = await detail(deps, client_id);
      return { ...made, ...(clientSecret !== undefined && { client_secret: clientSecret }) };
    }),

    fulfil(contract.update, async ({ params: { id }, body, precondition }, by) => {
      const changed = await clients.update(id, body, by, unlessChanged(precondition));
      if (!changed) throw unknownId();
      return detail(deps, id);
    }),

    fulfil(contract.rotateSecret, async ({ params: { id }, body: { old_secret } }, by) => {
      const secret = await rotate(deps, id, old_secret, by);
      const { old_secret_until } = await detail(deps, id);
      return { client_id: id, client_secret: secret, old_secret_until };
    }),

    fulfil(contract.suspend, async ({ params: { id }, body: { reason } }, by) => {
      if (!(await clients.suspend(id, by, reason))) throw unknownId();
      return detail(deps, id);
    }),

    fulfil(contract.resume, async ({ params: { id }, body: { reason } }, by) => {
      if (!(await clients.resume(id, by, reason))) throw unknownId();
      return detail(deps, id);
    }),

    fulfil(contract.revoke, async ({ params: { id }, body: { reason } }, by) => {
      const ended = await clients.revoke(id, by, reason);
      if (!ended) throw unknownId();
      return { id, grants: ended.grants, authorizations: ended.families };
    }),

    fulfil(contract.remove, async ({ params: { id }, query: { reason }, precondition }, by) => {
      const ended = await clients.remove(id, by, { check: unlessChanged(precondition), reason });
      if (!ended) throw unknownId();
      return { id, grants: ended.grants, authorizations: ended.families };
    }),

    fulfil(contract.initialAccessToken, async ({ body: { expires_in } }, by) => {
      const { token, expiresAt } = await clients.issueInitialAccessToken(expires_in, by);
      return {
        initial_access_token: token,
        expires_at: expiresAt.toISOString(),
        dcr_mode: deps.configuration.config.dcr.mode,
      };
    }),
  ];
}

function unlessChanged(precondition: Precondition): Check {
  return (client) => precondition(clientVersion(client));
}

async function detail({ db, clients, resources }: ClientDeps, id: string) {
  const client = await clients.lookUp(id);
  if (!client) throw unknownId();
  const bound = resources.all().filter((resource) => resource.clients.includes(id));
  return clientDetail(client, {
    resourceServerOf: bound.map(({ uri }) => uri),
    documentChanges: await documentChanges(db.kysely, { clientId: id, limit: mostChanges }),
  });
}

async function rotate(
  { clients }: ClientDeps,
  id: string,
  old: 'overlap' | 'end',
  by: By,
): Promise<string> {
  const client = await clients.lookUp(id);
  if (!client) throw unknownId();
  if (client.source === 'config') throw declared(client);
  const secret = await clients.rotateSecret(id, by, old);
  if (secret !== undefined) return secret;
  const method = client.metadata.token_endpoint_auth_method;
  throw new OAuthError(
    'invalid_request',
    `This client has no secret, since its token_endpoint_auth_method is ${method}.`,
    { status: 409 },
  );
}

/** The next start would put the declared secret back, and lock out who uses the new one. */
function declared({ clientId }: Client): OAuthError {
  return new OAuthError(
    'invalid_request',
    `The configuration declares ${clientId} and its secret. Change client_secret there and start the server again.`,
    { status: 409 },
  );
}

function newId(): string {
  return `client_${randomBytes(12).toString('hex')}`;
}
