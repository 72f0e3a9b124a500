import { expect, test } from 'vitest';
import { auditRow } from './row.ts';

const at = new Date('2026-01-02T03:04:05Z');

test('texts are cut, so that a client cannot fill the log', () => {
  const row = auditRow(
    {
      type: 'client_registered',
      actor: { kind: 'client' },
      detail: {
        kind: 'dcr',
        client_name: 'n'.repeat(5000),
        redirect_uris: Array.from({ length: 500 }, () => 'u'.repeat(5000)),
      },
    },
    { at, userAgent: 'a'.repeat(5000) },
  );
  expect(row.user_agent).toBe(`${'a'.repeat(255)}…`);
  const detail: unknown = JSON.parse(row.detail);
  expect(detail).toMatchObject({ client_name: `${'n'.repeat(255)}…` });
  expect(detail).toHaveProperty('redirect_uris.length', 101);
  expect(detail).toHaveProperty('redirect_uris[100]', '… 400 more');
  expect(row.detail.length).toBeLessThan(110_000);
});

test('a cut never leaves half a character', () => {
  const row = auditRow(
    { type: 'client_suspended', actor: { kind: 'system' }, detail: {} },
    { at, userAgent: `${'a'.repeat(254)}😀😀` },
  );
  expect(row.user_agent?.isWellFormed()).toBe(true);
});

test('times become ISO 8601 and endless nesting ends', () => {
  const changed: Record<string, unknown> = {};
  changed.self = changed;
  const row = auditRow(
    {
      type: 'client_updated',
      actor: { kind: 'admin', id: 'usr_1' },
      clientId: 'c',
      detail: { changes: [{ field: 'jwks', from: at, to: changed }] },
    },
    { at },
  );
  expect(row.detail).toContain('2026-01-02T03:04:05.000Z');
  expect(row.detail.length).toBeLessThan(500);
});
