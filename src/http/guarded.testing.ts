import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server } from 'node:net';
import { generate } from 'selfsigned';

export interface ThrowawayCertificate {
  cert: string;
  key: string;
  /** What a client must trust to accept it. */
  ca: string;
}

/** A certificate that signs itself, valid for the given names and addresses. */
export async function throwawayCertificate(
  names: { dns?: string[]; ip?: string[]; notAfter?: Date } = {},
): Promise<ThrowawayCertificate> {
  const { dns = ['localhost', 'client.test'], ip = ['127.0.0.1', '::1'] } = names;
  const notAfterDate = names.notAfter ?? new Date(Date.now() + 86_400_000);
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'throwaway' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(notAfterDate.getTime() - 10 * 86_400_000),
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...dns.map((value) => ({ type: 2 as const, value })),
          ...ip.map((address) => ({ type: 7 as const, ip: address })),
        ],
      },
    ],
  });
  return { cert, key, ca: cert };
}

export interface TestServer {
  port: number;
  /** TCP connections that were opened to it. */
  contacts(): number;
  close(): Promise<void>;
}

/** A real https server on 127.0.0.1. */
export async function httpsServer(
  certificate: ThrowawayCertificate,
  handle: RequestListener,
): Promise<TestServer> {
  return start(createHttpsServer({ cert: certificate.cert, key: certificate.key }, handle));
}

/** A listener that answers nothing and counts who comes. */
export async function sink(host = '127.0.0.1'): Promise<TestServer> {
  return start(
    createServer((socket) => socket.on('error', () => {})),
    host,
  );
}

async function start(server: Server, host = '127.0.0.1'): Promise<TestServer> {
  let contacts = 0;
  const sockets = new Set<import('node:net').Socket>();
  server.on('connection', (socket) => {
    contacts += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    contacts: () => contacts,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
