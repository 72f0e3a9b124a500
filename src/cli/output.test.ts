import { expect, test } from 'vitest';
import { type Column, fields, table } from './output.ts';

const columns: Column<{ name: string; seen?: Date }>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'SEEN', value: (row) => row.seen },
];

test('columns are aligned, and what is not known is a dash', () => {
  const rows = [{ name: 'a' }, { name: 'longer', seen: new Date('2026-01-02T03:04:05Z') }];
  expect(table(rows, columns, 'none')).toBe(
    ['NAME    SEEN', 'a       -', 'longer  2026-01-02T03:04Z'].join('\n'),
  );
});

test('no rows: the sentence that says how the first one comes to be', () => {
  expect(table([], columns, 'none yet')).toBe('none yet');
});

test('a name that a stranger registered MUST NOT move the cursor of the terminal', () => {
  const text = table([{ name: 'evil\u001b[2J\r\nroot' }], columns, 'none');
  expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  expect(text.split('\n')).toHaveLength(2);
  expect(fields({ name: 'a\u001b[1A\u009bb' })).toBe('name  a [1A b');
});

test('members that a thing does not have are left out', () => {
  expect(fields({ id: 'x', scope: undefined, uris: [], count: 0 })).toBe('id     x\ncount  0');
});
