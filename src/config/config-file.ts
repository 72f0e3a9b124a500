import { createHash } from 'node:crypto';
import { readTextFile } from './text-file.ts';

/** Bytes. */
export const largestConfigFile = 1024 * 1024;

/** Fingerprint of what a configuration file says now; undefined where it cannot be read. */
export function fileDigest(path: string): string | undefined {
  const read = readTextFile(path, largestConfigFile);
  return read.ok ? digestOf(read.text) : undefined;
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
