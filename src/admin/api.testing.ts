import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startServer, type TestServerOptions } from '../provider/server.testing.ts';
import { type Sent, send } from './admin.testing.ts';
import { createAdminClient } from './index.ts';

export const apiKey = 'a-key-of-sixteen-characters-or-more';
export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

export type TestApi = Awaited<ReturnType<typeof startApi>>;

/** The whole server, with its admin listener on a port of its own and a client for it. */
export async function startApi({
  extra = '',
  admin = '',
  start = startServer,
  ...options
}: TestServerOptions & {
  /** YAML of further keys of `admin`, with a comma before. */
  admin?: string;
  start?: typeof startServer;
} = {}) {
  const server = await start({
    ...options,
    extra: `admin: { api_key: ${apiKey}${admin} }\n${extra}`,
  });
  const listener = createServer(server.app.admin.callback());
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = listener.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const client = createAdminClient({ origin: `http://127.0.0.1:${port}`, apiKey });
  return {
    server,
    client,
    /** Of the admin listener. */
    origin: `http://127.0.0.1:${port}`,
    /** Plain HTTP, whatever is sent. */
    send: (path: string, sent: Sent = {}) => send(port, path, sent),
    /** A JSON call with the key. */
    async post(path: string, body: unknown, headers: Record<string, string> = {}) {
      const type = { 'content-type': 'application/json' };
      const answer = await send(port, path, {
        method: 'POST',
        headers: { ...bearer(apiKey), ...type, ...headers },
        body: JSON.stringify(body),
      });
      return { ...answer, json: JSON.parse(answer.body) };
    },
    async get(path: string) {
      const answer = await send(port, path, { headers: bearer(apiKey) });
      return { ...answer, json: JSON.parse(answer.body) };
    },
    /** Audit events of a type, oldest first. */
    audited: (type: string) =>
      server.db.kysely
        .selectFrom('audit_events')
        .select([
          'actor_kind',
          'actor_id',
          'client_id',
          'user_id',
          'resource',
          'ip',
          'trace_id',
          'detail',
        ])
        .where('type', '=', type)
        .orderBy('id')
        .execute(),
    async close() {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
      await server.close();
    },
  };
}
