import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { claimAttributes, reservedClaims } from '../config/index.ts';
import { claimsReference, standardClaims } from './claims-reference.ts';

test('docs/claims.md is not stale', () => {
  const committed = readFileSync(new URL('../../docs/claims.md', import.meta.url), 'utf8');
  expect(committed).toBe(claimsReference());
});

test.each([...Object.keys(standardClaims), 'active', 'token_type', 'username', 'nbf', 'may_act'])(
  'the standard claim %s MUST NOT be configurable (RFC 7519 §4.1, RFC 7662 §2.2)',
  (name) => {
    expect(reservedClaims).toContain(name);
  },
);

test.each(Object.keys(claimAttributes))('the source %s is documented', (name) => {
  expect(claimsReference()).toContain(`| \`${name}\` |`);
});
