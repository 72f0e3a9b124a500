import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import { AggregatorRegistry, type Registry } from 'prom-client';

/** Milliseconds until a worker that has ended is replaced; one that keeps ending is not started in a loop. */
const pause = 1000;
/** What the first process tells a worker to make it stop. */
const stopMessage = 'authserver:stop';
/** What a worker asks the first process for, and how the answer begins. */
const metricsQuestion = 'authserver:metrics?';
const metricsAnswer = 'authserver:metrics=';

/** Whether this process is one of several that serve, as `server.workers` says. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** Whether this process is the one that greets the operator: the only one, or the first of several. */
export function isFirst(): boolean {
  return !cluster.isWorker || cluster.worker?.id === 1;
}

/** Metrics of all workers together: whichever of them is asked answers for all. */
export function metricsOfAll(registry: Registry): () => Promise<string> {
  AggregatorRegistry.setRegistries([registry]);
  new AggregatorRegistry(); // answers the first process when it collects
  return async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const listen = (message: unknown) => {
      if (typeof message !== 'string' || !message.startsWith(metricsAnswer)) return;
      process.off('message', listen);
      resolve(message.slice(metricsAnswer.length));
    };
    process.on('message', listen);
    process.send?.(metricsQuestion);
    return promise;
  };
}

function answerForAll(): void {
  const all = new AggregatorRegistry();
  cluster.on('message', (worker: Worker, message) => {
    if (message !== metricsQuestion) return;
    void all.clusterMetrics().then(
      (text) => worker.send(metricsAnswer + text),
      () => worker.send(metricsAnswer),
    );
  });
}

/** A worker would live as long as its way to the first process does: it ends once there is nothing left to do. */
export function endWorker(code: number): void {
  if (cluster.isWorker) process.exit(code);
}

/** Calls `stop` once the first process says so. */
export function onStopMessage(stop: () => void): void {
  process.on('message', (message) => {
    if (message === stopMessage) stop();
  });
}

/**
 * Runs `count` processes that share the listeners, and starts another where one ends unasked. The first must get
 * ready before the others start, so that what cannot start says so once.
 *
 * @param stopped resolves when all of them shall stop
 * @returns the exit code: that of the first worker, where it never got ready
 */
export async function runWorkers(
  count: number,
  { log, stopped }: { log: Logger; stopped: Promise<void> },
): Promise<number> {
  let stopping = false;
  answerForAll();
  const first = cluster.fork();
  const started = await ready(first);
  if (started !== 'ready') return started;
  for (let more = 1; more < count; more += 1) cluster.fork();
  cluster.on('exit', (worker: Worker, code: number, signal: string | null) => {
    if (stopping) return;
    log.error({ pid: worker.process.pid, code, signal }, 'a worker ended; another one starts');
    setTimeout(() => !stopping && cluster.fork(), pause);
  });
  log.info({ workers: count }, 'workers started');
  await stopped;
  stopping = true;
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  await Promise.all(workers.map(end));
  return 0;
}

function ready(worker: Worker): Promise<'ready' | number> {
  const { promise, resolve } = Promise.withResolvers<'ready' | number>();
  worker.once('listening', () => resolve('ready'));
  worker.once('exit', (code) => resolve(code ?? 1));
  return promise;
}

function end(worker: Worker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const tell = () => worker.send(stopMessage, () => {}); // one that has ended meanwhile says so by its exit
  const again = setInterval(tell, pause / 2); // one that is still starting does not listen yet
  worker.once('exit', () => {
    clearInterval(again);
    resolve();
  });
  tell();
  return promise;
}
