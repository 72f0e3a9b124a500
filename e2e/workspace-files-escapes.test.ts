import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  type OpenDirectory,
  openByHandle,
  openByPath,
} from '../examples/workspace-files/directory.ts';
import { defaultLimits } from '../examples/workspace-files/limits.ts';
import { createLocks } from '../examples/workspace-files/locks.ts';
import { FileProblem } from '../examples/workspace-files/problem.ts';
import { createQuota } from '../examples/workspace-files/quota.ts';
import { listFiles, searchFiles } from '../examples/workspace-files/search.ts';
import { openWorkspace, type Workspace } from '../examples/workspace-files/workspace.ts';

const id = '0d3b5c1e-7f2a-4a66-9d58-1f2e3d4c5b6a';
const now = () => new Date();
const secret = 'SECRET OF SOMEBODY ELSE';

let base: string;
let home: string;
let outside: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'workspace-files-')));
  home = join(base, 'homes', id);
  outside = join(base, 'homes', 'ffffffff-7f2a-4a66-9d58-1f2e3d4c5b6a');
  mkdirSync(home, { recursive: true });
  mkdirSync(join(outside, 'sub'), { recursive: true });
  writeFileSync(join(outside, 'secret.txt'), secret);
});
afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

const open = (openDirectory: OpenDirectory, workspaceId = id): Workspace =>
  openWorkspace(workspaceId, {
    root: join(base, 'homes'),
    openDirectory,
    limits: defaultLimits,
    locks: createLocks(),
    quota: createQuota(defaultLimits.workspaceBytes),
  });

/** Everything that a caller can do with a path to a file, as calls that fail or give something. */
const uses = (workspace: Workspace, path: string, openDirectory: OpenDirectory) => {
  const deps = { limits: defaultLimits, openDirectory, now };
  const bytes = Buffer.from('OVERWRITTEN');
  return {
    read: () => workspace.read(path),
    write: () => workspace.write(path, bytes, { overwrite: true }),
    edit: () => workspace.edit(path, undefined, (text) => ({ text: `${text}!`, told: {} })),
    copyFrom: () => workspace.copy(path, 'copied', true),
    copyTo: () => workspace.copy('mine.txt', path, true),
    moveTo: () => workspace.move('mine.txt', path, true),
    list: () => listFiles(workspace, { path, recursive: true, limit: 100 }, deps),
    search: () =>
      searchFiles(
        workspace,
        { query: 'SECRET', path, in: 'content', caseSensitive: true, limit: 9 },
        deps,
      ),
  };
};

describe.each([
  ['by handle', openByHandle],
  ['by path', openByPath],
])('opening directories %s', (_how, openDirectory) => {
  test.each(['../ffffffff-7f2a-4a66-9d58-1f2e3d4c5b6a/secret.txt', '/etc/passwd', 'a/../../x'])(
    'no use of %s leaves the home directory',
    async (path) => {
      writeFileSync(join(home, 'mine.txt'), 'mine');
      const workspace = open(openDirectory);
      for (const use of Object.values(uses(workspace, path, openDirectory))) {
        await expect(use()).rejects.toThrow(FileProblem);
      }
    },
  );

  test('a link to a file is never read, written, edited or copied', async () => {
    writeFileSync(join(home, 'mine.txt'), 'mine');
    symlinkSync(join(outside, 'secret.txt'), join(home, 'link'));
    const { list: _l, search: _s, ...rest } = uses(open(openDirectory), 'link', openDirectory);
    for (const [name, use] of Object.entries(rest)) {
      await expect(use(), name).rejects.toThrow(FileProblem);
    }
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe(secret);
  });

  test.each([
    ['secret.txt', 'to the directory itself'],
    ['sub/new.txt', 'to a directory above'],
  ])('nothing goes through a link to a directory: %s', async (below) => {
    writeFileSync(join(home, 'mine.txt'), 'mine');
    symlinkSync(outside, join(home, 'link'));
    for (const [name, use] of Object.entries(
      uses(open(openDirectory), `link/${below}`, openDirectory),
    )) {
      await expect(use(), name).rejects.toThrow(FileProblem);
    }
    await expect(open(openDirectory).createDirectory('link/made')).rejects.toThrow(FileProblem);
    await expect(open(openDirectory).remove('link/secret.txt', true)).rejects.toThrow(FileProblem);
    expect((await readdir(outside)).sort()).toEqual(['secret.txt', 'sub']);
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe(secret);
  });

  test('a home directory that is a link is no home directory', async () => {
    rmSync(home, { recursive: true });
    symlinkSync(outside, home);
    await expect(open(openDirectory).read('secret.txt')).rejects.toThrow(FileProblem);
  });

  test('listing and searching do not follow links', async () => {
    symlinkSync(outside, join(home, 'link'));
    symlinkSync(join(outside, 'secret.txt'), join(home, 'file'));
    const all = uses(open(openDirectory), '', openDirectory);
    expect(await all.list()).toMatchObject({
      entries: [
        { path: 'file', type: 'link' },
        { path: 'link', type: 'link' },
      ],
    });
    expect(await all.search()).toEqual({ matches: [], more: false });
  });

  test('deleting a directory removes the links in it and not what they point to', async () => {
    mkdirSync(join(home, 'dir'));
    symlinkSync(outside, join(home, 'dir/link'));
    await open(openDirectory).remove('dir', true);
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe(secret);
    expect(await readdir(home)).toEqual([]);
  });

  test('a hard link to a file outside is not read, edited or copied', async () => {
    linkSync(join(outside, 'secret.txt'), join(home, 'hard'));
    const workspace = open(openDirectory);
    await expect(workspace.read('hard')).rejects.toThrow('hard link');
    await expect(workspace.copy('hard', 'copied', false)).rejects.toThrow('hard link');
    await workspace.write('hard', Buffer.from('mine now'), { overwrite: true });
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe(secret);
  });

  test('a pipe does not hang the server', async () => {
    execFileSync('mkfifo', [join(home, 'pipe')]);
    await expect(open(openDirectory).read('pipe')).rejects.toThrow('no ordinary file');
    expect(await uses(open(openDirectory), '', openDirectory).search()).toMatchObject({
      matches: [],
    });
  });

  test('ids that are no workspace ids have no home', () => {
    for (const bad of ['..', '.state', '', 'ABC', `${id}/..`]) {
      expect(() => open(openDirectory, bad)).toThrow(FileProblem);
    }
  });
});

/** Swaps `dir` between a real directory and a link to outside, as fast as it can, until it is killed. */
const swapper = `
const { renameSync, rmSync, symlinkSync } = require('node:fs');
const [home, outside] = process.argv.slice(1);
const [dir, kept, trap] = ['dir', 'kept', 'trap'].map((name) => home + '/' + name);
const attempt = (work, otherwise = () => {}) => { try { work(); } catch { otherwise(); } };
symlinkSync(outside, trap);
process.stdout.write('ready');
for (;;) {
  attempt(() => renameSync(dir, kept));
  // While it was away the server may have made a new one.
  attempt(() => renameSync(trap, dir), () => attempt(() => rmSync(dir, { recursive: true })));
  attempt(() => renameSync(dir, trap));
  attempt(() => renameSync(kept, dir));
}
`;

test('a program that swaps a directory for a link all the time gets nothing read or written outside', async () => {
  mkdirSync(join(home, 'dir'));
  writeFileSync(join(home, 'dir/secret.txt'), 'mine');
  writeFileSync(join(home, 'mine.txt'), 'mine');
  const racer = spawn(process.execPath, ['-e', swapper, home, outside]);
  onTestFinished(() => {
    racer.kill('SIGKILL');
  });
  await once(racer.stdout, 'data');

  const workspace = open(openByHandle);
  const told = { ok: 0, refused: 0 };
  const until = Date.now() + 60_000;
  while ((told.ok < 300 || told.refused < 300) && Date.now() < until) {
    writeFileSync(join(home, 'mine.txt'), 'mine');
    const { moveTo: _m, copyFrom, ...paths } = uses(workspace, 'dir/secret.txt', openByHandle);
    const lists = uses(workspace, 'dir', openByHandle);
    const calls = [paths.read, copyFrom, paths.write, paths.copyTo, lists.list, lists.search];
    for (const call of calls) {
      try {
        const result = await call();
        told.ok += 1;
        const seen = Buffer.isBuffer(result) ? result.toString() : JSON.stringify(result);
        expect(seen).not.toMatch(/SECRET|sub/);
      } catch (error) {
        if (!(error instanceof FileProblem)) throw error;
        told.refused += 1;
      }
    }
  }
  const killed = once(racer, 'close');
  racer.kill('SIGKILL');
  expect(await killed).toEqual([null, 'SIGKILL']);

  expect(told.ok).toBeGreaterThan(299);
  expect(told.refused).toBeGreaterThan(299);
  expect((await readdir(outside)).sort()).toEqual(['secret.txt', 'sub']);
  expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe(secret);
});
