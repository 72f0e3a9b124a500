import type { Command } from 'commander';
import { type ConfigOption, configured, load } from './load.ts';
import { print } from './output.ts';

/** `authserver migrate` */
export function migrateCommand(): Command {
  return configured(
    'migrate',
    'bring the database schema up to date; serve does it by itself',
  ).action(async (options: ConfigOption) => {
    const { config } = load(options);
    const { migrate, openDatabase } = await import('../db/index.ts');
    const { storageOptions } = await import('../rooms.ts');
    const db = await openDatabase(storageOptions(config));
    try {
      const done = await migrate(db);
      print(done.length > 0 ? `migrated: ${done.join(', ')}` : 'up to date');
    } finally {
      await db.close();
    }
  });
}
