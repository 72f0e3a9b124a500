import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { App } from '../app.ts';
import type { Config } from '../config/index.ts';
import { listen, refuseTakenPorts, shutDown } from './listeners.ts';
import { type ConfigOption, configured, load } from './load.ts';
import { note } from './output.ts';
import { refuseHeld } from './storage.ts';

/** `authserver serve`: both listeners until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return configured('serve', 'run the server').action(async (options: ConfigOption) => {
    const { config, warnings } = load(options);
    await refuseHeld(config);
    await refuseTakenPorts(config);
    // Loaded only now: what is heavy must not delay a refusal.
    const { createApp } = await import('../app.ts');
    const { createLogger } = await import('../http/index.ts');
    const log = createLogger(config.observability.logging);
    for (const warning of warnings) log.warn({ warning }, 'configuration');
    const app = await createApp(config, { log });
    const stopped = stopSignal(log);
    const servers = await listen(app, config, log);
    await greet(app, config);
    await stopped;
    await shutDown(servers, config.server.shutdown_wait);
    await app.close();
    log.info('stopped');
  });
}

/** On the terminal, never in the log: where it runs and, while nobody owns it, the link for that. */
async function greet(app: App, config: Config): Promise<void> {
  const { adminUrl, ownershipLink } = await import('./ownership.ts');
  const { server, admin } = config;
  if (process.stderr.isTTY) {
    const administration = admin.enabled ? `, administration at ${adminUrl(admin)}` : '';
    note(`\nauthserver runs at ${server.issuer}${administration}. Ctrl+C stops it.`);
  }
  const link = admin.enabled ? await ownershipLink(app.rooms, config) : undefined;
  if (link === undefined) return;
  note(
    `\nNobody owns this server yet. Open this link within an hour to create the first owner:\n\n  ${link}\n`,
  );
}

/** A second signal ends the process at once. */
function stopSignal(log: Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (signal: NodeJS.Signals) => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    log.info({ signal }, 'stopping');
    resolve();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return promise;
}
