import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openDirectory as systemOpen } from '../examples/workspace-files/directory.ts';
import { defaultLimits } from '../examples/workspace-files/limits.ts';
import { findReplace, insertAfterPattern, insertLines } from '../examples/workspace-files/lines.ts';
import { finder } from '../examples/workspace-files/literal.ts';
import { createLocks } from '../examples/workspace-files/locks.ts';
import { createQuota } from '../examples/workspace-files/quota.ts';
import { searchFiles } from '../examples/workspace-files/search.ts';
import { openWorkspace, type Workspace } from '../examples/workspace-files/workspace.ts';
import { ours, startFilesServer, theirs } from './support/files-server.ts';
import { mcpHttp } from './support/mcp-http.ts';

const MiB = 1024 * 1024;
const limits = { ...defaultLimits, workspaceBytes: 2 * MiB };
/** Directories that are open now, and the most that were. */
let opened = { now: 0, most: 0 };
const openDirectory: typeof systemOpen = async (path) => {
  const directory = await systemOpen(path);
  opened.now += 1;
  opened.most = Math.max(opened.most, opened.now);
  return {
    ...directory,
    close: () => {
      opened.now -= 1;
      return directory.close();
    },
  };
};
const deps = { limits, openDirectory, now: () => new Date() };

let root: string;
let workspace: Workspace;
beforeEach(async () => {
  opened = { now: 0, most: 0 };
  root = await mkdtemp(join(tmpdir(), 'workspace-files-'));
  mkdirSync(join(root, ours));
  const shared = { locks: createLocks(), quota: createQuota(limits.workspaceBytes) };
  workspace = openWorkspace(ours, { root, openDirectory, limits, ...shared });
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Milliseconds for which nobody else is served. */
function blocked(work: () => unknown): number {
  const start = performance.now();
  try {
    work();
  } catch {
    // A refusal is an answer too.
  }
  return performance.now() - start;
}

describe('a call MUST NOT keep the server from everybody else', () => {
  // The engine's own search takes the product of both lengths for this text.
  const text = 'a'.repeat(4 * MiB);
  const bad = (length: number) => `${'a'.repeat(length / 2)}b${'a'.repeat(length / 2)}`;

  test('by a text to find that is all but there everywhere', () => {
    const all = { find: bad(20_000), replace: '', all: true };
    expect(blocked(() => findReplace(text, all, limits.fileBytes))).toBeLessThan(1500);
    const ask = { pattern: bad(1000), content: 'x', which: 'all' as const };
    expect(blocked(() => insertAfterPattern(text, ask, limits.fileBytes))).toBeLessThan(1500);
  });

  test('by searching such a text', async () => {
    for (const name of ['1', '2', '3', '4']) writeFileSync(join(root, ours, name), text);
    const start = performance.now();
    const ask = { query: bad(500), path: '', in: 'content' as const };
    await searchFiles(workspace, { ...ask, caseSensitive: true, limit: 10 }, deps);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  test('by millions of lines or places', async () => {
    const lines = '\n'.repeat(10 * MiB);
    expect(blocked(() => insertLines(lines, 1, 'x'))).toBeLessThan(300);
    const all = { find: '\n', replace: ' ', all: true };
    expect(blocked(() => findReplace(lines, all, limits.fileBytes))).toBeLessThan(600);
    writeFileSync(join(root, ours, 'lines'), lines);
    await expect(
      workspace.edit('lines', undefined, (before) => ({
        text: insertLines(before, 1, 'x'),
        told: {},
      })),
    ).rejects.toThrow('more than 500000 lines');
    expect(await workspace.info('lines')).toMatchObject({ content: 'text', size: 10 * MiB });
  });
});

test('the search for a literal text finds what the engine finds', () => {
  const some = (length: number) =>
    Array.from({ length }, () => (Math.random() < 0.5 ? 'a' : 'b')).join('');
  for (let turn = 0; turn < 2000; turn += 1) {
    const period = some(1 + (turn % 7));
    const wanted = `${period.repeat(40)}`.slice(0, 33 + (turn % 30)) + some(turn % 3);
    const text = `${some(turn % 50)}${period.repeat(60)}${some(5)}${wanted}${some(40)}${wanted}`;
    for (const from of [0, turn % 200]) {
      expect(finder(wanted)(text, from)).toBe(text.indexOf(wanted, from));
    }
  }
});

test('moving directories into each other makes none that is deeper than a path can be', async () => {
  const chain = `${'d/'.repeat(39)}d`;
  await workspace.createDirectory(`a/${chain}`);
  await expect(workspace.move('a', `b/${chain}`, false)).rejects.toThrow('more than 64 parts');
  await workspace.move('a', `b/${'d/'.repeat(21)}d`, false);
  opened = { now: 0, most: 0 };
  await workspace.remove('b', true);
  expect(opened.most).toBeLessThan(70);
});

test('a workspace reads one file after the other, so that calls at once do not add up in memory', async () => {
  writeFileSync(join(root, ours, 'file'), 'x'.repeat(MiB));
  opened = { now: 0, most: 0 };
  const ask = { query: 'y', path: '', in: 'content' as const, caseSensitive: true, limit: 9 };
  const reads = Array.from({ length: 20 }, () => [
    workspace.read('file'),
    workspace.info('file'),
    searchFiles(workspace, ask, deps),
  ]);
  await Promise.all(reads.flat());
  expect(opened.most).toBeLessThan(5);
});

describe('a workspace holds no more than its share of the disk', () => {
  const full = 'The workspace is full';
  const half = Buffer.alloc(MiB - 100_000);

  test('however it is filled', async () => {
    await workspace.write('one', half, { overwrite: false });
    await workspace.copy('one', 'two', false);
    await expect(workspace.copy('one', 'three', false)).rejects.toThrow(full);
    await expect(workspace.write('three', half, { overwrite: false })).rejects.toThrow(full);
    const upload = { path: 'three', size: half.length, overwrite: false };
    await expect(workspace.install(upload, async () => {})).rejects.toThrow(full);
    await workspace.remove('two', false);
    for (let turn = 0; turn < 6; turn += 1) await workspace.write('one', half, { overwrite: true });
  });

  test('and what is deleted makes room again', async () => {
    for (const name of ['one', 'two']) await workspace.write(name, half, { overwrite: false });
    await workspace.remove('one', false);
    await workspace.write('three', half, { overwrite: false });
  });

  test('empty directories count too', async () => {
    const fill = async () => {
      for (let turn = 0; turn < 20; turn += 1) {
        await workspace.createDirectory(`${turn}/${'d/'.repeat(50)}d`);
      }
    };
    await expect(fill()).rejects.toThrow(full);
  });
});

test('a person with sessions in many workspaces keeps nobody out', async () => {
  const files = await startFilesServer({ sessions: { total: 4, perOwner: 3 } });
  onTestFinished(() => files.close());
  const connect = async (workspaceId: string, sub: string) => {
    const http = mcpHttp(files.resource, files.desk.issue({ workspaceId, sub }));
    const { response, session } = await http.initialize();
    await response.text();
    const alive = async () => (await http.call(session, 'list_files')).status === 200;
    return { status: response.status, alive };
  };
  const quiet = await connect(theirs, 'usr_quiet');
  const greedy = [];
  for (const workspaceId of [ours, ours, theirs])
    greedy.push(await connect(workspaceId, 'usr_many'));
  const next = await connect(ours, 'usr_next');
  expect(next.status).toBe(200);
  expect([await quiet.alive(), await next.alive()]).toEqual([true, true]);
  expect(await Promise.all(greedy.map(({ alive }) => alive()))).toEqual([false, true, true]);
});
