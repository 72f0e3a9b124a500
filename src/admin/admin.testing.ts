import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { createAccounts } from '../accounts/index.ts';
import { createMetrics } from '../audit/index.ts';
import type { Database } from '../db/index.ts';
import { createLogger } from '../http/index.ts';
import { createSecretBox } from '../keys/index.ts';
import { createResources } from '../resources/index.ts';
import { createTokens, createTrustedIssuers } from '../tokens/index.ts';
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

/** The admin listener on a free port of this computer. */
export async function testAdmin(
  db: Database,
  settings: Partial<AdminOptions> & { health?: Health } = {},
) {
  const { health = async () => ({ ready: true }) as const, ...options } = settings;
  const now = () => new Date();
  const endTokensOfUser = () => Promise.resolve();
  const lockout = { failures: 10, window: 600, lockout: 900 };
  const accounts = createAccounts({ db, now, endTokensOfUser }, { lockout });
  const log = createLogger({ level: 'silent' });
  const resources = await createResources({ db, box: createSecretBox(randomBytes(32)), now, log });
  const trustedIssuers = await createTrustedIssuers({ db, now, log });
  const tokens = createTokens(db, { tokens: { personal_access_max_ttl: 365 * 86_400 } });
  const auditMeta = () => ({ at: now() });
  const app = createAdminApp(
    {
      ...{ db, accounts, resources, tokens, trustedIssuers },
      ...{ metrics: createMetrics(), health, log, now, auditMeta },
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
    accounts,
    origin: `http://127.0.0.1:${port}`,
    send: (path: string, sent: Sent = {}) => send(port, path, sent),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await resources.close();
      await trustedIssuers.close();
    },
  };
}

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
