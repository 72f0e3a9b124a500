import type { Server } from 'node:http';
import { Command } from 'commander';
import type { Logger } from 'pino';
import { setupUrl } from '../admin/index.ts';
import { type App, createApp } from '../app.ts';
import { type Config, parseAddress } from '../config/index.ts';
import { createLimitedServer, createLogger } from '../http/index.ts';
import { type ConfigOption, load } from './load.ts';

/** `authserver serve`: both listeners until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the server')
    .option('--config <file>', 'configuration file (YAML)')
    .action(async (options: ConfigOption) => {
      const { config, warnings } = load(options);
      const log = createLogger(config.observability.logging);
      for (const warning of warnings) log.warn({ warning }, 'configuration');
      const app = await createApp(config, { log });
      const servers = await listen(app, config, log);
      await offerOwnership(app, config);
      await stopSignal(log);
      await shutDown(app, servers, config.server.shutdown_wait);
      log.info('stopped');
    });
}

async function listen(app: App, config: Config, log: Logger): Promise<Server[]> {
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
    for (const one of servers) one.close(); // no partial start
    await app.close();
    throw error;
  }
}

function bind(server: Server, address: string): Promise<void> {
  const { host, port } = endpoint(address);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, () => {
    server.off('error', reject);
    resolve();
  });
  return promise;
}

/** The one-time link that makes the first owner; on the terminal, never in the log. */
async function offerOwnership(app: App, config: Config): Promise<void> {
  if (!config.admin.enabled) return;
  const link = await app.rooms.accounts.setup.open({ at: new Date() });
  if (!link) return;
  const { host, port } = endpoint(config.admin.address);
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  const local = `http://${everywhere ? 'localhost' : host}:${port}`;
  const url = setupUrl(config.admin.external_url ?? local, link.token);
  process.stderr.write(
    `\nNobody owns this server yet. Open this link within an hour to create the first owner:\n\n  ${url}\n\n`,
  );
}

/** The configuration has checked it: an address that cannot be read is a mistake in the program. */
function endpoint(address: string): { host: string | undefined; port: number } {
  const parsed = parseAddress(address);
  if (!parsed) throw new TypeError(`not an address: ${address}`);
  return parsed;
}

function stopSignal(log: Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      resolve();
    });
  }
  return promise;
}

/** Lets running requests finish for `wait` seconds, then closes what is left and the database. */
async function shutDown(app: App, servers: Server[], wait: number): Promise<void> {
  const closed = servers.map((server) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeIdleConnections();
    return promise;
  });
  const late = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, wait * 1000);
  await Promise.all(closed);
  clearTimeout(late);
  await app.close();
}
