import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Counts that survive a restart: one small file per key, whose length is the count. */
export type FileCapStore = {
  /** Counts one more. @returns the count including this one */
  increment(key: string, expiresAt: Date): Promise<number>;
  /** Removes the counts of days that are over. */
  sweep(now: Date): Promise<void>;
};

/** @param directory for the files; made when it is missing */
export function fileCapStore(directory: string): FileCapStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    async increment(key, expiresAt) {
      const name = createHash('sha256').update(key).digest('hex');
      const file = await open(join(directory, `${expiresAt.getTime()}.${name}`), 'a', 0o600);
      try {
        // Appending is atomic, so two processes never count one call less than there were.
        await file.write('.');
        return (await file.stat()).size;
      } finally {
        await file.close();
      }
    },
    async sweep(now) {
      for (const name of await readdir(directory)) {
        if (Number.parseInt(name, 10) < now.getTime())
          await rm(join(directory, name), { force: true });
      }
    },
  };
}
