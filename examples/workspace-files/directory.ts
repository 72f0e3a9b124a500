import { constants, existsSync } from 'node:fs';
import { lstat, mkdir, open, opendir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { FileProblem, hasCode } from './problem.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** An open directory, which stays the one that was opened whatever happens to its path. */
export type Directory = {
  /** How the system reaches an entry of it. */
  at(name: string): string;
  /** Fails when what was reached meanwhile cannot be trusted. */
  verify(): Promise<void>;
  close(): Promise<void>;
};

/** Opens the directory at a path whose last part may not be a link. */
export type OpenDirectory = (path: string) => Promise<Directory>;

/**
 * Linux: an entry is reached through the handle of its directory, so that nobody can put a link into the way between a
 * check and its use. This is openat(2), which Node does not offer, by /proc/self/fd.
 */
export const openByHandle: OpenDirectory = async (path) => {
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  return {
    at: (name) => `/proc/self/fd/${handle.fd}/${name}`,
    verify: async () => {},
    close: () => handle.close(),
  };
};

/**
 * Elsewhere: the real path and the identity of the directory are compared before and after each use. It finds links
 * that are there; a program on the same computer that swaps directories at the right moments could still get by.
 */
export const openByPath: OpenDirectory = async (path) => {
  const identity = async () => {
    const { dev, ino } = await lstat(path);
    return (await realpath(path)) === path ? `${dev}:${ino}` : 'elsewhere';
  };
  const opened = await identity();
  const stat = await lstat(path);
  if (opened === 'elsewhere' || !stat.isDirectory()) {
    throw Object.assign(new Error(`no directory: ${path}`), { code: 'ENOTDIR' });
  }
  return {
    at: (name) => join(path, name),
    verify: async () => {
      if ((await identity().catch(() => 'gone')) === opened) return;
      throw new FileProblem('The directory was moved meanwhile; try again');
    },
    close: async () => {},
  };
};

/** The way that this system offers. */
export const openDirectory: OpenDirectory = existsSync('/proc/self/fd') ? openByHandle : openByPath;

/** Runs `use` with an open directory, and closes it. */
export async function inside<Value>(
  opening: Promise<Directory>,
  use: (directory: Directory) => Promise<Value>,
): Promise<Value> {
  const directory = await opening;
  try {
    await directory.verify();
    const value = await use(directory);
    await directory.verify();
    return value;
  } finally {
    await directory.close();
  }
}

/** The names in a directory, sorted; `more` when there are over `limit`. */
export async function namesIn(directory: Directory, limit: number) {
  const names: string[] = [];
  let more = false;
  for await (const { name } of await opendir(directory.at('.'))) {
    more = names.length >= limit;
    if (more) break;
    names.push(name);
  }
  return { names: names.sort(), more };
}

/** Makes a directory unless it is there. @returns whether it was made */
export async function makeDirectory(directory: Directory, name: string): Promise<boolean> {
  try {
    await mkdir(directory.at(name), { mode: 0o700 });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}
