import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { createPerson, type Person } from '../../examples/demo/person.ts';
import { freePort } from '../../examples/demo/ports.ts';
import { startServerProcess } from '../../examples/demo/server-process.ts';
import { adminOf } from './admin.ts';
import { type ExampleProcess, startExample } from './example-process.ts';

type Slug = 'harbour' | 'orchard';

/** The server set up by examples/workspace-files/authserver.yaml, and workspace-files, each a process of its own. */
export type FilesStage = {
  issuer: string;
  mcpUrl: string;
  /** Where the home directories are. */
  root: string;
  /** `workspace_id` of each. */
  workspaces: Record<Slug, string>;
  /** Of everybody. */
  password: string;
  /** A fresh browser of Ada, or of somebody else. */
  person(email?: string): Person;
  /** Makes the default workspace credential, as an operator does for Ada; the one before ends. */
  credential(workspace: Slug): Promise<{ id: string; credential: string }>;
  /** Makes a personal access token, as an operator does. */
  personalToken(workspace: Slug, scope?: string): Promise<string>;
  /** Calls the admin API as a program; throws unless it says yes. */
  admin(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Ends workspace-files and starts it again. */
  restartFiles(): Promise<void>;
  close(): Promise<void>;
};

// What the tests change in the file, and what they read there; the rest stays as it is.
const declared = z.looseObject({
  resources: z.tuple([z.looseObject({ uri: z.string() })]),
  clients: z.tuple([z.looseObject({ client_secret: z.string() })]),
  users: z.array(z.looseObject({ password: z.string() })),
});

export async function openFilesStage(): Promise<FilesStage> {
  const directory = await mkdtemp(join(tmpdir(), 'authserver-files-e2e-'));
  const root = join(directory, 'homes');
  const ports = [await freePort(), await freePort(), await freePort()];
  const [serverPort, adminPort, filesPort] = ports;
  const issuer = `http://localhost:${serverPort}`;
  const mcpUrl = `http://localhost:${filesPort}/mcp`;
  const apiKey = 'admin-api-key-for-the-tests-0123456789';
  const file = new URL('../../examples/workspace-files/authserver.yaml', import.meta.url);
  const config = declared.parse(parse(await readFile(file, 'utf8')));
  const [client] = config.clients;
  const password = config.users[0]?.password ?? '';

  const server = await startServerProcess({
    directory,
    config: {
      ...config,
      server: { issuer, address: `127.0.0.1:${serverPort}` },
      admin: { address: `127.0.0.1:${adminPort}`, api_key: apiKey },
      storage: { driver: 'pglite', pglite: { path: join(directory, 'database') } },
      resources: [{ ...config.resources[0], uri: mcpUrl }],
    },
  });

  const startFiles = () =>
    startExample('workspace-files/main.ts', {
      args: ['--port', String(filesPort), '--issuer', issuer, '--root', root],
      env: { FILES_CLIENT_SECRET: client.client_secret },
      origin: `http://localhost:${filesPort}`,
    });
  let files: ExampleProcess = await startFiles();

  const { admin, idOf } = adminOf(`http://localhost:${adminPort}`, apiKey);
  const workspaces = {
    harbour: await idOf('/workspaces?q=harbour'),
    orchard: await idOf('/workspaces?q=orchard'),
  };
  const ada = await idOf('/users?q=ada');

  async function credential(workspace: Slug) {
    const path = `/workspaces/${workspaces[workspace]}/credentials/regenerate`;
    const made = await admin('POST', path, { sub: ada, resource: mcpUrl });
    return { id: String(made.id), credential: String(made.credential) };
  }

  async function personalToken(workspace: Slug, scope = 'files:read files:write') {
    const about = { sub: ada, resource: mcpUrl, scope, workspace_id: workspaces[workspace] };
    return String((await admin('POST', '/tokens', { ...about, name: 'A test' })).token);
  }

  async function restartFiles(): Promise<void> {
    await files.stop();
    files = await startFiles();
  }

  async function close(): Promise<void> {
    const codes = [await files.stop(), await server.stop()];
    await rm(directory, { recursive: true, force: true });
    if (codes.every((code) => code === 0)) return;
    throw new Error(`Left with ${codes}:\n${server.output()}\n${files.output()}`);
  }

  const person = (email = 'ada@example.com') => createPerson({ issuer, email, password });
  return {
    ...{ issuer, mcpUrl, root, workspaces, password, person },
    ...{ credential, personalToken, admin, restartFiles, close },
  };
}
