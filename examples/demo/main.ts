import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBoards } from './boards.ts';
import { createCertificateAuthority } from './certificate-authority.ts';
import { startDocumentHost } from './document-host.ts';
import { introspectAs } from './introspection.ts';
import { printInvitation } from './invitation.ts';
import { createPerson, type Visit } from './person.ts';
import { isPortTaken } from './ports.ts';
import { createPrinter, StepFailed } from './printer.ts';
import { type McpServer, serverConfig } from './server-config.ts';
import { startServerProcess } from './server-process.ts';
import { runTour } from './tour.ts';
import { runFilesTour } from './tour-files.ts';
import type { Identity, Stage } from './tour-stage.ts';
import { startWorkspaceFiles } from './workspace-files.ts';

const values = readOptions();
const ports = {
  server: Number(values.port),
  admin: Number(values['admin-port']),
  boards: Number(values['boards-port']),
  files: Number(values['files-port']),
};
const issuer = `http://localhost:${ports.server}`;
const adminUrl = `http://localhost:${ports.admin}`;
const boards = mcpServer('boards', ports.boards);
const files = mcpServer('workspace-files', ports.files);
const workspace = { slug: 'harbour', name: 'Harbour Studio' };
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

  const document: Identity = { kind: 'CIMD', clientMetadataUrl, documentHits };
  printer.heading('Run 1 of 3: the client is known by its metadata document (CIMD)');
  await runTour(createStage(boards), document);
  printer.heading('Run 2 of 3: the client registers itself (DCR)');
  await runTour(createStage(boards), { kind: 'DCR' });
  printer.heading('Run 3 of 3: an MCP server with sessions, workspace-files');
  await runFilesTour(createStage(files), document);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const { passed, total } = printer.counts();
  printer.line(`  ${passed} of ${total} steps passed in ${seconds} s.`);
  if (values.exit) return end(0);

  printInvitation(printer, {
    servers: { boards: boards.url, 'workspace-files': files.url },
    issuer,
    adminUrl,
    account,
    workspace,
    serverOutput: server.output(),
  });
  const code = await server.ended;
  if (ending === undefined) throw new Error(`The server ended by itself with code ${code}.`);
}

function mcpServer(clientId: string, port: number): McpServer {
  const clientSecret = randomBytes(24).toString('base64url');
  return { url: `http://localhost:${port}/mcp`, clientId, clientSecret };
}

/** Each run has a person of its own, who is not signed in yet. */
function createStage(server: McpServer): Stage {
  let visits: Visit[] = [];
  const person = createPerson({ issuer, ...account, onVisit: (visit) => visits.push(visit) });
  const takeVisits = () => {
    const taken = visits;
    visits = [];
    return taken;
  };
  const introspect = introspectAs(server, issuer);
  return { printer, issuer, mcpUrl: server.url, metadata, person, introspect, takeVisits };
}

async function refuseTakenPorts(): Promise<void> {
  const options = [
    ['--port', 'server'],
    ['--admin-port', 'admin'],
    ['--boards-port', 'boards'],
    ['--files-port', 'files'],
  ] as const;
  for (const [option, name] of options) {
    if (await isPortTaken(ports[name])) {
      throw new Error(
        `Port ${ports[name]} (${name}) is taken by another program. Stop that one, or choose ` +
          `another port: npm run demo -- ${option} ${ports[name] + 100}`,
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
    config: serverConfig({ issuer, ports, data: values.data, account, workspace, boards, files }),
    directory,
    trustedAuthority: authority.file,
  });
  endings.push(() => server.stop());
  printer.ready('authserver, on its embedded database', `${issuer} (admin ${adminUrl})`);

  const { url, ...introspection } = boards;
  const runningBoards = await startBoards({
    port: ports.boards,
    issuer,
    resource: url,
    introspection,
  });
  endings.push(runningBoards.close);
  printer.ready('boards, a protected MCP server', url);

  const root = join(values.data, 'files');
  const runningFiles = await startWorkspaceFiles(files, { port: ports.files, issuer, root });
  endings.push(runningFiles.close);
  printer.ready('workspace-files, another one', files.url);
  return { documents, server };
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
        'files-port': { type: 'string', default: '8081' },
        data: {
          type: 'string',
          default: fileURLToPath(new URL('../../data/demo', import.meta.url)),
        },
      },
    }).values;
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : error}\n\n` +
        'npm run demo -- [--exit] [--port N] [--admin-port N] [--boards-port N] [--files-port N] [--data DIR]\n',
    );
    process.exit(2);
  }
}
