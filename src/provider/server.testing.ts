import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type App, createApp } from '../app.ts';
import { loadConfig } from '../config/index.ts';
import { testDatabase } from '../db/database.testing.ts';
import type { Database } from '../db/index.ts';
import type { GuardedFetch, GuardedRequest } from '../http/index.ts';
import type { WaysOut } from '../upstream/index.ts';
import { createBrowser } from './browser.testing.ts';

/** The resources and people that every HTTP test finds (fixtures of the attack rows). */
export const rs1 = 'https://rs1.test/mcp';
export const rs2 = 'https://rs2.test/mcp';
export const alice = { email: 'alice@example.test', password: 'correct horse alice' };
export const bob = { email: 'bob@example.test', password: 'correct horse bob' };
export const webSecret = 'web-secret-0123456789';
export const loopbackCallback = 'http://127.0.0.1:7777/cb';
export const webCallback = 'https://app.test/cb';

const yaml = (issuer: string, { extra, resources }: { extra: string; resources: string }) => `
server: { issuer: "${issuer}" }
rate_limit: { requests_per_second: 100000, burst: 100000 }
resources:
  - slug: rs1
    uri: ${rs1}
    display_name: First server
    scopes:
      - { name: "mcp:read", description: Read things }
      - { name: "mcp:write", description: Change things, implies: ["mcp:read"] }
    default_scopes: ["mcp:read"]
    clients: [RS1]
  - slug: rs2
    uri: ${rs2}
    display_name: Second server
    scopes: [{ name: "two:use", description: Use the second server }]${resources}
clients:
  - { client_id: PUB, client_name: Public client, application_type: native, redirect_uris: ["${loopbackCallback}"] }
  - { client_id: WEB, client_name: Web client, client_secret: ${webSecret}, redirect_uris: ["${webCallback}"] }
  - { client_id: WEB2, client_name: Second web client, client_secret: ${webSecret}, redirect_uris: ["${webCallback}", "https://app.test/other"] }
  - { client_id: RS1, client_name: The first server, client_secret: ${webSecret}, grant_types: [client_credentials] }
users:
  - { email: ${alice.email}, password: "${alice.password}" }
  - { email: ${bob.email}, password: "${bob.password}" }
${extra}`;

export interface TestServer {
  app: App;
  db: Database;
  url: string;
  /** Moves the server's clock, in seconds. */
  advance(seconds: number): void;
  now(): Date;
  browser(): ReturnType<typeof createBrowser>;
  post(
    path: string,
    form: Record<string, string | string[]>,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** Lines that the server has logged. */
  logged(): string;
  close(): Promise<void>;
}

export interface TestServerOptions {
  /** Path of the issuer, such as `/tenant`. */
  path?: string;
  /** YAML of further top-level sections. */
  extra?: string;
  /** YAML of further resources, each line indented by two. */
  resources?: string;
  fetch?: GuardedFetch;
  /** Way out to addresses that operators name; `fetch` unless given. */
  operatorFetch?: GuardedFetch;
  /** Way out to identity providers. */
  providerRequest?: GuardedRequest;
  /** Ways out to other MCP servers. */
  upstreamWays?: Partial<WaysOut>;
  db?: Database;
  /** Variables that override the configuration. */
  env?: Record<string, string>;
}

/** The whole server over real HTTP on the embedded database, with a clock that the test moves. */
export async function startServer({
  path = '',
  extra = '',
  resources = '',
  fetch,
  operatorFetch,
  providerRequest,
  upstreamWays,
  db,
  env = {},
}: TestServerOptions = {}): Promise<TestServer> {
  let handler: ReturnType<App['public']['callback']> | undefined;
  const server = createServer((req, res) => handler?.(req, res));
  const port = await listen(server);
  const url = `http://localhost:${port}${path}`;
  const directory = mkdtempSync(join(tmpdir(), 'authserver-test-'));
  const file = join(directory, 'config.yaml');
  writeFileSync(
    file,
    yaml(url, {
      extra: `storage: { pglite: { path: "${join(directory, 'db')}" } }\n${extra}`,
      resources,
    }),
  );
  const loaded = loadConfig({ file, env, cwd: directory });
  let offset = 0;
  const now = () => new Date(Date.now() + offset * 1000);
  const lines: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const database = db ?? (await testDatabase());
  const app = await createApp(loaded.config, {
    ...{ log, now, db: database, fetch, operatorFetch, providerRequest, loaded },
    ...(upstreamWays && { upstreamWays }),
  });
  handler = app.public.callback();
  return {
    app,
    db: database,
    url,
    advance(seconds) {
      offset += seconds;
    },
    now,
    browser: () => createBrowser(url),
    post: (endpoint, form, headers = {}) =>
      globalThis.fetch(`${url}${endpoint}`, { method: 'POST', body: encode(form), headers }),
    logged: () => lines.join(''),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A form in which a name may be repeated. */
export function encode(form: Record<string, string | string[]>): URLSearchParams {
  return new URLSearchParams(
    Object.entries(form).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, one]),
    ),
  );
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return address.port;
}
