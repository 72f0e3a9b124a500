import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort, isPortTaken } from '../examples/demo/ports.ts';
import { startDemo } from './support/demo.ts';

let data: string;
let ports: { server: number; admin: number; boards: number; files: number };

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'authserver-demo-e2e-'));
  ports = {
    ...{ server: await freePort(), admin: await freePort() },
    ...{ boards: await freePort(), files: await freePort() },
  };
});
afterEach(async () => {
  await rm(data, { recursive: true, force: true });
});

const options = () => [
  ...['--port', String(ports.server), '--admin-port', String(ports.admin)],
  ...['--boards-port', String(ports.boards), '--files-port', String(ports.files)],
  ...['--data', join(data, 'demo')],
];

test('the demo with --exit passes every step by CIMD and by DCR and shows no secret', async () => {
  const demo = startDemo(['--exit', ...options()]);

  expect(await demo.exit(), demo.output()).toBe(0);

  for (const shown of ['(CIMD)', '(DCR)', '401', '403', 'DPoP', '19 tools']) {
    expect(demo.output()).toContain(shown);
  }
  expect(demo.output()).toMatch(/\b(\d\d) of \1 steps passed/);
  expect(demo.output()).not.toContain('✗');
  // A whole JWT has three parts and a whole opaque token a long one; shortened ones have none.
  expect(demo.output()).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
  expect(demo.output()).not.toMatch(/(cp|wf)_(oat|pat|ort)_\w{12}/);
  // No colours where nobody can see them.
  expect(demo.output()).not.toContain('\u001b[');
});

test('the demo stays up with what to paste, and Ctrl-C ends all of it', async () => {
  const demo = startDemo(options());
  await demo.printed('Become the first owner');
  await demo.printed('#');

  const mcpUrl = `http://localhost:${ports.boards}/mcp`;
  const filesUrl = `http://localhost:${ports.files}/mcp`;
  for (const shown of [
    `claude mcp add --transport http boards ${mcpUrl}`,
    `claude mcp add --transport http workspace-files ${filesUrl}`,
    '.cursor/mcp.json',
    '.vscode/mcp.json',
    'email: demo@example.com',
  ]) {
    expect(demo.output()).toContain(shown);
  }
  expect(demo.output()).toMatch(/^\s*password: \S{8,}$/m);
  expect(demo.output()).toMatch(/http:\/\/\S+\/admin\/\S*#\S+/);
  for (const port of [ports.server, ports.boards, ports.files]) {
    expect((await fetch(`http://localhost:${port}/health`)).status).toBe(200);
  }

  const workspace = `http://localhost:${ports.server}/account/workspaces/harbour`;
  expect(demo.output()).toContain(workspace);
  // Nobody is signed in here, so it asks who that is.
  expect((await fetch(workspace)).url).toContain('/account/sign-in');

  demo.interrupt();

  expect(await demo.exit(20_000), demo.output()).toBe(130);
  for (const port of Object.values(ports)) expect(await isPortTaken(port)).toBe(false);
});

test('a taken port is named, with the option that chooses another one', async () => {
  const other = createServer().listen(ports.admin, '127.0.0.1');
  await once(other, 'listening');

  const demo = startDemo(['--exit', ...options()]);

  expect(await demo.exit()).toBe(1);
  expect(demo.output()).toContain(`Port ${ports.admin}`);
  expect(demo.output()).toContain('--admin-port');
  other.close();
});
