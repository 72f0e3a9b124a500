import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Why a file cannot be used; completes "FILE …". */
export type TextFile = { ok: true; text: string } | { ok: false; problem: string; fix: string };

/**
 * Reads a UTF-8 file and no more of it than allowed, so that a device or a huge file costs nothing.
 *
 * @param limit bytes
 */
export function readTextFile(path: string, limit: number): TextFile {
  let bytes: Buffer;
  try {
    const read = readAtMost(path, limit + 1);
    if (!read) return { ok: false, problem: 'is a directory', fix: 'name a file' };
    bytes = read;
  } catch (error) {
    return unreadable(error);
  }
  if (bytes.length > limit) {
    return { ok: false, problem: `is larger than ${limit / 1024} KiB`, fix: 'name the right file' };
  }
  return decode(bytes);
}

function readAtMost(path: string, limit: number): Buffer | undefined {
  const file = openSync(path, 'r');
  try {
    if (fstatSync(file).isDirectory()) return undefined;
    const buffer = Buffer.alloc(limit);
    let filled = 0;
    while (filled < limit) {
      const count = readSync(file, buffer, filled, limit - filled, null);
      if (count === 0) break;
      filled += count;
    }
    return buffer.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

function decode(bytes: Buffer): TextFile {
  const byteOrderMark = {
    ok: false,
    problem: 'starts with a byte order mark',
    fix: 'save it as UTF-8 without BOM',
  } as const;
  if ([0xfeff, 0xfffe].includes(bytes.length > 1 ? bytes.readUInt16BE() : 0)) return byteOrderMark;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.startsWith('\uFEFF') ? byteOrderMark : { ok: true, text };
  } catch {
    return { ok: false, problem: 'is not UTF-8 text', fix: 'save it as UTF-8' };
  }
}

function unreadable(error: unknown): TextFile {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { ok: false, problem: 'does not exist', fix: 'create it or correct the path' };
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return { ok: false, problem: 'may not be read', fix: 'give this user read permission' };
  }
  return { ok: false, problem: `cannot be read (${String(code)})`, fix: 'name a readable file' };
}
