import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { KeysStartError } from './errors.ts';

/** What a server on a loopback issuer makes for itself. */
export interface LocalSecrets {
  readonly sessionSecret: string;
  /** 32 bytes, for `createSecretBox`. */
  readonly dataEncryptionKey: Buffer;
}

const fileSchema = z.object({
  session_secret: z.string().min(32),
  data_encryption_key: z.base64().refine((value) => Buffer.from(value, 'base64').length === 32),
});

/**
 * Reads `<dir>/secrets.json`, or makes it (mode 0600) with random secrets. Of several processes that
 * make it at once one wins and the others read its file; a killed process leaves no half of a file.
 * For loopback issuers only: elsewhere the operator gives the secrets, and the caller sees to that.
 *
 * @throws KeysStartError when others may read the file or it is damaged; the message says what to do
 */
export function loadOrCreateLocalSecrets(dir: string): LocalSecrets {
  const file = join(dir, 'secrets.json');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const found = readSecrets(file);
  if (found) return found;
  createSecrets(file);
  const made = readSecrets(file);
  if (!made) throw new KeysStartError(`${file} vanished while it was being made; start again`);
  return made;
}

function readSecrets(file: string): LocalSecrets | undefined {
  const content = readPrivateFile(file);
  if (content === undefined) return undefined;
  try {
    const parsed = fileSchema.parse(JSON.parse(content));
    return {
      sessionSecret: parsed.session_secret,
      dataEncryptionKey: Buffer.from(parsed.data_encryption_key, 'base64'),
    };
  } catch {
    // No cause: a parser's message may quote the secret.
    throw new KeysStartError(
      `${file} is damaged. Restore it from a backup: without its data_encryption_key nothing that ` +
        'was encrypted in the database can be read. To start over with an empty database, remove ' +
        'the file and the database directory',
    );
  }
}

function readPrivateFile(file: string): string | undefined {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined;
    const advice = 'it must be a file that this user, and nobody else, can read';
    throw new KeysStartError(`${file} cannot be read: ${advice}`, { cause });
  }
  try {
    refuseUnsafe(file, fstatSync(handle));
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

function refuseUnsafe(file: string, stats: Stats): void {
  if (!stats.isFile()) throw new KeysStartError(`${file} is in the way: it is not a file`);
  if (process.platform === 'win32' || (stats.mode & 0o077) === 0) return;
  throw new KeysStartError(
    `${file} holds secrets but other users may read it (mode ${(stats.mode & 0o777).toString(8)}): ` +
      `run chmod 600 ${file}`,
  );
}

/** Written in full beside it, then linked: the name appears with all of its content or not at all. */
function createSecrets(file: string): void {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeFileSync(handle, `${JSON.stringify(randomSecrets(), null, 2)}\n`);
    fsyncSync(handle);
    linkSync(draft, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error; // somebody else was faster
  } finally {
    closeSync(handle);
    rmSync(draft, { force: true });
  }
}

function randomSecrets(): z.infer<typeof fileSchema> {
  return {
    session_secret: randomBytes(32).toString('base64url'),
    data_encryption_key: randomBytes(32).toString('base64'),
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
