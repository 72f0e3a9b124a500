import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { idJagRefusals } from './id-jag-refusals.ts';

test('docs/enterprise.md lists every reason for which an assertion is refused, and no other', () => {
  const page = readFileSync(new URL('../../docs/enterprise.md', import.meta.url), 'utf8');
  const [, table = ''] = page.split('| reason | what was wrong |\n|---|---|\n');
  const [rows = ''] = table.split('\n\n');
  const expected = Object.entries(idJagRefusals).map(([name, text]) => `| \`${name}\` | ${text} |`);
  expect(rows.split('\n')).toEqual(expected);
});
