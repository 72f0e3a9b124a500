import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { Argument, type Command, Option } from 'commander';
import { z } from 'zod';
import type { Config } from '../config/index.ts';
import type { BackupHead, BackupLine } from '../db/index.ts';
import { CommandFailure } from './failure.ts';
import { linesOf } from './lines.ts';
import { type ConfigOption, configured, load } from './load.ts';
import { operator } from './operator.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { refuseHeld } from './storage.ts';

type Options = ConfigOption & JsonOption & { tokens: 'auto' | 'keep' | 'end' };

/** A backup that is older is taken to miss revocations. Milliseconds. */
const fresh = 10 * 60_000;

const headSchema = z.object({
  format: z.literal('authserver-backup'),
  version: z.literal(1),
  created_at: z.iso.datetime(),
  migrations: z.array(z.string()).min(1),
  key_check: z.string(),
});
const lineSchema = z.union([
  z.object({ table: z.string(), rows: z.array(z.unknown()) }),
  z.object({ end: z.literal(true), rows: z.record(z.string(), z.number()) }),
]);

/** `authserver restore` */
export function restoreCommand(): Command {
  return configured('restore', 'write a backup into an empty database')
    .addArgument(new Argument('<file>', 'what `authserver backup` has written'))
    .addOption(
      new Option(
        '--tokens <what>',
        'keep what was issued, or end it, so that what was revoked since stays revoked; auto keeps it where the backup is at most ten minutes old',
      )
        .choices(['auto', 'keep', 'end'])
        .default('auto'),
    )
    .option(...jsonFlag)
    .action(async (file: string, options: Options) => {
      const done = await restore(file, options);
      if (options.json) return printJson(done);
      print(`Restored ${done.rows} rows as of ${done.created_at}.`);
      note(done.ended ? endedNote : keptNote);
    });
}

const endedNote =
  'Everything issued before was ended, since revocations made after the backup are not in it: people sign in and approve once more, clients connect again by themselves. Check accounts, clients and secrets that were changed since.';
const keptNote =
  'What was issued before works on. Whatever was revoked after the backup is alive again: use --tokens end if there was such.';

async function restore(file: string, options: Options) {
  const { config } = load(options);
  await refuseHeld(config);
  const { head, lines } = await openBackup(file);
  const now = new Date();
  const ended =
    options.tokens === 'end' ||
    (options.tokens === 'auto' && now.getTime() - Date.parse(head.created_at) > fresh);
  const restored = await write(config, { head, lines, ended, now });
  const rows = Object.values(restored).reduce((sum, count) => sum + count, 0);
  return { rows, created_at: head.created_at, ended };
}

async function write(
  config: Config,
  {
    head,
    lines,
    ended,
    now,
  }: { head: BackupHead; lines: AsyncGenerator<BackupLine>; ended: boolean; now: Date },
) {
  const { keyCheck, openDatabase, restoreLines } = await import('../db/index.ts');
  const { boxOf, storageOptions } = await import('../rooms.ts');
  const { endEverything } = await import('../end-everything.ts');
  try {
    boxOf(config).open(head.key_check, keyCheck);
  } catch (cause) {
    throw new CommandFailure(
      'the backup was made under another data-encryption key. Configure that key (data_encryption.key, or its secrets.json in the data directory)',
      { cause },
    );
  }
  const { alignAuditOrder, recordAudit, ensureAuditPartitionsFor } = await import(
    '../audit/index.ts'
  );
  const db = await openDatabase(storageOptions(config));
  try {
    return await restoreLines(db, head, lines, {
      prepare: (trx, { table, rows }) =>
        table === 'audit_events' ? ensureAuditPartitionsFor(trx, rows) : Promise.resolve(),
      async settle(trx) {
        const { actor, meta } = operator(now);
        await alignAuditOrder(trx); // before anything is recorded
        if (ended) await endEverything(trx, now);
        const detail = { created_at: new Date(head.created_at), tokens_ended: ended };
        await recordAudit(trx, { type: 'backup_restored', actor, detail }, meta);
      },
    });
  } finally {
    await db.close();
  }
}

/** @throws CommandFailure when it is no backup */
async function openBackup(file: string) {
  const texts = textsOf(file);
  const first = await texts.next();
  const head = headSchema.safeParse(parsed(first.done ? '' : first.value));
  if (!head.success) throw noBackup(file);
  async function* lines(): AsyncGenerator<BackupLine> {
    for await (const text of texts) {
      const line = lineSchema.safeParse(parsed(text));
      if (!line.success) throw noBackup(file);
      yield line.data;
    }
  }
  return { head: head.data, lines: lines() };
}

async function* textsOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file);
  const text = input.pipe(createGunzip());
  input.on('error', (error) => text.destroy(error));
  try {
    yield* linesOf(text);
    if (text.errored) throw text.errored;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new CommandFailure(`there is no file ${file}`);
    }
    throw new CommandFailure(`${file} is cut off or damaged. Nothing was restored`, {
      cause: error,
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function noBackup(file: string): CommandFailure {
  return new CommandFailure(`${file} is not a backup that this version can read`);
}
