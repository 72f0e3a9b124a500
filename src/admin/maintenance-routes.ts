import { Readable } from 'node:stream';
import type { Accounts } from '../accounts/index.ts';
import { recordAudit } from '../audit/index.ts';
import { backupLines, type Database, keyCheck } from '../db/index.ts';
import type { SecretBox } from '../keys/index.ts';
import { maintenance as contract } from './contract/index.ts';
import { fulfil, fulfilDownload, type ServedRoute, unknownId } from './served-route.ts';

/** Removes rows that are no longer needed. */
export interface Sweep {
  name: string;
  title: string;
  /** Works for some seconds. @returns rows removed; undefined where it runs elsewhere at this moment */
  run: () => Promise<{ rows: number; done: boolean } | undefined>;
}

export interface MaintenanceDeps {
  db: Database;
  accounts: Pick<Accounts, 'setup'>;
  /** Seals what tells whether a backup and a data-encryption key belong together. */
  box: Pick<SecretBox, 'seal'>;
  sweeps: readonly Sweep[];
}

/** Milliseconds that whoever takes a backup may be idle: on the embedded database everybody else waits. */
const patience = 10_000;

/** Backups and the clean-up, at any moment. */
export function maintenanceRoutes({ db, box, accounts, sweeps }: MaintenanceDeps): ServedRoute[] {
  return [
    fulfilDownload(contract.backup, async (_request, { actor, meta }) => {
      const event = { type: 'backup_made', actor, detail: { format: 'ndjson' } } as const;
      await recordAudit(db.kysely, event, meta);
      const created_at = meta.at.toISOString();
      const lines = backupLines(db, { created_at, key_check: box.seal(keyCheck, keyCheck) });
      const name = `authserver-${created_at.slice(0, 19).replaceAll(':', '')}.backup`;
      return { name, type: 'application/x-ndjson', body: unlessIdle(lines) };
    }),

    fulfil(contract.setupLink, async (_request, { actor, meta }) => ({
      token: (await accounts.setup.open({ ...meta, actor }))?.token ?? null,
    })),

    fulfil(contract.sweeps, async () => ({
      items: sweeps.map(({ name: id, title }) => ({ id, title })),
    })),

    fulfil(contract.sweep, async ({ params: { id } }) => {
      const found = sweeps.find(({ name }) => name === id);
      if (!found) throw unknownId();
      const { rows = null, done = true } = (await found.run()) ?? {};
      return { id, title: found.title, rows, done };
    }),
  ];
}

/** Lines of JSON. Attack: somebody who takes one and never the next would stop the whole server. */
function unlessIdle(values: AsyncIterable<unknown>): Readable {
  async function* lines(): AsyncGenerator<string> {
    for await (const value of values) {
      const late = setTimeout(() => {
        stream.destroy(new Error('the backup was not taken fast enough'));
      }, patience);
      try {
        yield `${JSON.stringify(value)}\n`;
      } finally {
        clearTimeout(late);
      }
    }
  }
  const stream: Readable = Readable.from(lines());
  return stream;
}
