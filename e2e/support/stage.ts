import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Boards, startBoards } from '../../examples/demo/boards.ts';
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../../examples/demo/certificate-authority.ts';
import { type DocumentHost, startDocumentHost } from '../../examples/demo/document-host.ts';
import { createPerson, type Person } from '../../examples/demo/person.ts';
import { freePort } from '../../examples/demo/ports.ts';
import { type ServerProcess, startServerProcess } from '../../examples/demo/server-process.ts';

export type Account = { email: string; password: string };

/** Everything a client meets: server, protected MCP server, document host, a person. */
export type Stage = {
  issuer: string;
  adminUrl: string;
  mcpUrl: string;
  directory: string;
  authority: CertificateAuthority;
  documents: DocumentHost;
  server: ServerProcess;
  alice: Account;
  /** Credentials of the MCP server itself, which may introspect its tokens. */
  boardsClient: { id: string; secret: string };
  /** A fresh browser of Alice. */
  person(): Person;
  /** Ends everything and fails unless the server left with exit code 0. */
  close(): Promise<void>;
};

export type StageOptions = {
  /** Path of the issuer, for example `/tenants/one`; none by default. */
  issuerPath?: string;
  /** Connection string of an empty database; without it the embedded database is used. */
  postgres?: string;
  /** Pre-registered clients, in the wire names of RFC 7591. */
  clients?: Record<string, unknown>[];
  /** Further people, as `users` of the configuration declares them. */
  people?: Record<string, unknown>[];
  /** More of the section `admin`. */
  admin?: Record<string, unknown>;
  /** More configuration sections, over the defaults of the stage. */
  config?: Record<string, unknown>;
};

/** Starts a whole stage on free ports of this computer, in a throwaway directory. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'authserver-e2e-'));
  const authority = await createCertificateAuthority(directory);
  const documents = await startDocumentHost(await authority.issue('localhost'));
  const [serverPort, adminPort, boardsPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const issuer = `http://localhost:${serverPort}${options.issuerPath ?? ''}`;
  const mcpUrl = `http://localhost:${boardsPort}/mcp`;
  const alice = { email: 'alice@example.com', password: `pass-${randomBytes(9).toString('hex')}` };
  const boardsClient = { id: 'boards', secret: randomBytes(24).toString('base64url') };

  const server = await startServerProcess({
    directory,
    trustedAuthority: authority.file,
    config: {
      server: { issuer, address: `127.0.0.1:${serverPort}` },
      admin: { address: `127.0.0.1:${adminPort}`, ...options.admin },
      storage: options.postgres
        ? { driver: 'postgres', postgres: { dsn: options.postgres } }
        : { driver: 'pglite', pglite: { path: join(directory, 'database') } },
      cimd: { allow_private_addresses: true },
      users: [{ ...alice, name: 'Alice Example' }, ...(options.people ?? [])],
      resources: [boardsResource(mcpUrl, boardsClient.id)],
      clients: [boardsRegistration(boardsClient), ...(options.clients ?? [])],
      ...options.config,
    },
  });
  const boards: Boards = await startBoards({ port: boardsPort, issuer, resource: mcpUrl });

  async function close(): Promise<void> {
    await boards.close();
    await documents.close();
    const code = await server.stop();
    await rm(directory, { recursive: true, force: true });
    if (code !== 0) throw new Error(`The server left with code ${code}:\n${server.output()}`);
  }

  return {
    issuer,
    adminUrl: `http://localhost:${adminPort}`,
    mcpUrl,
    directory,
    authority,
    documents,
    server,
    alice,
    boardsClient,
    person: () => createPerson({ issuer, ...alice }),
    close,
  };
}

function boardsResource(uri: string, client: string): Record<string, unknown> {
  return {
    slug: 'boards',
    uri,
    display_name: 'Boards',
    scopes: [
      { name: 'access_boards', description: 'Read and change your boards' },
      { name: 'access_docs', description: 'Read and change your docs' },
    ],
    default_scopes: ['access_boards'],
    clients: [client],
  };
}

function boardsRegistration({ id, secret }: Stage['boardsClient']): Record<string, unknown> {
  return {
    client_id: id,
    client_name: 'Boards MCP server',
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
  };
}
