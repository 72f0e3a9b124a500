import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testDatabase } from './db/database.testing.ts';
import type { Database } from './db/index.ts';
import { createScheduler, inBatches, type Job, type RunReport } from './scheduler/index.ts';

let db: Database;
let clock: Date;
let logged: object[];
let reports: RunReport[];
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  clock = new Date('2026-03-01T10:00:00Z');
  logged = [];
  reports = [];
  await db.kysely.deleteFrom('job_runs').execute();
});

function scheduler(jobs: readonly Job[], replica = 'one') {
  const log = { info() {}, error: (line: object) => logged.push(line) };
  const onRun = (report: RunReport) => void reports.push(report);
  return createScheduler({ db, now: () => clock, log, replica, onRun }, jobs);
}

function job(name: string, run: Job['run'], change: Partial<Job> = {}): Job {
  return { name, title: `Does ${name}`, interval: 600, run, ...change };
}

const later = (seconds: number) => {
  clock = new Date(clock.getTime() + seconds * 1000);
};

describe('a run', () => {
  test('is recorded with its times and rows', async () => {
    const jobs = scheduler([job('sweep', async () => 3)]);
    await jobs.runDue();
    later(600);
    await jobs.runDue();
    expect(await jobs.states()).toMatchObject([
      { name: 'sweep', status: 'ok', rows: 3, rowsTotal: 6, startedAt: clock, succeededAt: clock },
    ]);
    expect(reports).toMatchObject([{ job: 'sweep', outcome: 'succeeded', rows: 3 }, {}]);
  });

  test('MUST NOT take place before its interval is over, also after a restart', async () => {
    let runs = 0;
    const count = job('count', async () => {
      runs += 1;
      return undefined;
    });
    await scheduler([count], 'one').runDue();
    await scheduler([count], 'two').runDue();
    later(500);
    await scheduler([count], 'two').runDue();
    expect(runs).toBe(1);
    later(100);
    await scheduler([count], 'two').runDue();
    expect(runs).toBe(2);
  });

  test('takes place although the last one lies in the future: the clock was set back', async () => {
    const jobs = scheduler([job('sweep', async () => 1)]);
    await jobs.runDue();
    later(-86_400);
    await jobs.runDue();
    expect(reports).toHaveLength(2);
  });

  test('that fails is recorded and MUST NOT stop the others', async () => {
    let broken = true;
    const jobs = scheduler([
      job('first', async () => {
        if (broken) throw new Error('the disk is full');
        return 1;
      }),
      job('second', async () => 2),
    ]);
    await jobs.runDue();
    later(600);
    await jobs.runDue();
    expect(await jobs.states()).toMatchObject([
      { name: 'first', status: 'failing', failures: 2, error: 'the disk is full' },
      { name: 'second', status: 'ok', rowsTotal: 4 },
    ]);
    expect(logged).toMatchObject([{ job: 'first' }, { job: 'first' }]);
    expect(reports.map(({ outcome }) => outcome)).toContain('failed');
    broken = false;
    later(600);
    await jobs.runDue();
    expect((await jobs.states())[0]).toMatchObject({ status: 'ok', failures: 0, error: undefined });
  });

  test('shows who runs it and how far it is, and MUST NOT overlap with itself', async () => {
    const { promise: finished, resolve: finish } = Promise.withResolvers<number>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    let runs = 0;
    const long = job('long', async ({ progress }) => {
      runs += 1;
      await progress('half of it');
      begin();
      return finished;
    });
    const one = scheduler([long], 'one');
    const two = scheduler([long], 'two');
    const running = one.runDue();
    await begun;
    expect(await two.states()).toMatchObject([
      { status: 'running', runningOn: 'one', progress: 'half of it' },
    ]);
    later(1200);
    await two.runDue(); // due again, but not free
    expect(runs).toBe(1);
    finish(7);
    await running;
    expect(await two.states()).toMatchObject([
      { runningOn: undefined, progress: undefined, rows: 7 },
    ]);
  });

  test('of every process needs no lock and leaves no record', async () => {
    let runs = 0;
    const tick = job(
      'tick',
      async () => {
        runs += 1;
        return undefined;
      },
      { everywhere: true },
    );
    await scheduler([tick], 'one').runDue();
    await scheduler([tick], 'two').runDue();
    expect(runs).toBe(2);
    expect(await db.kysely.selectFrom('job_runs').selectAll().execute()).toEqual([]);
  });

  test('of every process that fails is seen in its own state', async () => {
    let broken = true;
    const tick = job(
      'tick',
      async () => {
        if (broken) throw new Error('the other side is gone');
        return 2;
      },
      { everywhere: true, interval: 5 },
    );
    const jobs = scheduler([tick]);
    expect(await jobs.states()).toMatchObject([{ status: 'never' }]);
    await jobs.runDue();
    await jobs.runDue();
    expect(await jobs.states()).toMatchObject([
      { status: 'failing', failures: 2, error: 'the other side is gone', rowsTotal: 0 },
    ]);
    broken = false;
    await jobs.runDue();
    expect(await jobs.states()).toMatchObject([{ status: 'ok', failures: 0, rowsTotal: 2 }]);
  });
});

describe('batches', () => {
  test('come until nothing is left', async () => {
    let left = 5;
    const run = { signal: new AbortController().signal, progress: async () => {} };
    const removed = await inBatches(run, async () => {
      const gone = Math.min(left, 2);
      left -= gone;
      return gone;
    });
    expect(removed).toBe(5);
  });

  test('end when the server stops, and stopping waits for the batch', async () => {
    let batches = 0;
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const endless = job('endless', (run) =>
      inBatches(run, async () => {
        batches += 1;
        begin();
        await new Promise((resolve) => setTimeout(resolve, 20));
        return 1;
      }),
    );
    const jobs = scheduler([endless]);
    const running = jobs.runDue();
    await begun;
    await jobs.stop();
    const done = batches;
    await running;
    expect(batches).toBe(done);
    expect(await jobs.states()).toMatchObject([{ runningOn: undefined, rows: done }]);
    later(3600);
    await jobs.runDue();
    expect(batches).toBe(done);
  });
});

test('the clock starts them: often ones are not held up by a long one', async () => {
  let quick = 0;
  const { promise, resolve: release } = Promise.withResolvers<number>();
  const jobs = scheduler([
    job('long', () => promise, { interval: 60 }),
    job(
      'quick',
      async () => {
        quick += 1;
        later(1);
        return 1;
      },
      { interval: 0.05 },
    ),
  ]);
  jobs.start();
  await expect.poll(() => quick).toBeGreaterThan(2);
  release(0);
  await jobs.stop();
  const done = quick;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(quick).toBe(done);
});
