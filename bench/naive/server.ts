import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { Kysely, PostgresDialect } from 'kysely';
import Provider, { type Configuration } from 'oidc-provider';
import pg from 'pg';
import { benchClient, benchMachine, benchOpaque, benchResource } from '../fixtures.ts';
import { createNaiveAdapter, createTable, type NaiveTables } from './adapter.ts';
import { createMemoryAdapter } from './memory-adapter.ts';

/**
 * A plain oidc-provider: what one gets by following its documentation. Same flow, same key type, same
 * token format and same pool size as our server; no audit, no records, no limits. Without `--dsn` it
 * keeps everything in memory.
 */
const { port = '', dsn } = parseArgs({
  options: { port: { type: 'string' }, dsn: { type: 'string' } },
}).values;

const client = {
  client_id: benchClient.id,
  redirect_uris: [benchClient.redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code' as const],
  token_endpoint_auth_method: 'none' as const,
};
const machine = {
  client_id: benchMachine.id,
  client_secret: benchMachine.secret,
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
};
const person = 'alice';
const issuer = `http://127.0.0.1:${port}`;
const db = dsn === undefined ? undefined : openDatabase(dsn);
const adapter = db ? createNaiveAdapter(db) : createMemoryAdapter();
if (db) await createTable(db);
// Clients come and go at run time (RFC 7591), so they are stored, for us as for everybody.
await adapter('Client').upsert(client.client_id, client, 0);
await adapter('Client').upsert(machine.client_id, machine, 0);
const provider = new Provider(issuer, configuration());
const answer = provider.callback();
const server = createServer((req, res) => {
  if (req.url?.startsWith('/interaction/')) void approve(req, res);
  else void answer(req, res);
});
server.listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close(() => void db?.destroy());
  server.closeAllConnections();
});

function openDatabase(connectionString: string): Kysely<NaiveTables> {
  return new Kysely<NaiveTables>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString, max: 10 }) }),
  });
}

function configuration(): Configuration {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    adapter,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    responseTypes: ['code'],
    scopes: ['openid', 'offline_access'],
    pkce: { required: () => true },
    cookies: { keys: ['a secret of the benchmark'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => benchResource.uri,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, uri) => ({
          scope: uri === benchOpaque.uri ? benchOpaque.scope : benchResource.scope,
          audience: uri,
          accessTokenFormat: uri === benchOpaque.uri ? 'opaque' : 'jwt',
          accessTokenTTL: 900,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    expiresWithSession: () => false, // else every refresh would read the session, too
    ttl: {
      AccessToken: 900,
      AuthorizationCode: 60,
      ClientCredentials: 900,
      Grant: 86_400,
      IdToken: 900,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  };
}

/** Signs the one person in and approves everything: a page would only slow the preparation down. */
async function approve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { prompt, grantId } = await provider.interactionDetails(req, res);
  const result =
    prompt.name === 'login'
      ? { login: { accountId: person } }
      : { consent: { grantId: grantId ?? (await newGrant()) } };
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true });
}

async function newGrant(): Promise<string> {
  const grant = new provider.Grant({ accountId: person, clientId: client.client_id });
  grant.addResourceScope(benchResource.uri, benchResource.scope);
  return grant.save();
}
