import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import type { App } from '../app.ts';
import type { Config, LoadedConfig } from '../config/index.ts';
import { CommandFailure } from './failure.ts';
import { listen, refuseTakenPorts, shutDown } from './listeners.ts';
import { type ConfigOption, configured, load } from './load.ts';
import { localKey } from './local-key.ts';
import { note } from './output.ts';
import { refuseHeld } from './storage.ts';
import { isFirst, isWorker, metricsOfAll, onStopMessage, runWorkers } from './workers.ts';

/** `authserver serve`: both listeners until SIGTERM or SIGINT. */
export function serveCommand(): Command {
  return configured('serve', 'run the server').action(async (options: ConfigOption) => {
    const loaded = load(options);
    const { config, warnings } = loaded;
    if (!isWorker()) {
      await refuseHeld(config);
      await refuseTakenPorts(config);
    }
    // Loaded only now: what is heavy must not delay a refusal.
    const { createLogger } = await import('../http/index.ts');
    const log = createLogger(config.observability.logging);
    const several = config.server.workers > 1;
    if (!isWorker()) for (const warning of warnings) log.warn({ warning }, 'configuration');
    const local = await localKey(config, { log, isWorker: isWorker() });
    try {
      if (several && !isWorker()) await serveByWorkers(config, log);
      else await serve(loaded, log, local.key);
    } finally {
      local.remove();
    }
    log.info('stopped');
  });
}

async function serve(loaded: LoadedConfig, log: Logger, key: string | undefined): Promise<void> {
  const { config } = loaded;
  const { createApp } = await import('../app.ts');
  const app = await createApp(config, {
    ...{ log, localKey: key, loaded },
    ...(isWorker() && { metricsOfAll }),
  });
  const stopped = stopSignal(log);
  const servers = await listen(app, config, log);
  if (isFirst()) await greet(app, config);
  await stopped;
  app.drain();
  await sleep(config.server.drain_wait * 1000);
  await shutDown(servers, config.server.shutdown_wait);
  await app.close();
}

/** @throws CommandFailure when the first worker does not get ready, whose reason it has printed */
async function serveByWorkers(config: Config, log: Logger): Promise<void> {
  const code = await runWorkers(config.server.workers, { log, stopped: stopSignal(log) });
  if (code !== 0) throw new CommandFailure('the server did not start; the reason is above');
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
  // Ctrl+C reaches every process of the terminal: the first one tells its workers.
  process.on('SIGINT', isWorker() ? () => {} : stop);
  onStopMessage(resolve);
  return promise;
}
