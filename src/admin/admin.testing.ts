import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { loadConfig } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import { createLogger } from '../http/index.ts';
import { openRooms } from '../rooms.ts';
import { type AdminOptions, createAdminApp, type Health } from './index.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Sent {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export type TestAdmin = Awaited<ReturnType<typeof testAdmin>>;

/** The admin listener on a free port of this computer, over the rooms of an empty configuration. */
export async function testAdmin(
  db: Database,
  settings: Partial<AdminOptions> & { health?: Health } = {},
) {
  const { health = async () => ({ ready: true }) as const, ...options } = settings;
  const log = createLogger({ level: 'silent' });
  const { config } = loadConfig({ env: { ...secrets }, cwd: '/nonexistent' });
  const rooms = await openRooms(config, { log, db: { ...db, close: async () => {} } });
  const app = createAdminApp(
    {
      ...{ ...rooms, health, scheduler: { states: async () => [] }, sweeps: [] },
      auditMeta: () => ({ at: rooms.now() }),
    },
    {
      issuer: 'https://auth.example.com',
      metricsEnabled: true,
      trustedProxies: [],
      cookieSecret: 'a secret for this test only, 32+',
      ...options,
    },
  );
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    accounts: rooms.accounts,
    origin: `http://127.0.0.1:${port}`,
    send: (path: string, sent: Sent = {}) => send(port, path, sent),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await rooms.close();
    },
  };
}

const secrets = {
  AUTHPLANE_SESSION_SECRET: 'a secret for this test only, 32+',
  AUTHPLANE_DATA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
};

/** Plain HTTP with any `Host`, which `fetch` would not send. */
export async function send(port: number, path: string, { body, ...sent }: Sent): Promise<Answer> {
  const outgoing = request({ host: '127.0.0.1', port, path, agent: false, ...sent });
  outgoing.on('error', () => {}); // once the answer is here, what was not sent yet does not matter
  outgoing.end(body);
  const [incoming] = await once(outgoing, 'response');
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk;
  return { status: incoming.statusCode, headers: incoming.headers, body: text };
}
