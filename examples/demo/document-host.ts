import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Certificate } from './certificate-authority.ts';

export type ClientDocument = Record<string, unknown>;

export type DocumentHost = {
  /** For example `https://localhost:43127`, no trailing slash. */
  origin: string;
  /**
   * Publishes a client metadata document and answers its URL, which is the client's `client_id`.
   * `client_id` is filled in. Publishing at the same path again replaces the document.
   */
  publish(path: string, document: ClientDocument): string;
  /** How often a path was asked for. */
  hits(path: string): number;
  close(): Promise<void>;
};

/**
 * A real https host for client metadata documents (CIMD) on this computer.
 * @param certificate must be good for `localhost`
 */
export async function startDocumentHost(certificate: Certificate): Promise<DocumentHost> {
  const documents = new Map<string, string>();
  const counts = new Map<string, number>();

  const server = createServer(certificate, (request, response) => {
    const path = request.url ?? '/';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    const body = documents.get(path);
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': 'max-age=3600',
    });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The host has no port.');
  const origin = `https://localhost:${address.port}`;

  function publish(path: string, document: ClientDocument): string {
    const clientId = `${origin}${path}`;
    documents.set(path, JSON.stringify({ client_id: clientId, ...document }));
    return clientId;
  }

  async function close(): Promise<void> {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  return { origin, publish, hits: (path) => counts.get(path) ?? 0, close };
}
