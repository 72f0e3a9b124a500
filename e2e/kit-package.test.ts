import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../examples/demo/ports.ts';
import { type ServerProcess, startServerProcess } from '../examples/demo/server-process.ts';
import { createKitProject, type KitProject } from './support/kit-project.ts';

/**
 * The kit as authors get it: packed, installed into an empty project, with every program of
 * docs/protect-your-server.md, against a running authorization server.
 */

const machine = { id: 'machine', secret: randomBytes(24).toString('hex') };
const boards = { id: 'boards-server', secret: randomBytes(24).toString('hex') };
const jwtResource = 'http://localhost:8001/mcp';
const opaqueResource = 'http://localhost:8002/mcp';

let project: KitProject;
let server: ServerProcess;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'authserver-e2e-'));
  server = await startServer();
  project = await createKitProject();
  for (const [file, text] of await programs()) await project.write(file, text);
  for (const [file, text] of Object.entries(surroundings)) await project.write(file, text);
}, 240_000);
afterAll(async () => {
  await project?.remove();
  await server?.stop();
  if (directory) await rm(directory, { recursive: true, force: true });
});

async function startServer(): Promise<ServerProcess> {
  const issuer = `http://localhost:${await freePort()}`;
  const scopes = () => [{ name: 'access_boards' }, { name: 'access_docs' }];
  const registered = { token_endpoint_auth_method: 'client_secret_basic' };
  return startServerProcess({
    directory,
    config: {
      server: { issuer, address: new URL(issuer).host.replace('localhost', '127.0.0.1') },
      admin: { enabled: false },
      storage: { driver: 'pglite', pglite: { path: join(directory, 'database') } },
      resources: [
        { slug: 'boards', uri: jwtResource, scopes: scopes(), clients: [boards.id] },
        {
          slug: 'more',
          uri: opaqueResource,
          scopes: scopes(),
          clients: [boards.id],
          token_format: 'opaque',
        },
      ],
      clients: [machine, boards].map(({ id, secret }) => ({
        client_id: id,
        client_secret: secret,
        grant_types: ['client_credentials'],
        ...registered,
      })),
    },
  });
}

/** The TypeScript of the document, by file; its addresses become those of this test. */
async function programs(): Promise<[string, string][]> {
  const document = await readFile(
    new URL('../docs/protect-your-server.md', import.meta.url),
    'utf8',
  );
  const fragments = document.split('```ts\n').slice(1);
  return fragments.map((fragment) => {
    const [, file = '', text = ''] = /^\/\/ (\S+\.ts)\n([\s\S]*?)```/.exec(fragment) ?? [];
    return [file, addressed(file, text)];
  });
}

function addressed(file: string, text: string): string {
  const resource = file === 'auth-introspection.ts' ? opaqueResource : jwtResource;
  if (file.endsWith('.test.ts')) return text;
  return text
    .replace('https://auth.example.com', server.issuer)
    .replace('https://mcp.example.com/mcp', resource);
}

/** What the document takes for granted, or leaves to the reader. */
const surroundings = {
  'database.ts': `import { PGlite } from '@electric-sql/pglite';
export const db = new PGlite();
await db.exec('create table calls (key text primary key, count integer not null, expires_at timestamptz not null)');
await db.exec('create table proofs (key text primary key, expires_at timestamptz not null)');
`,
  'fetch-on-node.ts': `import { serve } from '@hono/node-server';
import worker from './fetch.ts';
serve({ fetch: worker.fetch, port: 8080 });
`,
  'gate-on-node.ts': `import { serve } from '@hono/node-server';
import { gate } from './gate.ts';
serve({
  port: 8080,
  fetch: async (request) => {
    const caller = await gate(request);
    return caller instanceof Response ? caller : Response.json(caller.scopes);
  },
});
`,
  'worker.ts': `import { protectMcp } from 'authserver/resource-server';
const auth = protectMcp({ issuer: 'https://a.test', resource: 'https://b.test', scopes: [] });
export default { fetch: auth.fetch((_request, caller) => Response.json(caller.scopes)) };
`,
  'loaded.mjs': `import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    console.log(url);
    return next(url, context);
  },
});
await import('authserver/resource-server');
`,
};

async function accessToken(resource: string, scope = 'access_boards'): Promise<string> {
  const response = await oauth('token', { grant_type: 'client_credentials', resource, scope });
  return JSON.parse(await response.text()).access_token;
}

const oauth = (endpoint: string, parameters: Record<string, string>) =>
  fetch(`${server.issuer}/oauth/${endpoint}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
    body: new URLSearchParams(parameters),
  });

const call = (origin: string, tool: string, token?: string) =>
  fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }),
  });

describe('the packed kit in a project of its own', () => {
  test('MUST load nothing but itself and jose', async () => {
    const { output } = await project.node(['loaded.mjs']);
    const loaded = output.split('\n').filter((line) => line !== '');
    expect(loaded.some((url) => url.endsWith('authserver/dist/src/resource-server/index.js'))).toBe(
      true,
    );
    const others = loaded.filter(
      (url) => !/node_modules\/(jose\/|authserver\/dist\/src\/resource-server\/)/.test(url),
    );
    expect(others).toEqual([]);
  });

  test('MUST show nothing else of the package', async () => {
    for (const path of ['authserver', 'authserver/dist/src/resource-server/guard.js']) {
      const { output } = await project.node(['-e', `import('${path}')`]);
      expect(output).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
    }
  });

  test.each([
    ['nodenext', { module: 'nodenext' }],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('MUST have types that hold by themselves, without Node and with: %s', async (_, options) => {
    const web = { lib: ['es2024', 'webworker'], types: [], skipLibCheck: false };
    expect(await project.typeCheck({ ...options, ...web }, ['worker.ts'])).toBe('');
  });

  test.each([
    ['nodenext', { module: 'nodenext' }],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ])('MUST have types that fit every program of the document: %s', async (_, options) => {
    const files = (await programs()).map(([file]) => file);
    expect(files).toHaveLength(14);
    expect(files.every((file) => file.endsWith('.ts'))).toBe(true);
    const node = { types: ['node'], allowImportingTsExtensions: true, skipLibCheck: true };
    expect(await project.typeCheck({ ...options, ...node }, files)).toBe('');
  });

  test('passes the test that the document shows', async () => {
    const { output, code } = await project.node(['--test', 'boards.test.ts']);
    expect(output).toContain('pass 2');
    expect(code).toBe(0);
  });
});

describe.each(['express.ts', 'koa.ts', 'node.ts', 'hono.ts', 'fetch-on-node.ts'])(
  'the server of the document: %s',
  (file) => {
    test('challenges, serves a call, and refuses one without the scope', async () => {
      const origin = await project.serve(file);
      const challenged = await call(origin, 'list_boards');
      expect(challenged.status).toBe(401);
      expect(challenged.headers.get('www-authenticate')).toContain(
        'resource_metadata="http://localhost:8001/.well-known/oauth-protected-resource/mcp"',
      );
      const token = await accessToken(jwtResource);
      const served = await call(origin, 'list_boards', token);
      expect(await served.text()).toContain('Boards of machine');
      expect((await call(origin, 'search_docs', token)).status).toBe(403);
      expect((await call(origin, 'list_boards', await accessToken(opaqueResource))).status).toBe(
        401,
      );
    });
  },
);

describe.each(['express-sdk.ts', 'gate-on-node.ts'])("the SDK's own middleware: %s", (file) => {
  test('takes a good token and refuses one for another server', async () => {
    const origin = await project.serve(file);
    const served = await call(origin, 'list_boards', await accessToken(jwtResource));
    expect(await served.json()).toEqual(['access_boards']);
    expect((await call(origin, 'list_boards', await accessToken(opaqueResource))).status).toBe(401);
  });
});

describe('further programs of the document', () => {
  /** node.ts with another protection. */
  async function nodeWith(auth: string, env: Record<string, string>): Promise<string> {
    const text = await readFile(join(project.directory, 'node.ts'), 'utf8');
    await project.write(`node-${auth}`, text.replace('./auth.ts', `./${auth}`));
    return project.serve(`node-${auth}`, env);
  }

  test('introspection: an opaque token is served, and refused at once when it is revoked', async () => {
    const origin = await nodeWith('auth-introspection.ts', { BOARDS_SECRET: boards.secret });
    const token = await accessToken(opaqueResource);
    expect(token).toMatch(/^as_oat_/);
    expect(await (await call(origin, 'list_boards', token)).text()).toContain('Boards of machine');
    expect((await oauth('revoke', { token })).status).toBe(200);
    expect((await call(origin, 'list_boards', token)).status).toBe(401);
  });

  test('introspection with a wrong secret is 503, never let through', async () => {
    const origin = await nodeWith('auth-introspection.ts', { BOARDS_SECRET: 'wrong' });
    expect((await call(origin, 'list_boards', await accessToken(opaqueResource))).status).toBe(503);
  });

  test('a shared daily cap: the call beyond it has isError', async () => {
    const text = await readFile(join(project.directory, 'auth-shared.ts'), 'utf8');
    await project.write('auth-capped.ts', text.replace('limit: 500', 'limit: 2'));
    const origin = await nodeWith('auth-capped.ts', { NONCE_SECRET: 'x'.repeat(32) });
    const token = await accessToken(jwtResource);
    for (const _ of [1, 2]) {
      expect(await (await call(origin, 'list_boards', token)).text()).toContain('Boards of');
    }
    expect(await (await call(origin, 'list_boards', token)).json()).toMatchObject({
      id: 1,
      result: { isError: true },
    });
  });
});
