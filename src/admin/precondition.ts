import { createHash } from 'node:crypto';
import { OAuthError } from '../oauth/index.ts';

/**
 * Refuses where the caller has seen another version of a row than this one. Call it with the row that is
 * locked, in the transaction of the change, so that nothing is written over.
 *
 * @throws OAuthError 412
 */
export type Precondition = (version: string) => void;

/** The version of a row: a digest of what can be edited in it, so that no writer can forget to count. */
export function versionOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22);
}

/** `ETag` of a row with this version. */
export function entityTag(version: string): string {
  return `"${version}"`;
}

/**
 * Reads `If-Match` (RFC 9110 §13.1.1), by strong comparison: a weak tag matches nothing.
 *
 * @param header empty where it was not sent: every version is fine then
 * @throws OAuthError 400 where it is no list of entity tags
 */
export function readPrecondition(header: string): Precondition {
  if (header === '' || header.trim() === '*') return () => {};
  const tags = header.split(',').map((tag) => tag.trim());
  if (tags.length > 20 || !tags.every((tag) => /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) {
    throw new OAuthError(
      'invalid_request',
      'If-Match has to be the ETag of the row, in double quotation marks.',
    );
  }
  return (version) => {
    if (tags.includes(entityTag(version))) return;
    throw new OAuthError(
      'invalid_request',
      'This has changed since you read it, so nothing was written. Read it again, and send your change with its new version.',
      { status: 412 },
    );
  };
}
