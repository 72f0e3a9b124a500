import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { decodeKey, readEnvironment } from '../config/index.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured, load } from './load.ts';
import { type JsonOption, jsonFlag, print, printJson } from './output.ts';
import { refuseHeld } from './storage.ts';

type Options = ConfigOption & JsonOption & { oldKeyFile?: string };

/** Variable that holds the old key, where no file does: not an option, which every process list shows. */
const oldKeyVariable = 'OLD_DATA_ENCRYPTION_KEY';

/** `authserver key reencrypt` */
export function reencryptCommand(): Command {
  return configured(
    'reencrypt',
    'encrypt secrets in the database under data_encryption.key, after it was changed; servers must be stopped',
  )
    .option(
      '--old-key-file <file>',
      `the key before, in base64, or a secrets.json; without it the variable ${oldKeyVariable} has it`,
    )
    .option(...jsonFlag)
    .action(async (options: Options) => {
      const done = await reencryptAll(options, oldKey(options.oldKeyFile));
      if (options.json) printJson(done);
      else print(`${done.resealed} values are encrypted under the current key now.`);
      if (done.unreadable > 0) {
        throw new CommandFailure(
          `${done.unreadable} values do not open with the old key or the current one. If there was an older key, run this again with it.`,
        );
      }
    });
}

async function reencryptAll(options: Options, old: Buffer) {
  const { config } = load(options);
  await refuseHeld(config);
  const { migrate, openDatabase } = await import('../db/index.ts');
  const { storageOptions, boxOf } = await import('../rooms.ts');
  const { reencrypt } = await import('../keys/index.ts');
  const db = await openDatabase(storageOptions(config));
  try {
    await migrate(db);
    return await reencrypt(db, boxOf(config, [old]), { at: new Date() });
  } finally {
    await db.close();
  }
}

function oldKey(file: string | undefined): Buffer {
  const text = file === undefined ? readEnvironment()[oldKeyVariable] : readText(file);
  if (text === undefined || text.trim() === '') {
    throw new CommandFailure(`Give the old key with --old-key-file, or in ${oldKeyVariable}.`);
  }
  const key = decodeKey(keyIn(text.trim()));
  if (key?.length === 32) return key;
  throw new CommandFailure('The old key is not 32 bytes in base64.');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CommandFailure(`${file} cannot be read.`, { cause });
  }
}

/** The key itself, or what a server on this computer made for itself. */
function keyIn(text: string): string {
  if (!text.startsWith('{')) return text;
  try {
    const parsed: unknown = JSON.parse(text);
    const key =
      typeof parsed === 'object' && parsed !== null && Reflect.get(parsed, 'data_encryption_key');
    return typeof key === 'string' ? key : '';
  } catch {
    return ''; // no cause: a parser's message may quote the key
  }
}
