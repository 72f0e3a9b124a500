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

/** What a token is for; by default everything in the first workspace. */
export type TokenOptions = {
  scope?: string;
  workspace?: 'harbour' | 'orchard';
  /** Default: Ada, who is in both workspaces. */
  of?: string;
};

/** The server set up by examples/boards/authserver.yaml, and boards itself, each a process of its own. */
export type BoardsStage = {
  issuer: string;
  mcpUrl: string;
  directory: string;
  /** `workspace_id` of each. */
  workspaces: Record<'harbour' | 'orchard', string>;
  /** Of everybody. */
  password: string;
  /** A fresh browser of Ada, or of somebody else. */
  person(email?: string): Person;
  /** Makes a personal access token as an operator does. */
  makePat(options?: TokenOptions): Promise<{ token: string; id: string }>;
  /** Makes an access token as an operator does to try a server: an opaque one that lives so many seconds. */
  mint(expiresIn: number, options?: TokenOptions): Promise<string>;
  /** Calls the admin API as a program; throws unless it says yes. */
  admin(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Starts another boards process for the same resource. */
  startBoards(env?: Record<string, string>): Promise<{ url: string } & ExampleProcess>;
  close(): Promise<void>;
};

// What the tests change in the file, and what they read there; the rest stays as it is.
const declared = z.looseObject({
  resources: z.tuple([z.looseObject({ uri: z.string() })]),
  clients: z.tuple([z.looseObject({ client_id: z.string(), client_secret: z.string() })]),
  users: z.array(z.looseObject({ email: z.string(), password: z.string() })),
});

/** @param env of boards, over what is needed to reach the server */
export async function openBoardsStage(env: Record<string, string> = {}): Promise<BoardsStage> {
  const directory = await mkdtemp(join(tmpdir(), 'authserver-boards-e2e-'));
  const [serverPort, adminPort, boardsPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const issuer = `http://localhost:${serverPort}`;
  const mcpUrl = `http://localhost:${boardsPort}/mcp`;
  const apiKey = 'admin-api-key-for-the-tests-0123456789';
  const file = new URL('../../examples/boards/authserver.yaml', import.meta.url);
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
  const running: ExampleProcess[] = [];

  async function startBoards(more: Record<string, string> = {}, port?: number) {
    const listening = port ?? (await freePort());
    const origin = `http://localhost:${listening}`;
    const example = await startExample('boards/main.ts', {
      args: ['--port', String(listening), '--issuer', issuer, '--resource', mcpUrl],
      env: { BOARDS_CLIENT_SECRET: client.client_secret, ...env, ...more },
      origin,
    });
    running.push(example);
    return { url: `${origin}/mcp`, ...example };
  }
  await startBoards({}, boardsPort);

  const { admin, idOf } = adminOf(`http://localhost:${adminPort}`, apiKey);
  const workspaces = {
    harbour: await idOf('/workspaces?q=harbour'),
    orchard: await idOf('/workspaces?q=orchard'),
  };

  async function wanted(options: TokenOptions = {}) {
    const { scope = 'access_boards access_docs', workspace = 'harbour' } = options;
    const sub = await idOf(`/users?q=${encodeURIComponent(options.of ?? 'ada@example.com')}`);
    return { sub, resource: mcpUrl, scope, workspace_id: workspaces[workspace] };
  }

  async function makePat(options?: TokenOptions) {
    const made = await admin('POST', '/tokens', { ...(await wanted(options)), name: 'A test' });
    return { token: String(made.token), id: String(made.id) };
  }

  async function mint(expiresIn: number, options?: TokenOptions) {
    const body = { ...(await wanted(options)), expires_in: expiresIn };
    return String((await admin('POST', '/tokens/mint', body)).access_token);
  }

  async function close(): Promise<void> {
    const codes: (number | null)[] = [];
    for (const example of running) codes.push(await example.stop());
    const code = await server.stop();
    await rm(directory, { recursive: true, force: true });
    const output = [server, ...running].map((one) => one.output()).join('\n');
    if ([code, ...codes].some((one) => one !== 0)) {
      throw new Error(`Left with ${code} and ${codes}:\n${output}`);
    }
  }

  const person = (email = 'ada@example.com') => createPerson({ issuer, email, password });
  return {
    ...{ issuer, mcpUrl, directory, workspaces, password, person },
    ...{ makePat, mint, admin, startBoards, close },
  };
}
