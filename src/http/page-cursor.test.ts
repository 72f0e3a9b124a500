import { describe, expect, it } from 'vitest';
import { OAuthError } from '../oauth/index.ts';
import { cutPage, pageCursor } from './page-cursor.ts';

const place = { at: new Date('2026-06-01T12:00:00.123Z'), id: 'a\'b"; DROP TABLE x--' };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('pageCursor', () => {
  it('leads back to the place, to the millisecond', () => {
    const cursors = pageCursor('rows -at');
    expect(cursors.read(cursors.write(place))).toEqual(place);
  });

  it.each([
    ['another list', pageCursor('rows at').write(place)],
    ['nothing', ''],
    ['no base64url', "';drop table"],
    ['padding', `${encode(['rows -at'])}=`],
    ['no JSON', Buffer.from('{').toString('base64url')],
    ['an object', encode({ at: 1 })],
    ['a member too few', encode(['rows -at', '2026-06-01T12:00:00Z'])],
    ['no time', encode(['rows -at', 'now()', 'x'])],
    ['NUL', encode(['rows -at', '2026-06-01T12:00:00Z', 'a\0b'])],
    ['a lone surrogate', encode(['rows -at', '2026-06-01T12:00:00Z', '\ud800'])],
    ['a number as id', encode(['rows -at', '2026-06-01T12:00:00Z', 5])],
    ['100 kB', encode(['rows -at', '2026-06-01T12:00:00Z', 'x'.repeat(100_000)])],
  ])('MUST refuse %s (AD08, T27)', (_what, cursor) => {
    expect(() => pageCursor('rows -at').read(cursor)).toThrow(OAuthError);
  });
});

describe('cutPage', () => {
  const at = (count: number) =>
    cutPage([1, 2, 3].slice(0, count), 2, (row) => ({ ...place, id: `${row}` }));

  it('says where the next page begins', () => {
    expect(at(3)).toEqual({ items: [1, 2], next: { ...place, id: '2' } });
  });

  it('of the last page says nothing', () => {
    expect(at(2)).toEqual({ items: [1, 2] });
    expect(at(0)).toEqual({ items: [] });
  });
});
