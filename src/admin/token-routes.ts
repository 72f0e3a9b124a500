import type { z } from 'zod';
import type { Accounts, Workspaces } from '../accounts/index.ts';
import type { Clients } from '../clients/index.ts';
import type { LoadedConfig } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import type { Keys } from '../keys/index.ts';
import { OAuthError, parseScope } from '../oauth/index.ts';
import type { Resources } from '../resources/index.ts';
import {
  mintForTesting,
  type PersonalToken,
  type TestTokenRequest,
  type Tokens,
} from '../tokens/index.ts';
import { tokens as contract } from './contract/index.ts';
import type { personalToken } from './contract/tokens.ts';
import { isTheirs } from './policy.ts';
import { fulfil, type ServedRoute, unknownId } from './served-route.ts';

export interface TokenDeps {
  tokens: Pick<Tokens, 'personal'>;
  accounts: Pick<Accounts, 'find'>;
  workspaces: Pick<Workspaces, 'membership'>;
  clients: Pick<Clients, 'find'>;
  db: Database;
  keys: Pick<Keys, 'providerJwks'>;
  configuration: Pick<LoadedConfig, 'config'>;
  resources: Pick<Resources, 'all' | 'resolve'>;
  now: () => Date;
}

/** Personal access tokens, made and ended for somebody. */
export function tokenRoutes(deps: TokenDeps): ServedRoute[] {
  const { personal } = deps.tokens;
  return [
    fulfil(contract.list, async ({ query: { sub: userId, status, cursor, limit } }, by) => {
      const { workspaceIds } = by;
      const asked = { userId, workspaceIds, status, cursor, limit };
      const page = await personal.list({ ...asked, now: deps.now() });
      return { items: page.items.map(toWire), next_cursor: page.next_cursor };
    }),

    fulfil(contract.get, async ({ params: { id } }, { workspaceIds }) => {
      const token = await personal.find(id, deps.now());
      if (!token || !isTheirs(workspaceIds, token.workspace?.id)) throw unknownId();
      return toWire(token);
    }),

    fulfil(contract.create, async ({ body }, by) => {
      const { sub, name, resource, scope, expires_in, workspace_id: workspaceId } = body;
      const { id: userId } = await personOf(deps, sub);
      const request = {
        ...{ userId, name, workspaceId, expiresIn: expires_in },
        resource: resourceOf(deps, resource),
        scopes: parseScope(scope),
      };
      const { value, ...token } = await personal.create(request, by);
      return { ...toWire(token), token: value };
    }),

    fulfil(contract.revoke, async ({ params: { id } }, by) => {
      const token = await personal.revoke(id, { ...by, reason: 'operator' });
      if (!token) throw unknownId();
      return toWire(token);
    }),

    fulfil(contract.mint, async ({ body }, by) => {
      const { server, tokens } = deps.configuration.config;
      const settings = { issuer: server.issuer, accessTtl: tokens.access_ttl };
      const made = await mintForTesting(deps, settings, await testRequest(deps, body), by);
      return {
        access_token: made.value,
        jti: made.jti,
        scope: made.scopes.join(' '),
        expires_at: made.expiresAt.toISOString(),
      };
    }),
  ];
}

async function testRequest(
  deps: TokenDeps,
  body: z.output<typeof contract.mint.body>,
): Promise<TestTokenRequest> {
  const { sub, client_id: clientId, workspace_id: workspaceId } = body;
  const user = sub === undefined ? undefined : await personOf(deps, sub);
  const workspace =
    workspaceId === undefined
      ? undefined
      : await deps.workspaces.membership({ userId: user?.id ?? '', workspaceId });
  if (workspaceId !== undefined && !workspace) {
    throw new OAuthError('invalid_request', 'The person is no member of that workspace.');
  }
  const rest = {
    ...{ workspace, scopes: parseScope(body.scope), expiresIn: body.expires_in },
    resource: resourceOf(deps, body.resource),
  };
  if (clientId !== undefined) {
    const client = await deps.clients.find(clientId, { refresh: false });
    if (client) return { ...rest, subject: { client, user } };
    throw new OAuthError('invalid_request', 'client_id in the body is not that of a client here.');
  }
  if (user) return { ...rest, subject: { user } };
  throw new OAuthError(
    'invalid_request',
    'Say in the body whom it is for: client_id, sub or both.',
  );
}

async function personOf({ accounts }: TokenDeps, sub: string) {
  const user = await accounts.find(sub);
  if (user) return user;
  throw new OAuthError('invalid_request', 'sub in the body is not the id of a person here.');
}

function resourceOf({ resources }: TokenDeps, uri: string) {
  const resource = resources.resolve(uri);
  if (resource) return resource;
  const known = resources.all().filter((one) => one.enabled);
  throw new OAuthError(
    'invalid_target',
    `resource in the body is not registered here. Use one of: ${known.map((one) => one.uri).join(' ')}`,
  );
}

function toWire(token: PersonalToken): z.input<typeof personalToken> {
  return {
    id: token.id,
    sub: token.userId,
    username: token.email,
    name: token.name,
    resource: token.resource,
    workspace_id: token.workspace?.id ?? null,
    scope: token.scopes.join(' '),
    status: token.status,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    revoked_at: token.revokedAt?.toISOString() ?? null,
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
    last_used_from: token.lastUsedFrom ?? null,
  };
}
