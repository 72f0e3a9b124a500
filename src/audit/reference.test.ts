import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { auditReference, metricsReference } from './index.ts';

test.each([
  ['audit-events.md', auditReference],
  ['metrics.md', metricsReference],
])('docs/%s is not stale', (file, reference) => {
  const committed = readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
  expect(committed).toBe(reference());
});

test.each([
  'token_issued',
  'token_refreshed',
  'token_revoked',
  'token_exchanged',
  'refresh_token_reused',
  'auth_code_reused',
  'consent_granted',
  'consent_denied',
  'consent_revoked',
  'client_registered',
  'client_updated',
  'client_suspended',
  'client_reaped',
  'client_document_changed',
  'user_login',
  'user_login_failed',
  'user_locked_out',
  'user_created',
  'key_rotated',
  'resource_created',
])('users rely on the event %s', (name) => {
  expect(auditReference()).toContain(`\n## \`${name}\`\n`);
});
