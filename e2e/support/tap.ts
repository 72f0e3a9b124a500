import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { request } from 'undici';
import type { Certificate } from '../../examples/demo/certificate-authority.ts';

export type Answer = { status: number; headers: OutgoingHttpHeaders; body: Buffer };

/** One request that went through, with what came back. */
export type Passed = { path: string; sent: string; answer: Answer };

/** `drop`: the connection breaks off. `hang`: nothing ever comes. Else what becomes of the answer. */
export type Meddling = 'drop' | 'hang' | ((answer: Answer) => Answer);

export type Tap = {
  /** Everything that passed, oldest first. */
  passed: Passed[];
  /** Set it to play tricks; undefined leaves a request alone. */
  meddle: ((path: string) => Meddling | undefined) | undefined;
  close(): Promise<void>;
};

/**
 * A reverse proxy that notes what passes, and can break it: the wire between a server and the world.
 * @param port of this computer on which it listens
 * @param target origin to which everything goes
 * @param certificate makes it speak https
 */
export async function startTap(
  port: number,
  target: string,
  certificate?: Certificate,
): Promise<Tap> {
  const sockets = new Set<Socket>();
  const tap: Tap = { passed: [], meddle: undefined, close };

  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url ?? '/';
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(Buffer.from(chunk));
    const body = Buffer.concat(chunks);
    const meddling = tap.meddle?.(path);
    if (meddling === 'hang') return;
    if (meddling === 'drop') return void res.destroy();
    const came = await request(`${target}${path}`, {
      method: req.method ?? 'GET',
      headers: forwarded(req),
      ...(body.length > 0 && { body }),
    });
    const answer: Answer = {
      status: came.statusCode,
      headers: { ...came.headers },
      body: Buffer.from(await came.body.arrayBuffer()),
    };
    for (const name of ['transfer-encoding', 'content-length', 'connection']) {
      delete answer.headers[name];
    }
    tap.passed.push({ path, sent: body.toString(), answer });
    const { status, headers, body: sent } = meddling ? meddling(answer) : answer;
    res.writeHead(status, headers).end(sent);
  }

  const listener = (req: IncomingMessage, res: ServerResponse) => {
    pass(req, res).catch(() => res.destroy());
  };
  const server = certificate ? createSecureServer(certificate, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  async function close(): Promise<void> {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  }
  return tap;
}

function forwarded(req: IncomingMessage): Record<string, string> {
  const own = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);
  const headers = Object.entries(req.headers)
    .filter(([name]) => !own.has(name))
    .map(([name, value]): [string, string] => [name, String(value)]);
  return { ...Object.fromEntries(headers), 'x-forwarded-for': req.socket.remoteAddress ?? '' };
}

/** Changes members of a JSON answer. */
export const rewrite =
  (changes: Record<string, unknown>): Meddling =>
  (answer) => ({
    ...answer,
    body: Buffer.from(JSON.stringify({ ...JSON.parse(answer.body.toString()), ...changes })),
  });

/** Keeps a browser from going back to the server that it came from. @returns where it would have gone, once it tried */
export function holdBack(tap: Tap): () => string {
  let held = '';
  tap.meddle = () => (answer) => {
    const to = String(answer.headers.location ?? '');
    if (!to.includes('/connect/callback/')) return answer;
    held = to;
    const headers = { 'content-type': 'text/html' };
    return { status: 200, headers, body: Buffer.from('<h1>Not connected</h1>') };
  };
  return () => held;
}

const secretMembers = [
  ...['access_token', 'refresh_token', 'client_secret', 'registration_access_token'],
  ...['code', 'code_verifier'],
];

/** Every token, code and secret that passed, whichever way. */
export function secretsOf(tap: Tap): string[] {
  const own = tap.passed.filter(({ path }) => /^\/oauth\/(token|register)/.test(path));
  return own.flatMap(({ sent, answer }) => {
    const form = Object.fromEntries(new URLSearchParams(sent));
    const json: Record<string, unknown> = JSON.parse(answer.body.toString());
    return secretMembers
      .flatMap((name) => [form[name], json[name]])
      .filter((value) => typeof value === 'string');
  });
}
