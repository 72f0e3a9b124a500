import { createHash, randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { type Directory, inside, namesIn, type OpenDirectory } from './directory.ts';
import { isTemporaryName, temporaryName } from './paths.ts';
import { FileProblem, hasCode, shown } from './problem.ts';
import { entryBytes } from './quota.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export type Kind = 'file' | 'directory' | 'link' | 'other';

export const kindOf = (stat: Stats): Kind => {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  return stat.isSymbolicLink() ? 'link' : 'other';
};

/** What lies under a name; undefined when nothing does. A link is not followed. */
export async function look(directory: Directory, name: string): Promise<Stats | undefined> {
  try {
    return await lstat(directory.at(name));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Opens an ordinary file for reading and gives it to `use`. Not a link, not a pipe or device, and not a hard link,
 * whose other name may lie outside.
 */
export async function withFile<Value>(
  directory: Directory,
  name: string,
  use: (file: FileHandle, stat: Stats) => Promise<Value>,
): Promise<Value> {
  const file = await open(directory.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw new FileProblem(`${name} is a directory`);
    if (!stat.isFile()) throw new FileProblem(`${name} is no ordinary file`);
    if (stat.nlink > 1) throw new FileProblem(`${name} is a hard link; links are not followed`);
    return await use(file, stat);
  } finally {
    await file.close();
  }
}

/** All of a file, up to `limit` bytes. */
export async function readBytes(file: FileHandle, stat: Stats, limit: number): Promise<Buffer> {
  const tooLarge = `The file has ${stat.size} bytes; the limit here is ${limit}`;
  if (stat.size > limit) throw new FileProblem(tooLarge);
  const bytes = Buffer.alloc(stat.size + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  if (length > stat.size) throw new FileProblem('The file is being written; try again');
  return bytes.subarray(0, length);
}

/** SHA-256 of a file in hexadecimal digits, read in pieces. */
export async function hashFile(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of file.createReadStream({ start: 0, autoClose: false })) {
    hash.update(piece);
  }
  return hash.digest('hex');
}

export const hashBytes = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/**
 * Writes a file so that it is there as a whole or not at all: a temporary file beside it, on disk, then renamed.
 * @param fill writes the content
 * @param overwrite whether an ordinary file of that name may be replaced; its permissions stay
 */
export async function putFile(
  directory: Directory,
  name: string,
  fill: (file: FileHandle) => Promise<void>,
  overwrite: boolean,
): Promise<{ created: boolean }> {
  const before = await checkReplaceable(directory, name, overwrite);
  const temporary = temporaryName(randomBytes(16).toString('hex'));
  const path = directory.at(temporary);
  try {
    const file = await open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      await fill(file);
      if (before) await file.chmod(before.mode & 0o777);
      await file.sync();
    } finally {
      await file.close();
    }
    await directory.verify();
    await rename(path, directory.at(name));
  } catch (error) {
    await unlink(path).catch(() => {});
    throw error;
  }
  await syncDirectory(directory);
  return { created: before === undefined };
}

/** What a file would replace. @throws FileProblem unless it is nothing, or an ordinary file that may go */
export async function checkReplaceable(directory: Directory, name: string, overwrite: boolean) {
  const before = await look(directory, name);
  if (!before) return undefined;
  if (before.isDirectory()) throw new FileProblem(`${name} is a directory`);
  if (!before.isFile()) throw new FileProblem(`${name} is a link or no ordinary file`);
  if (!overwrite)
    throw new FileProblem(`${name} exists already; pass overwrite: true to replace it`);
  return before;
}

/** What is to be moved: a file or a directory. @throws FileProblem when it is neither */
export async function movable(directory: Directory, name: string, path: string): Promise<Stats> {
  const stat = await look(directory, name);
  if (!stat) throw new FileProblem(`${shown(path)} does not exist`);
  if (stat.isFile() || stat.isDirectory()) return stat;
  throw new FileProblem(`${shown(path)} is a link or no ordinary file`);
}

/** @throws FileProblem when what lies at the new place of a file or directory may not go */
export async function checkTarget(
  into: Directory,
  name: string,
  { stat, overwrite }: { stat: Stats; overwrite: boolean },
): Promise<void> {
  if (stat.isFile()) {
    await checkReplaceable(into, name, overwrite);
    return;
  }
  if (await look(into, name)) throw new FileProblem(`${name} exists already`);
}

/** Makes renames in a directory last through a power cut, where the system can. */
export async function syncDirectory(directory: Directory): Promise<void> {
  const handle = await open(directory.at('.'), O_RDONLY);
  await handle.sync().catch(() => {});
  await handle.close();
}

/** Removes a directory and all below it, never through a link. */
export async function removeTree(
  parent: Directory,
  name: string,
  openDirectory: OpenDirectory,
): Promise<void> {
  await inside(openDirectory(parent.at(name)), async (directory) => {
    for (const entry of (await namesIn(directory, Number.POSITIVE_INFINITY)).names) {
      const stat = await look(directory, entry);
      if (stat?.isDirectory()) await removeTree(directory, entry, openDirectory);
      else await unlink(directory.at(entry));
    }
  });
  await rmdir(parent.at(name));
}

/** Whether a directory holds nothing that its owner could see. */
export const isEmpty = async (directory: Directory): Promise<boolean> =>
  (await namesIn(directory, 1000)).names.every(isTemporaryName);

/** How many levels of entries lie below a directory; those beyond `most` are not looked at. */
export async function levelsBelow(
  parent: Directory,
  name: string,
  { openDirectory, most }: { openDirectory: OpenDirectory; most: number },
): Promise<number> {
  if (most < 0) return 0;
  return inside(openDirectory(parent.at(name)), async (directory) => {
    let levels = 0;
    for (const entry of await readdir(directory.at('.'), { withFileTypes: true })) {
      const deeper = { openDirectory, most: most - 1 };
      const below = entry.isDirectory() ? await levelsBelow(directory, entry.name, deeper) : 0;
      levels = Math.max(levels, below + 1);
    }
    return levels;
  });
}

/** How much of the disk all that is in a directory takes, in bytes. */
export async function bytesIn(directory: Directory, openDirectory: OpenDirectory): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory.at('.'))) {
    const stat = await look(directory, name);
    if (!stat) continue;
    bytes += entryBytes + (stat.isFile() ? stat.size : 0);
    if (!stat.isDirectory()) continue;
    bytes += await inside(openDirectory(directory.at(name)), (child) =>
      bytesIn(child, openDirectory),
    );
  }
  return bytes;
}
