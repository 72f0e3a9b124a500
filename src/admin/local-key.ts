import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Tells with the key, percent-encoded, the name of the system user for the audit log. */
export const systemUserHeader = 'x-authserver-system-user';
const fileName = 'admin.key';
const content = z.object({
  url: z.url(),
  key: z.string().min(32),
  issuer: z.string().optional(),
});

/** How programs on this computer reach the admin listener of a running server: `<data directory>/admin.key`. */
export interface LocalKey {
  /** Of the admin listener, such as `http://localhost:9001`. */
  url: string;
  /** Sent as `Authorization: Bearer`; good while that server runs, from this computer only. */
  key: string;
  /** `server.issuer` of that server: two that share a data directory must not be mistaken for each other. */
  issuer?: string | undefined;
}

/**
 * Makes a key and writes `{"url": …, "key": …, "issuer": …}` to `admin.key` in the data directory, mode 0600. The file
 * appears with all of its content or not at all, in place of one that a killed server has left.
 *
 * @returns `remove`, which takes the file away again, unless another server has put its own there
 * @throws the error of the file system where the directory cannot be written
 */
export function makeLocalKey(
  directory: string,
  url: string,
  issuer?: string,
): LocalKey & { remove(): void } {
  const key = randomBytes(32).toString('base64url');
  const file = join(directory, fileName);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${JSON.stringify({ url, key, issuer })}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
  return {
    url,
    key,
    remove() {
      if (readLocalKey(directory)?.key === key) rmSync(file, { force: true });
    },
  };
}

/**
 * What {@link makeLocalKey} wrote. Does NOT say that the server still runs.
 *
 * @returns undefined where there is none, it is damaged, or others may read or have made it
 */
export function readLocalKey(directory: string): LocalKey | undefined {
  const file = join(directory, fileName);
  try {
    const { mode, uid } = statSync(file);
    const isOurs =
      process.getuid === undefined || uid === process.getuid() || process.getuid() === 0;
    if (process.platform !== 'win32' && ((mode & 0o077) !== 0 || !isOurs)) return undefined;
    return content.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
