import { createWriteStream, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Command } from 'commander';
import { z } from 'zod';
import { maintenance } from '../admin/contract/index.ts';
import type { AdminClient } from '../admin/index.ts';
import { withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { linesOf } from './lines.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, note, print, printJson } from './output.ts';

type Options = ConfigOption & JsonOption & { out?: string };

const headSchema = z.object({ created_at: z.string() });
const endSchema = z.object({ end: z.literal(true), rows: z.record(z.string(), z.number()) });

/** `authserver backup` */
export function backupCommand(): Command {
  return configured(
    'backup',
    'write everything in the database, as of one moment, to a file; the data-encryption key is not in it',
  )
    .option('--out <file>', 'the file; default authserver-<time>.backup.gz')
    .option(...jsonFlag)
    .action(async (options: Options) => {
      const made = await withAdmin(options, (admin) => backUp(admin, options.out));
      if (options.json) return printJson(made);
      print(`Wrote ${made.rows} rows to ${made.file}.`);
      note(
        'Keep the data-encryption key apart from it (data_encryption.key, or secrets.json in the data directory): without that key the backup cannot be restored, and with both anybody is this server.',
      );
    });
}

async function backUp(admin: AdminClient, out: string | undefined) {
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '');
  const file = out ?? `authserver-${time}.backup.gz`;
  const seen = { first: '', last: '' };
  const pieces = await admin.download(maintenance.backup, {});
  try {
    await pipeline(
      Readable.from(written(pieces, seen)),
      createGzip(),
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
    );
    const { created_at } = headSchema.parse(JSON.parse(seen.first));
    const { rows } = endSchema.parse(JSON.parse(seen.last));
    return { file, rows: Object.values(rows).reduce((sum, one) => sum + one, 0), created_at };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw error;
    rmSync(file, { force: true }); // half a backup is none
    if (error instanceof Error && 'path' in error) throw error;
    throw new CommandFailure(
      'the backup broke off before its end, so no file was kept. Try again',
      {
        cause: error,
      },
    );
  }
}

/** Says every few seconds how far it is. */
async function* written(
  pieces: AsyncIterable<Uint8Array>,
  seen: { first: string; last: string },
): AsyncGenerator<string> {
  let told = performance.now();
  let size = 0;
  for await (const line of linesOf(pieces)) {
    if (seen.first === '') seen.first = line;
    seen.last = line;
    size += line.length;
    if (performance.now() - told > 3000) {
      told = performance.now();
      note(`${Math.round(size / 1e6)} MB …`);
    }
    yield `${line}\n`;
  }
}
