import { event, flag, text, time } from '../fields.ts';

/** Running the server. */
export const backupEvents = {
  backup_made: event('Somebody takes everything in the database away in a file.', {
    format: text('of the file'),
  }),
  backup_restored: event('A backup was written into this database.', {
    created_at: time('when the backup was made'),
    tokens_ended: flag('whether everything issued before was ended'),
  }),
} as const;
