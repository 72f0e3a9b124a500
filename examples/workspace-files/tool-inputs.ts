import * as z from 'zod';

/** A file or directory below the home directory. */
export const path = z
  .string()
  .min(1)
  .max(1024)
  .describe('Path relative to the home directory, parts separated by /, such as notes/today.md');

/** A directory; empty for the home directory. */
export const directory = z
  .string()
  .max(1024)
  .default('')
  .describe('Directory relative to the home directory; empty for the home directory itself');

export const overwrite = z
  .boolean()
  .default(false)
  .describe('Replace a file that is already there');

export const expected = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .optional()
  .describe(
    'SHA-256 that the file must still have, as an earlier answer gave it; else nothing is done',
  );

export const line = (what: string) => z.number().int().min(1).describe(`${what}, counted from 1`);

export const uploadId = z.string().max(64).describe('upload_id from create_upload_session');
