import { event, flag, time } from '../fields.ts';

/** Running the server. */
export const backupEvents = {
  backup_restored: event('A backup was written into this database.', {
    created_at: time('when the backup was made'),
    tokens_ended: flag('whether everything issued before was ended'),
  }),
} as const;
