import type { Server } from 'node:http';
import { createServer, type Server as Listener } from 'node:net';
import type { Logger } from 'pino';
import type { App } from '../app.ts';
import { type Config, parseAddress } from '../config/index.ts';

/** How often connections that have become idle are looked for at shutdown, in milliseconds. */
const lookAgain = 50;

/** Opens the listeners that the configuration wants: all of them or none. @throws the error of the first */
export async function listen(app: App, config: Config, log: Logger): Promise<Server[]> {
  const { createLimitedServer } = await import('../http/index.ts');
  const { server, admin } = config;
  const limits = {
    readTimeout: server.read_timeout,
    writeTimeout: server.write_timeout,
    idleTimeout: server.idle_timeout,
  };
  const wanted = [{ name: 'public', handler: app.public.callback(), address: server.address }];
  if (admin.enabled)
    wanted.push({ name: 'admin', handler: app.admin.callback(), address: admin.address });
  const servers: Server[] = [];
  try {
    for (const { name, handler, address } of wanted) {
      const one = createLimitedServer(handler, { limits, log });
      await bind(one, address);
      servers.push(one);
      log.info({ listener: name, address, issuer: server.issuer }, 'listening');
    }
    return servers;
  } catch (error) {
    for (const one of servers) one.close();
    await app.close();
    throw error;
  }
}

/** Says at once that a port is taken, before a database is opened. @throws EADDRINUSE */
export async function refuseTakenPorts({ server, admin }: Config): Promise<void> {
  for (const address of [server.address, ...(admin.enabled ? [admin.address] : [])]) {
    const probe = createServer();
    await bind(probe, address);
    await closed(probe);
  }
}

/** Lets running requests finish for `wait` seconds, then cuts what is left. */
export async function shutDown(servers: readonly Server[], wait: number): Promise<void> {
  const all = Promise.all(servers.map(closed));
  const each = (work: (server: Server) => void) => () => servers.forEach(work);
  // A connection that is kept alive is idle only after its running request.
  const idle = setInterval(
    each((server) => server.closeIdleConnections()),
    lookAgain,
  );
  const late = setTimeout(
    each((server) => server.closeAllConnections()),
    wait * 1000,
  );
  await all;
  clearInterval(idle);
  clearTimeout(late);
}

function bind(server: Listener, address: string): Promise<void> {
  const { host, port } = endpoint(address);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}

/** The configuration has checked it: an address that cannot be read is a mistake in the program. */
export function endpoint(address: string): { host: string | undefined; port: number } {
  const parsed = parseAddress(address);
  if (!parsed) throw new TypeError(`not an address: ${address}`);
  return parsed;
}

function closed(server: Listener): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  return promise;
}
