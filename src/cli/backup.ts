import { createWriteStream, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Command } from 'commander';
import type { BackupHead, BackupLine } from '../db/index.ts';
import type { Rooms } from '../rooms.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';

type Options = ConfigOption & JsonOption & { out?: string };

/** `authserver backup` */
export function backupCommand(): Command {
  return configured(
    'backup',
    'write everything in the database, as of one moment, to a file; the data-encryption key is not in it',
  )
    .option('--out <file>', 'the file; default authserver-<time>.backup.gz')
    .option(...jsonFlag)
    .action(async (options: Options) => {
      const made = await withRooms(options, (rooms) => backUp(rooms, options.out));
      if (options.json) return printJson(made);
      print(`Wrote ${made.rows} rows to ${made.file}.`);
      note(
        'Keep the data-encryption key apart from it (data_encryption.key, or secrets.json in the data directory): without that key the backup cannot be restored, and with both anybody is this server.',
      );
    });
}

async function backUp({ db, box, now }: Rooms, out: string | undefined) {
  const at = now().toISOString();
  const file = out ?? `authserver-${at.slice(0, 19).replaceAll(':', '')}.backup.gz`;
  const counted = { rows: 0 };
  const { backupLines, keyCheck } = await import('../db/index.ts');
  const lines = backupLines(db, {
    created_at: at,
    key_check: box.seal(keyCheck, keyCheck),
  });
  try {
    await pipeline(
      Readable.from(written(lines, counted)),
      createGzip(),
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
    );
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      rmSync(file, { force: true }); // half a backup is none
    }
    throw error;
  }
  return { file, rows: counted.rows, created_at: at };
}

/** One line of JSON each; says every few seconds how far it is. */
async function* written(
  lines: AsyncIterable<BackupHead | BackupLine>,
  counted: { rows: number },
): AsyncGenerator<string> {
  let told = performance.now();
  for await (const line of lines) {
    if ('table' in line) counted.rows += line.rows.length;
    if (performance.now() - told > 3000) {
      told = performance.now();
      note(`${counted.rows} rows …`);
    }
    yield `${JSON.stringify(line)}\n`;
  }
}
