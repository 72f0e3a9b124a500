import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockDirectory, refuseHeldDirectory } from './directory-lock.ts';

let directory = '';
let path = '';
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authserver-lock-'));
  path = join(directory, 'database');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function heldBy(pid: number | undefined, started = ''): void {
  writeFileSync(`${path}.lock`, JSON.stringify({ pid, started }));
}

function spawned(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  return child;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('a lock is taken, and gone when it is released', () => {
  const release = lockDirectory(path);
  expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
  release();
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test('a live holder is named, by the early look as by the lock itself', () => {
  const { pid } = spawned('sleep', ['60']);
  heldBy(pid);
  expect(() => refuseHeldDirectory(path)).toThrow(`in use by process ${pid}`);
  expect(() => lockDirectory(path)).toThrow(`in use by process ${pid}`);
});

test('a holder in another container MUST be respected while it shows life, whatever its number', () => {
  const lock = `${path}.lock`;
  writeFileSync(
    lock,
    JSON.stringify({ pid: process.pid, started: '1', namespace: 'other pid:[1]' }),
  );
  expect(() => lockDirectory(path)).toThrow(`in use by process ${process.pid} on other`);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(lock, longAgo, longAgo);
  lockDirectory(path)();
});

test('the lock of a process that is gone is taken over', async () => {
  const child = spawned('true', []);
  await once(child, 'exit');
  heldBy(child.pid);
  refuseHeldDirectory(path);
  lockDirectory(path)();
});

test.runIf(process.platform === 'linux')(
  'the lock of a killed process that nobody has collected is taken over',
  async () => {
    const parent = spawned('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
    const [line] = await once(parent.stdout ?? parent, 'data');
    const pid = Number(String(line));
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
    process.kill(pid, 'SIGKILL');
    await until(() => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    heldBy(pid);
    refuseHeldDirectory(path);
    lockDirectory(path)();
  },
);

test.runIf(process.platform === 'linux')(
  'the lock of a process whose number another one has now is taken over',
  () => {
    const { pid } = spawned('sleep', ['60']);
    heldBy(pid, '1');
    refuseHeldDirectory(path);
    lockDirectory(path)();
  },
);
