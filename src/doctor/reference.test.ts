import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checks, debuggingReference } from './index.ts';

test('docs/debugging.md is not stale', () => {
  const committed = readFileSync(new URL('../../docs/debugging.md', import.meta.url), 'utf8');
  expect(committed).toBe(debuggingReference());
});

test('every check has a name of its own and a fix', () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  for (const { fix } of checks) expect(fix).toMatch(/^[A-Z].*\.$/);
});
