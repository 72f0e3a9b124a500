import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBoards } from './boards.ts';
import { createCertificateAuthority } from './certificate-authority.ts';
import { startDocumentHost } from './document-host.ts';
import { printInvitation } from './invitation.ts';
import { createPerson, type Visit } from './person.ts';
import { isPortTaken } from './ports.ts';
import { createPrinter, StepFailed } from './printer.ts';
import { startServerProcess } from './server-process.ts';
import { runTour } from './tour.ts';
import type { Identity, Stage } from './tour-stage.ts';

const values = readOptions();
const ports = {
  server: Number(values.port),
  admin: Number(values['admin-port']),
  boards: Number(values['boards-port']),
};
const issuer = `http://localhost:${ports.server}`;
const adminUrl = `http://localhost:${ports.admin}`;
const mcpUrl = `http://localhost:${ports.boards}/mcp`;
const account = { email: 'demo@example.com', password: randomBytes(9).toString('base64url') };
const metadata = {
  client_name: 'Demo client',
  redirect_uris: ['http://127.0.0.1:7777/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

const printer = createPrinter(process.stdout);
/** What to undo at the end, last started first. */
const endings: (() => Promise<unknown>)[] = [];
let ending: Promise<void> | undefined;

process.once('SIGINT', () => void end(130));
process.once('SIGTERM', () => void end(143));

try {
  await run();
} catch (error) {
  if (!(error instanceof StepFailed)) {
    printer.line(`  ${error instanceof Error ? error.message : String(error)}`);
  }
  await end(1);
}

async function run(): Promise<void> {
  const startedAt = performance.now();
  printer.heading('authserver demo', 'An MCP client meets an MCP server that it has never seen.');
  await refuseTakenPorts();
  const { documents, server } = await start();
  const clientMetadataUrl = documents.publish('/client.json', metadata);
  const documentHits = () => documents.hits('/client.json');

  const runs: [string, Identity][] = [
    [
      'Run 1 of 2: the client is known by its metadata document (CIMD)',
      { kind: 'CIMD', clientMetadataUrl, documentHits },
    ],
    ['Run 2 of 2: the client registers itself (DCR)', { kind: 'DCR' }],
  ];
  for (const [title, identity] of runs) {
    printer.heading(title);
    await runTour(createStage(), identity);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const { passed, total } = printer.counts();
  printer.line(`  ${passed} of ${total} steps passed in ${seconds} s.`);
  if (values.exit) return end(0);

  printInvitation(printer, { mcpUrl, issuer, adminUrl, account, serverOutput: server.output() });
  const code = await server.ended;
  if (ending === undefined) throw new Error(`The server ended by itself with code ${code}.`);
}

/** Each run has a person of its own, who is not signed in yet. */
function createStage(): Stage {
  let visits: Visit[] = [];
  const person = createPerson({ issuer, ...account, onVisit: (visit) => visits.push(visit) });
  const takeVisits = () => {
    const taken = visits;
    visits = [];
    return taken;
  };
  return { printer, issuer, mcpUrl, metadata, person, takeVisits };
}

async function refuseTakenPorts(): Promise<void> {
  const options = { server: '--port', admin: '--admin-port', boards: '--boards-port' } as const;
  for (const name of ['server', 'admin', 'boards'] as const) {
    if (await isPortTaken(ports[name])) {
      throw new Error(
        `Port ${ports[name]} (${name}) is taken by another program. Stop that one, or choose ` +
          `another port: npm run demo -- ${options[name]} ${ports[name] + 100}`,
      );
    }
  }
}

async function start() {
  const directory = await mkdtemp(join(tmpdir(), 'authserver-demo-'));
  endings.push(() => rm(directory, { recursive: true, force: true }));
  await rm(values.data, { recursive: true, force: true });
  await mkdir(values.data, { recursive: true });

  const authority = await createCertificateAuthority(directory);
  const documents = await startDocumentHost(await authority.issue('localhost'));
  endings.push(documents.close);
  printer.ready('throwaway certificate authority', authority.file);
  printer.ready('the client’s document, over https', `${documents.origin}/client.json`);

  const server = await startServerProcess({
    config: serverConfig(),
    directory,
    trustedAuthority: authority.file,
  });
  endings.push(() => server.stop());
  printer.ready('authserver, on its embedded database', `${issuer} (admin ${adminUrl})`);

  const boards = await startBoards({ port: ports.boards, issuer, resource: mcpUrl });
  endings.push(boards.close);
  printer.ready('boards, a protected MCP server', mcpUrl);
  return { documents, server };
}

function serverConfig() {
  return {
    server: { issuer, address: `127.0.0.1:${ports.server}` },
    admin: { address: `127.0.0.1:${ports.admin}` },
    storage: { driver: 'pglite', pglite: { path: join(values.data, 'database') } },
    cimd: { allow_private_addresses: true },
    users: [{ ...account, name: 'Demo User' }],
    resources: [
      {
        slug: 'boards',
        uri: mcpUrl,
        display_name: 'Boards',
        scopes: [
          { name: 'access_boards', description: 'Read and change your boards' },
          { name: 'access_docs', description: 'Read your documents' },
        ],
        default_scopes: ['access_boards'],
      },
    ],
  };
}

/** Ends everything that was started, once, and leaves. */
async function end(exitCode: number): Promise<void> {
  printer.silence();
  ending ??= (async () => {
    for (const stop of endings.reverse()) await stop();
    process.exit(exitCode);
  })();
  await ending;
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        exit: { type: 'boolean', default: false },
        port: { type: 'string', default: '9000' },
        'admin-port': { type: 'string', default: '9001' },
        'boards-port': { type: 'string', default: '8080' },
        data: {
          type: 'string',
          default: fileURLToPath(new URL('../../data/demo', import.meta.url)),
        },
      },
    }).values;
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : error}\n\n` +
        'npm run demo -- [--exit] [--port N] [--admin-port N] [--boards-port N] [--data DIR]\n',
    );
    process.exit(2);
  }
}
