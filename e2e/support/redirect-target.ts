import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Certificate } from '../../examples/demo/certificate-authority.ts';

export type RedirectTarget = {
  port: number;
  close(): Promise<void>;
};

/** A client's redirect page, that a browser can land on; https with a certificate, else http. */
export async function startRedirectTarget(
  certificate?: Certificate,
  port = 0,
): Promise<RedirectTarget> {
  const answer: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><html lang="en"><title>Client</title><p>Back at the client.</p>');
  };
  const server = certificate ? createHttpsServer(certificate, answer) : createHttpServer(answer);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The target has no port.');

  async function close(): Promise<void> {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
  return { port: address.port, close };
}
