import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from './admin.testing.ts';
import { adminUi } from './ui.ts';
import { createUiFiles } from './ui-files.ts';

let directory: string;
let server: Server;
let get: (path: string, headers?: Record<string, string>) => ReturnType<typeof send>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'authserver-ui-'));
  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof Error && 'status' in error)) throw error;
      ctx.status = Number(error.status);
      ctx.body = error.message;
    }
  });
  app.use(adminUi(createUiFiles(directory)));
  server = createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  get = (path, headers = {}) => send(port, path, { headers });
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

async function build(): Promise<void> {
  await mkdir(join(directory, 'assets'), { recursive: true });
  await writeFile(join(directory, 'index.html'), '<title>console</title>');
  await writeFile(join(directory, 'assets', 'index-1.js'), 'the script');
  await writeFile(join(directory, 'assets', 'index-1.js.br'), 'compressed');
}

describe('the admin console', () => {
  it('says how to build it where it was not', async () => {
    const answer = await get('/admin/ui/');
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('npm run build:ui');
  });

  it('is the same page for every address below, under a policy without unsafe parts', async () => {
    await build();
    for (const path of ['/admin/ui/', '/admin/ui/clients/https%3A%2F%2Fa.test%2Fc?tab=grants']) {
      const answer = await get(path);
      expect(answer).toMatchObject({ status: 200, body: '<title>console</title>' });
      expect(answer.headers['cache-control']).toBe('no-cache');
      expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
      expect(answer.headers['content-security-policy']).not.toContain('unsafe');
    }
  });

  it('sends files with hashed names for a year, compressed to who takes it', async () => {
    const plain = await get('/admin/ui/assets/index-1.js');
    expect(plain).toMatchObject({ status: 200, body: 'the script' });
    expect(plain.headers['cache-control']).toContain('immutable');
    const brotli = await get('/admin/ui/assets/index-1.js', { 'accept-encoding': 'gzip, br' });
    expect(brotli.headers['content-encoding']).toBe('br');
    expect(brotli.body).toBe('compressed');
    const known = { 'if-none-match': String(plain.headers.etag) };
    expect((await get('/admin/ui/assets/index-1.js', known)).status).toBe(304);
  });

  it('MUST NOT answer a script that is gone with the page, nor a file outside', async () => {
    expect((await get('/admin/ui/assets/index-0.js')).status).toBe(404);
    for (const path of ['/admin/ui/../../package.json', '/admin/ui/%2e%2e/%2e%2e/package.json']) {
      expect((await get(path)).body).not.toContain('authserver');
    }
  });

  it('is where the listener leads', async () => {
    for (const [path, status] of [
      ['/', 302],
      ['/admin', 302],
      ['/admin/ui', 308],
    ] as const) {
      const answer = await get(path);
      expect([answer.status, answer.headers.location]).toEqual([status, '/admin/ui/']);
    }
  });
});
