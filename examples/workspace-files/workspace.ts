import type { Stats } from 'node:fs';
import { rename, rmdir, unlink } from 'node:fs/promises';
import { type Directory, inside, makeDirectory, type OpenDirectory } from './directory.ts';
import {
  bytesIn,
  checkReplaceable,
  checkTarget,
  hashBytes,
  hashFile,
  isEmpty,
  kindOf,
  levelsBelow,
  look,
  movable,
  putFile,
  readBytes,
  removeTree,
  syncDirectory,
  withFile,
} from './entries.ts';
import { type Home, openHome } from './home.ts';
import type { Limits } from './limits.ts';
import { hasLines, lineEnding, splitLines } from './lines.ts';
import type { Locks } from './locks.ts';
import { joinPath, maxDepth, parseDirectoryPath, parsePath } from './paths.ts';
import { explained, FileProblem, shown } from './problem.ts';
import { entryBytes, type Quota } from './quota.ts';
import { decodeText, encodeText, textIn } from './text.ts';

export type WorkspaceDeps = {
  /** Real path of the directory that holds all homes. */
  root: string;
  openDirectory: OpenDirectory;
  limits: Limits;
  /** Changes of one workspace happen one after the other. */
  locks: Locks;
  quota: Quota;
};

/** The files of one workspace. Everything takes paths as callers write them and throws FileProblem. */
export type Workspace = ReturnType<typeof openWorkspace>;

export function openWorkspace(id: string, deps: WorkspaceDeps) {
  const { limits, openDirectory } = deps;
  const home: Home = openHome(deps.root, id, openDirectory);
  const changing = <Value>(path: string, work: () => Promise<Value>) =>
    deps.locks(id, () => explained(path, work));

  /** Reads of one workspace happen one after the other too: each may hold a whole file in memory. */
  const reading = <Value>(path: string, work: () => Promise<Value>) =>
    deps.locks(`${id} reading`, () => explained(path, work));

  /** Counts a file of so many bytes, or a directory, and the directories above, which may be made. */
  const take = (parts: readonly string[], bytes = 0) =>
    deps.quota.take(id, bytes + parts.length * entryBytes, () =>
      home.in([], (directory) => bytesIn(directory, openDirectory)),
    );

  const readAt = (directory: Directory, name: string) =>
    withFile(directory, name, (file, stat) => readBytes(file, stat, limits.fileBytes));

  /** The place where something new arrives; the directories above it are made. */
  const arrive = <Value>(
    path: string,
    parts: readonly string[],
    use: (directory: Directory, name: string) => Promise<Value>,
  ) => explained(path, () => home.at(parts, use, true));

  async function put(parts: readonly string[], bytes: Buffer, overwrite: boolean) {
    if (bytes.length > limits.fileBytes) {
      throw new FileProblem(
        `The content has ${bytes.length} bytes; the limit is ${limits.fileBytes}. Upload larger files with create_upload_session`,
      );
    }
    await take(parts, bytes.length);
    return home.at(
      parts,
      (directory, name) =>
        putFile(directory, name, async (file) => file.writeFile(bytes), overwrite),
      true,
    );
  }

  return {
    id,
    home,
    reading,

    /** The whole content of a file. */
    read: (path: string) => reading(path, async () => home.at(parsePath(path), readAt)),

    /** Writes a file as a whole; makes the directories above it. */
    write: (path: string, bytes: Buffer, options: { overwrite: boolean; expected?: string }) =>
      changing(path, async () => {
        const parts = parsePath(path);
        if (options.expected !== undefined) {
          checkHash(path, options.expected, await home.at(parts, readAt));
        }
        const { created } = await put(parts, bytes, options.overwrite);
        return { path: joinPath(parts), size: bytes.length, sha256: hashBytes(bytes), created };
      }),

    /** Changes a text file: read, changed and written with nobody in between. */
    edit: <Told extends object>(
      path: string,
      expected: string | undefined,
      change: (text: string) => { text: string; told: Told },
    ) =>
      changing(path, async () => {
        const parts = parsePath(path);
        const before = await home.at(parts, readAt);
        if (expected !== undefined) checkHash(path, expected, before);
        const { text, told } = change(decodeText(before));
        const bytes = encodeText(text);
        const lines = splitLines(text).length;
        await put(parts, bytes, true);
        return { path: joinPath(parts), ...told, lines, sha256: hashBytes(bytes) };
      }),

    /** Makes a directory and those above it. */
    createDirectory: (path: string) =>
      changing(path, async () => {
        const parts = parsePath(path);
        await take(parts);
        const created = await home.at(parts, makeDirectory, true);
        await home.in(parts, async () => {});
        return { path: joinPath(parts), created };
      }),

    /** Removes a file, a link itself, or a directory; a directory that is not empty only when told so. */
    remove: (path: string, recursive: boolean) =>
      changing(path, async () => {
        const parts = parsePath(path);
        await home.at(parts, async (directory, name) => {
          const stat = await look(directory, name);
          if (!stat) throw new FileProblem(`${shown(path)} does not exist`);
          if (!stat.isDirectory()) return unlink(directory.at(name));
          const empty = await inside(openDirectory(directory.at(name)), isEmpty);
          if (recursive || empty) return removeTree(directory, name, openDirectory);
          return rmdir(directory.at(name));
        });
        return { path: joinPath(parts), deleted: true };
      }),

    /** Renames a file or directory; makes the directories above its new place. */
    move: (from: string, to: string, overwrite: boolean) =>
      changing(from, async () => {
        const [source, target] = [parsePath(from), parsePath(to)];
        if (source.every((part, index) => part === target[index])) {
          throw new FileProblem(`${shown(from)} cannot go into itself`);
        }
        await home.at(source, async (directory, name) => {
          const stat = await movable(directory, name, from);
          const most = maxDepth - target.length;
          if (
            stat.isDirectory() &&
            (await levelsBelow(directory, name, { openDirectory, most })) > most
          )
            throw new FileProblem(`${shown(to)} would hold paths of more than ${maxDepth} parts`);
          await take(target);
          await arrive(to, target, async (into, newName) => {
            await checkTarget(into, newName, { stat, overwrite });
            await rename(directory.at(name), into.at(newName));
            await syncDirectory(into);
          });
        });
        return { from: joinPath(source), to: joinPath(target) };
      }),

    /** Copies one file. */
    copy: (from: string, to: string, overwrite: boolean) =>
      changing(from, async () => {
        const [source, target] = [parsePath(from), parsePath(to)];
        const size = await home.at(source, (directory, name) =>
          withFile(directory, name, async (file, stat) => {
            if (stat.size > limits.uploadBytes) throw new FileProblem('The file is too large');
            await take(target, stat.size);
            const stream = file.createReadStream({ start: 0, autoClose: false });
            await arrive(to, target, (into, newName) =>
              putFile(into, newName, (copy) => copy.writeFile(stream), overwrite),
            );
            return stat.size;
          }),
        );
        return { from: joinPath(source), to: joinPath(target), size };
      }),

    /** What is known of a file or directory. */
    info: (path: string) =>
      reading(path, async () => {
        const parts = parseDirectoryPath(path);
        if (parts.length === 0) return { path: '', type: 'directory' };
        return home.at(parts, async (directory, name) => {
          const stat = await look(directory, name);
          if (!stat) throw new FileProblem(`${shown(path)} does not exist`);
          const told = { path: joinPath(parts), ...summary(stat) };
          return stat.isFile() ? { ...told, ...(await describe(directory, name, limits)) } : told;
        });
      }),

    /** Gives the place of a finished upload to `enter`, which puts a file of that size there. */
    install: (
      { path, size, overwrite }: { path: string; size: number; overwrite: boolean },
      enter: (directory: Directory, name: string) => Promise<void>,
    ) =>
      changing(path, async () => {
        const parts = parsePath(path);
        await take(parts, size);
        await home.at(
          parts,
          async (directory, name) => {
            await checkReplaceable(directory, name, overwrite);
            await enter(directory, name);
            await syncDirectory(directory);
          },
          true,
        );
      }),
  };
}

/** What every listing tells of an entry. */
export const summary = (stat: Stats) => ({
  type: kindOf(stat),
  ...(stat.isFile() && { size: stat.size }),
  modified: stat.mtime.toISOString(),
});

function checkHash(path: string, expected: string, content: Uint8Array): void {
  if (hashBytes(content) === expected.toLowerCase()) return;
  throw new FileProblem(
    `${shown(path)} was changed meanwhile (its sha256 is another); read it again`,
  );
}

function describe(directory: Directory, name: string, { fileBytes }: Limits) {
  return withFile(directory, name, async (file, stat) => {
    const sha256 = await hashFile(file);
    if (stat.size > fileBytes) return { sha256 };
    const text = textIn(await readBytes(file, stat, fileBytes));
    if (text === undefined) return { sha256, content: 'binary' };
    if (!hasLines(text)) return { sha256, content: 'text' };
    const lines = splitLines(text);
    const ending = lineEnding(lines) === '\n' ? 'LF' : 'CRLF';
    return { sha256, content: 'text', lines: lines.length, line_ending: ending };
  });
}
