import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { CertificateAuthority } from '../../examples/demo/certificate-authority.ts';
import { startServerProcess } from '../../examples/demo/server-process.ts';
import { type ExampleProcess, startExample } from './example-process.ts';
import { quietPort } from './quiet-port.ts';
import { startTap, type Tap } from './tap.ts';

export type Account = { email: string; password: string };
/** Calls an admin API as a program; throws unless it says yes. */
export type Admin = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<Record<string, unknown>>;

export const apiKey = 'admin-api-key-for-the-tests-0123456789';

/** Another authorization server, with an example server that it protects. */
export type Elsewhere = {
  issuer: string;
  mcpUrl: string;
  /** The wire to the authorization server. */
  tap: Tap;
  ada: Account;
  admin: Admin;
  close(): Promise<void>;
};

// What is read in the file; the rest stays as it is.
const declared = z.looseObject({
  resources: z.tuple([z.looseObject({ uri: z.string() })]),
  clients: z.tuple([z.looseObject({ client_secret: z.string() })]),
  users: z.array(z.looseObject({ email: z.string(), password: z.string() })),
});

/**
 * Starts an example server, and this server as its authorization server, with strict rotation.
 * @param resources more of them
 * @param config more sections
 */
export async function startElsewhere(
  example: 'boards' | 'workspace-files',
  { authority }: { authority: CertificateAuthority },
  { resources = [], ...more }: { resources?: Record<string, unknown>[]; cimd?: object } = {},
): Promise<Elsewhere> {
  const directory = await mkdtemp(join(tmpdir(), 'authserver-elsewhere-e2e-'));
  const port = await quietPort();
  const behind = await quietPort();
  const adminPort = await quietPort();
  const mcpPort = await quietPort();
  const issuer = `http://localhost:${port}`;
  const mcpUrl = `http://localhost:${mcpPort}/mcp`;
  const file = new URL(`../../examples/${example}/authserver.yaml`, import.meta.url);
  const config = declared.parse(parse(await readFile(file, 'utf8')));
  const [client] = config.clients;
  const [{ email, password } = { email: '', password: '' }] = config.users;
  const tap = await startTap(port, `http://127.0.0.1:${behind}`);
  const ownServer = { issuer, address: `127.0.0.1:${behind}`, trusted_proxies: ['127.0.0.1'] };
  const server = await startServerProcess({
    directory,
    trustedAuthority: authority.file,
    config: {
      ...config,
      server: ownServer,
      admin: { address: `127.0.0.1:${adminPort}`, api_key: apiKey },
      storage: { driver: 'pglite', pglite: { path: join(directory, 'database') } },
      cimd: { allow_private_addresses: true },
      oauth: { refresh_overlap: '0s' },
      resources: [{ ...config.resources[0], uri: mcpUrl }, ...resources],
      ...more,
    },
  });
  const secretIn = example === 'boards' ? 'BOARDS_CLIENT_SECRET' : 'FILES_CLIENT_SECRET';
  const home = example === 'boards' ? [] : ['--root', join(directory, 'homes')];
  const mcp: ExampleProcess = await startExample(`${example}/main.ts`, {
    args: ['--port', String(mcpPort), '--issuer', issuer, ...home],
    env: { [secretIn]: client.client_secret },
    origin: `http://localhost:${mcpPort}`,
  });

  async function close(): Promise<void> {
    const codes = [await mcp.stop(), await server.stop()];
    await tap.close();
    await rm(directory, { recursive: true, force: true });
    if (codes.some((code) => code !== 0)) throw new Error(`Left with ${codes}: ${server.output()}`);
  }
  return { issuer, mcpUrl, tap, ada: { email, password }, admin: adminOf(adminPort), close };
}

/** @param port of the admin listener, on this computer */
export function adminOf(port: number): Admin {
  return async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}/admin/api${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text === '' ? {} : JSON.parse(text);
  };
}
