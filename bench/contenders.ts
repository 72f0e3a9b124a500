import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchClient, benchMachine, benchOpaque, benchPerson, benchResource } from './fixtures.ts';
import { type Cores, type ServerProcess, startServer } from './pinned-process.ts';
import { freePort } from './postgres.ts';

/** A running authorization server and where its endpoints are. */
export interface Contender extends ServerProcess {
  url: string;
  authorizePath: string;
  tokenPath: string;
  introspectionPath: string;
}

export interface StartOptions {
  cores: Cores;
  /** Directory for this process alone. */
  directory: string;
  /** Where it stores: a URL, or nothing for what it has built in (PGlite, memory). */
  dsn?: string | undefined;
  /** Flags of Node, such as `--cpu-prof`. */
  nodeFlags?: string[];
}

const root = join(import.meta.dirname, '..');

/** Our server with its defaults; only the request limit is out of the way. */
export async function startOurs(options: StartOptions): Promise<Contender> {
  const { directory, dsn, cores, nodeFlags = [] } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'config.yaml');
  writeFileSync(file, yaml(url, port, join(directory, 'db'), dsn));
  const args = [...nodeFlags, join(root, 'src/main.ts'), 'serve', '--config', file];
  const server = startServer(args, cores, join(directory, 'log'));
  await answering(server, `${url}/livez`);
  return {
    ...{ ...server, url, authorizePath: '/oauth/authorize', tokenPath: '/oauth/token' },
    introspectionPath: '/oauth/introspect',
  };
}

/** oidc-provider as it comes, on the adapter that everybody writes, or in memory. */
export async function startNaive(options: StartOptions): Promise<Contender> {
  const { directory, dsn, cores, nodeFlags = [] } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(directory, { recursive: true });
  const storage = dsn === undefined ? [] : ['--dsn', dsn];
  const script = join(root, 'bench/naive/server.ts');
  const args = [...nodeFlags, script, '--port', String(port), ...storage];
  const server = startServer(args, cores, join(directory, 'log'));
  await answering(server, `${url}/jwks`);
  return {
    ...{ ...server, url, authorizePath: '/auth', tokenPath: '/token' },
    introspectionPath: '/token/introspection',
  };
}

const startPatience = 60_000; // milliseconds

async function answering(server: ServerProcess, url: string): Promise<void> {
  const until = Date.now() + startPatience;
  while (Date.now() < until) {
    server.checkAlive();
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(50);
  }
  await server.stop();
  throw new Error('the server did not start in time');
}

function yaml(issuer: string, port: number, path: string, dsn: string | undefined): string {
  return `
server: { issuer: "${issuer}", address: "127.0.0.1:${port}" }
admin: { enabled: false }
rate_limit: { requests_per_second: 1000000, burst: 1000000 }
storage:
  driver: ${dsn === undefined ? 'pglite' : 'postgres'}
  pglite: { path: "${path}" }
${dsn === undefined ? '' : `  postgres: { dsn: "${dsn}" }`}
resources:
  - slug: bench
    uri: ${benchResource.uri}
    display_name: Benchmark
    scopes: [{ name: "${benchResource.scope}", description: Read things }]
    clients: [${benchMachine.id}]
  - slug: opaque
    uri: ${benchOpaque.uri}
    token_format: opaque
    scopes: [{ name: "${benchOpaque.scope}" }]
    clients: [${benchMachine.id}]
oauth: { default_resource: "${benchResource.uri}" }
clients:
  - client_id: ${benchMachine.id}
    client_secret: ${benchMachine.secret}
    grant_types: [client_credentials, "urn:ietf:params:oauth:grant-type:token-exchange"]
  - client_id: ${benchClient.id}
    client_name: Benchmark
    redirect_uris: ["${benchClient.redirectUri}"]
    token_endpoint_auth_method: none
users:
  - { email: ${benchPerson.email}, password: "${benchPerson.password}" }
`;
}
