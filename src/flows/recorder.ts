import type { Logger } from 'pino';
import { type Database, hashId } from '../db/index.ts';
import { createAllowance, forgetOldest } from './allowance.ts';
import { createEarlierSteps } from './earlier.ts';
import { merged, type PendingFlow, pendingOf, storedStep } from './pending.ts';
import { writeFirstCalls, writeFlows } from './queries.ts';
import type { FlowReport, StepReport } from './steps.ts';

export interface FlowsDeps {
  db: Database;
  log: Pick<Logger, 'warn'>;
}

export interface FlowsConfig {
  retention: { flows: number };
}

/** Milliseconds until what was told is written. */
const pause = 500;
const mostPending = 2000;
const batch = 200;
/** For how long the same failure from the same address is one row, in milliseconds. */
const sameFor = 10 * 60_000;
const mostRemembered = 10_000;

/** What strangers may add: rows about nobody who has signed in. */
const allowances = {
  address: { burst: 20, perMinute: 6, mostKeys: 5000 },
  everybody: { burst: 600, perMinute: 20, mostKeys: 1 },
};

/**
 * Takes what is told of authorization attempts and writes it later, in batches: no request waits for it. What
 * is not written yet is lost when the process dies, and dropped when there is too much of it.
 */
export function createRecorder({ db, log }: FlowsDeps, { retention }: FlowsConfig) {
  const earlier = createEarlierSteps();
  const mayAdd = createAllowance(allowances.address);
  const mayAddAtAll = createAllowance(allowances.everybody);
  const pending = new Map<string, PendingFlow>();
  const calls = new Map<string, StepReport>();
  const calledBefore = new Map<string, true>();
  const failures = new Map<string, { id: string; at: number }>();
  const admitted = new Map<string, true>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  const running = new Set<Promise<void>>();
  let dropped = 0;

  /** The row that a report belongs to; undefined where a stranger has used up what strangers may add. */
  function rowFor(report: FlowReport): { id: string; repeats: boolean } | undefined {
    const { flowId: id, address, at } = report;
    const isKnown = report.userId !== undefined || admitted.has(id);
    const key = !isKnown && report.outcome === 'failed' ? keyOf(report) : undefined;
    const same = key === undefined ? undefined : failures.get(key);
    if (same && at.getTime() - same.at < sameFor) return { id: same.id, repeats: true };
    if (!isKnown && !(mayAdd(address, at) && mayAddAtAll('', at))) return undefined;
    if (key !== undefined) remember(failures, key, { id, at: at.getTime() });
    remember(admitted, id, true);
    return { id, repeats: false };
  }

  function tell(report: FlowReport): void {
    const row = rowFor(report);
    if (!row || (pending.size >= mostPending && !pending.has(row.id))) {
      dropped += 1;
      return;
    }
    const { clientId, address, at, begins } = report;
    const flow = pendingOf(report, {
      id: row.id,
      earlier: earlier.before(clientId, address, at),
      attempts: begins || row.repeats ? 1 : 0,
    });
    const known = pending.get(row.id);
    pending.set(row.id, known ? merged(known, flow) : flow);
    writeSoon();
  }

  function writeSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void flush();
    }, pause);
    timer.unref();
  }

  /** Writes everything that was told until now. */
  function flush(): Promise<void> {
    const before = Promise.all([writing, ...running]);
    const run = before.then(writeAll).catch((err) => {
      log.warn({ err }, 'flows could not be written; they are lost');
    });
    writing = run;
    return run;
  }

  async function writeAll(): Promise<void> {
    if (dropped > 0) log.warn({ dropped }, 'more flows came than are kept');
    dropped = 0;
    const flows = takeAll(pending);
    const firstCalls = takeAll(calls);
    for (let first = 0; first < flows.length; first += batch) {
      const rows = flows.slice(first, first + batch).map(([, flow]) => flow);
      await writeFlows(db, rows, retention.flows);
    }
    if (firstCalls.length === 0) return;
    const steps = firstCalls.map(([family_id, step]) => ({ family_id, step: storedStep(step) }));
    await writeFirstCalls(db, steps);
  }

  /** Does what is still to be found out once the answer is on its way; what fails there is only logged. */
  function later(work: () => Promise<void>): void {
    if (running.size >= mostPending) {
      dropped += 1;
      return;
    }
    const run = work()
      .catch((err) => log.warn({ err }, 'a flow could not be told of'))
      .finally(() => running.delete(run));
    running.add(run);
  }

  return {
    tell,
    later,
    flush,
    fetched: earlier.fetched,
    registered: earlier.registered,
    /** The first of the calls with tokens of one authorization counts. */
    called(familyId: string, step: StepReport): void {
      const key = `${familyId} ${step.state}`;
      if (calledBefore.has(key) || calls.size >= mostPending) return;
      remember(calledBefore, key, true);
      calls.set(familyId, step);
      writeSoon();
    },
    /** Writes what is left. */
    async close(): Promise<void> {
      clearTimeout(timer);
      await flush();
    },
  };
}

function takeAll<Value>(map: Map<string, Value>): [string, Value][] {
  const all = [...map];
  map.clear();
  return all;
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  forgetOldest(map, mostRemembered);
}

/** What makes two failures the same: from one address, of one client, for one thing, in one way. */
function keyOf({ address, clientId, resource, redirectHost, steps }: FlowReport): string {
  const failed = steps.find((step) => step.state === 'failed');
  const what = [failed?.name, failed?.error, failed?.sentence];
  return hashId(JSON.stringify([address, clientId, resource, redirectHost, ...what]));
}
