import { z } from 'zod';
import { OAuthError } from '../oauth/index.ts';

/** A row's place in a list that is sorted by a time and, among equals, by id. */
export interface Position {
  at: Date;
  id: string;
}

/** Longest text that is read as a cursor. */
const longest = 4096;
const content = z.tuple([z.string(), z.iso.datetime(), z.string().min(1).max(2048)]);

/**
 * The cursors of one list in one order: opaque to clients, and data to us. Attack: a forged cursor that
 * becomes part of a statement (CVE-2026-33505); its parts are only ever parameters.
 *
 * @param list name of the list and its order: the cursor of another is refused
 */
export function pageCursor(list: string) {
  return {
    /** The cursor of the page that begins after this place. */
    write: ({ at, id }: Position): string =>
      Buffer.from(JSON.stringify([list, at.toISOString(), id])).toString('base64url'),

    /** @throws OAuthError invalid_request where it is not from a page of this list */
    read(cursor: string): Position {
      try {
        if (cursor.length > longest || !/^[\w-]+$/.test(cursor))
          throw new TypeError('not base64url');
        const text = Buffer.from(cursor, 'base64url').toString('utf8');
        const [name, at, id] = content.parse(JSON.parse(text));
        if (name !== list || id.includes('\0') || !id.isWellFormed())
          throw new TypeError('foreign');
        return { at: new Date(at), id };
      } catch (cause) {
        throw new OAuthError(
          'invalid_request',
          'cursor is not from a previous page of this list in this order. Start without it.',
          { cause },
        );
      }
    },
  };
}

/**
 * Splits what a query for one row more than a page gave.
 *
 * @returns `next` where there is another page
 */
export function cutPage<Row>(
  rows: readonly Row[],
  size: number,
  place: (row: Row) => Position,
): { items: Row[]; next?: Position } {
  const items = rows.slice(0, size);
  const last = items.at(-1);
  return rows.length > size && last !== undefined ? { items, next: place(last) } : { items };
}
