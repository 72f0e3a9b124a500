import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { quietPort } from './quiet-port.ts';

type Call = IncomingMessage & { body?: unknown };

/** Lets a request through, or answers it itself. */
export type Guard = (req: IncomingMessage, res: ServerResponse, next: () => void) => unknown;

export type Everything = {
  /** The server as it comes: anybody may use it. */
  url: string;
  /** Another address of it, at which a guard decides; it also has a picture. */
  behind(guard: Guard, port?: number): Promise<string>;
  close(): Promise<void>;
};

/** `@modelcontextprotocol/server-everything`, the reference server of the MCP project, over Streamable HTTP. */
export async function startEverything(): Promise<Everything> {
  const port = await quietPort();
  const { resolve } = createRequire(import.meta.url);
  const home = dirname(resolve('@modelcontextprotocol/server-everything/package.json'));
  const child = spawn(process.execPath, [join(home, 'dist/index.js'), 'streamableHttp'], {
    stdio: 'ignore',
    env: { ...process.env, PORT: String(port) },
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const origin = `http://127.0.0.1:${port}`;
  await untilListening(origin, child);
  const gates: ReturnType<typeof createServer>[] = [];

  async function behind(guard: Guard, wanted = 0): Promise<string> {
    const gate = createServer((req: Call, res) => {
      if (req.url === '/favicon.ico') return void res.end(picture(gates.indexOf(gate)));
      guard(req, res, () => pass(origin, req, res));
    });
    gates.push(gate);
    gate.listen(wanted, '127.0.0.1');
    await once(gate, 'listening');
    return `http://localhost:${portOf(gate.address())}/mcp`;
  }

  async function close(): Promise<void> {
    for (const gate of gates) {
      gate.close();
      gate.closeAllConnections();
    }
    process.off('exit', killWithUs);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  }
  return { url: `${origin}/mcp`, behind, close };
}

/** A server that takes every request and never answers. */
export async function startHanging(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(() => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${portOf(server.address())}/mcp`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Passes a request on without its credentials; a body that the guard has read goes as it was understood. */
function pass(origin: string, req: Call, res: ServerResponse): void {
  const { authorization: _, connection: __, ...headers } = req.headers;
  const body = req.body === undefined ? undefined : JSON.stringify(req.body);
  if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
  const onward = request(`${origin}${req.url}`, { method: req.method, headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(res);
  });
  onward.on('error', () => res.destroy());
  res.on('close', () => onward.destroy());
  if (body === undefined) req.pipe(onward);
  else onward.end(body);
}

async function untilListening(origin: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const status = await fetch(`${origin}/mcp`).then(
      (answer) => answer.status,
      () => undefined,
    );
    if (status !== undefined) return;
    await wait(50);
  }
  child.kill('SIGKILL');
  throw new Error('The reference server did not start.');
}

const portOf = (address: AddressInfo | string | null) =>
  typeof address === 'object' && address !== null ? address.port : 0;

/** A picture of its own for each, an uncompressed bitmap in an .ico file. */
function picture(shade: number): Buffer {
  const size = 16;
  const pixels = Buffer.alloc(size * size * 4, Buffer.from([40 * shade, 90, 200, 255]));
  const header = Buffer.alloc(40);
  header.writeUInt32LE(40, 0);
  header.writeInt32LE(size, 4);
  header.writeInt32LE(size * 2, 8);
  header.writeUInt16LE(1, 12);
  header.writeUInt16LE(32, 14);
  const image = Buffer.concat([header, pixels, Buffer.alloc(size * 4)]);
  const directory = Buffer.alloc(22);
  directory.writeUInt16LE(1, 2);
  directory.writeUInt16LE(1, 4);
  directory.writeUInt8(size, 6);
  directory.writeUInt8(size, 7);
  directory.writeUInt16LE(1, 10);
  directory.writeUInt16LE(32, 12);
  directory.writeUInt32LE(image.length, 14);
  directory.writeUInt32LE(22, 18);
  return Buffer.concat([directory, image]);
}
