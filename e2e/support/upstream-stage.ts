import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import type { Browser } from 'playwright-core';
import { z } from 'zod';
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../../examples/demo/certificate-authority.ts';
import { type ServerProcess, startServerProcess } from '../../examples/demo/server-process.ts';
import { launchBrowser } from './browser.ts';
import { type Account, type Admin, adminOf, apiKey } from './elsewhere.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { quietPort } from './quiet-port.ts';
import { startTap } from './tap.ts';

/** The server under test: two replicas on one Postgres behind one https issuer. */
export type UpstreamStage = {
  issuer: string;
  /** Where each replica is reached without TLS. */
  replicas: [string, string];
  dsn: string;
  /** Of the workspaces; Ada is in one, Eve in the other. */
  workspaces: Record<'harbour' | 'orchard', string>;
  ada: Account;
  eve: Account;
  /** A client that people use the API with, and that may be a gateway. */
  gateway: { id: string; secret: string; redirectUri: string };
  /** A workspace-scoped resource, and the client that it is. */
  files: { uri: string; id: string; secret: string };
  admin: Admin;
  authority: CertificateAuthority;
  browser: Browser;
  /** What both replicas printed. */
  output(): string;
  close(): Promise<void>;
};

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const secret = () => randomBytes(24).toString('base64url');

export async function openUpstreamStage(): Promise<UpstreamStage> {
  const directory = await mkdtemp(join(tmpdir(), 'authserver-upstream-e2e-'));
  const authority = await createCertificateAuthority(directory);
  // Of this process: people with a browser without JavaScript trust it too.
  tls.setDefaultCACertificates([
    ...tls.getCACertificates('default'),
    await readFile(authority.file, 'utf8'),
  ]);
  const [[port, one, two, adminPort], postgres, browser] = await Promise.all([
    Promise.all([quietPort(), quietPort(), quietPort(), quietPort()]),
    startPostgres(),
    launchBrowser(),
  ]);
  const issuer = `https://localhost:${port}`;
  const people = {
    ada: { email: 'ada@example.com', password: `a ${secret()}` },
    eve: { email: 'eve@example.com', password: `e ${secret()}` },
  };
  const gateway = {
    ...{ id: 'gateway', secret: secret() },
    redirectUri: 'https://gateway.example.com/callback',
  };
  const files = { uri: 'https://files.example.com/mcp', id: 'files', secret: secret() };
  const dsn = await postgres.createDatabase();
  const config = {
    storage: { driver: 'postgres', postgres: { dsn } },
    session: { secret: secret() },
    data_encryption: { key: randomBytes(32).toString('base64') },
    workspaces: [{ slug: 'harbour' }, { slug: 'orchard' }],
    users: [
      { ...people.ada, workspaces: [{ slug: 'harbour', role: 'admin' }] },
      { ...people.eve, workspaces: [{ slug: 'orchard', role: 'admin' }] },
    ],
    resources: [
      {
        ...{ slug: 'files', uri: files.uri, workspace_scoped: true, clients: [files.id] },
        scopes: [{ name: 'files:use' }],
      },
    ],
    clients: [registrationOf(gateway), registrationOf(files)],
  };
  const front = await startTap(port, `http://127.0.0.1:${one}`, await authority.issue('localhost'));
  const replicas: ServerProcess[] = [];
  for (const [index, listening] of [one, two].entries()) {
    const home = join(directory, String(index));
    await mkdir(home);
    const server = { issuer, address: `127.0.0.1:${listening}`, trusted_proxies: ['127.0.0.1'] };
    const admin =
      index === 0 ? { address: `127.0.0.1:${adminPort}`, api_key: apiKey } : { enabled: false };
    replicas.push(
      await startServerProcess({ directory: home, config: { ...config, server, admin } }),
    );
  }
  await untilHealthy(`http://127.0.0.1:${two}`);
  const admin = adminOf(adminPort);

  async function close(): Promise<void> {
    await browser.close();
    const codes = await Promise.all(replicas.map((replica) => replica.stop()));
    await front.close();
    await stopPostgres(postgres, directory);
    if (codes.some((code) => code !== 0)) throw new Error(`Left with ${codes}: ${output()}`);
  }
  const output = () => replicas.map((replica) => replica.output()).join('\n');

  return {
    ...{ issuer, dsn, gateway, files, admin, authority, browser, output, close, ...people },
    replicas: [`http://127.0.0.1:${one}`, `http://127.0.0.1:${two}`],
    workspaces: {
      harbour: await idOf(admin, '/workspaces?q=harbour'),
      orchard: await idOf(admin, '/workspaces?q=orchard'),
    },
  };
}

async function stopPostgres(postgres: PostgresServer, directory: string): Promise<void> {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}

function registrationOf(client: { id: string; secret: string; redirectUri?: string }) {
  const { id, secret: client_secret, redirectUri } = client;
  return {
    ...{ client_id: id, client_name: id, client_secret },
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: redirectUri
      ? ['authorization_code', 'refresh_token', exchange]
      : ['client_credentials'],
    ...(redirectUri && { redirect_uris: [redirectUri] }),
  };
}

const rows = z.looseObject({ items: z.array(z.looseObject({ id: z.string() })) });

async function idOf(admin: Admin, path: string): Promise<string> {
  const [first] = rows.parse(await admin('GET', path)).items;
  if (!first) throw new Error(`There is nothing at ${path}.`);
  return first.id;
}

async function untilHealthy(origin: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const isHealthy = await fetch(`${origin}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isHealthy) return;
    await wait(50);
  }
  throw new Error(`${origin} is not healthy.`);
}
