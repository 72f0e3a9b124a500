import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  errorCodes,
  errorReference,
  formatScope,
  isCleanText,
  isScopeToken,
  OAuthError,
  parseScope,
  safeDescription,
  wellKnownPath,
} from './index.ts';

describe('OAuthError', () => {
  test('error_description MUST be printable ASCII without quote and backslash (RFC 6749 §5.2)', () => {
    const hostile = Array.from({ length: 0x300 }, (_, code) => String.fromCharCode(code)).join('');
    for (const text of [hostile, 'say "no" to C:\\x', '\ud800', 'naïve\r\nSet-Cookie: x']) {
      expect(safeDescription(text)).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/);
      expect(new OAuthError('invalid_request', text).description).toBe(safeDescription(text));
    }
    expect(safeDescription('x'.repeat(1_000_000))).toHaveLength(1000);
  });

  test('has the usual status of its code unless told otherwise', () => {
    expect(new OAuthError('invalid_client', 'x').status).toBe(401);
    expect(new OAuthError('insufficient_scope', 'x').status).toBe(403);
    expect(new OAuthError('invalid_target', 'x').status).toBe(400);
    expect(new OAuthError('temporarily_unavailable', 'x').status).toBe(503);
    expect(new OAuthError('access_denied', 'x', { status: 403 }).status).toBe(403);
    expect(errorCodes.server_error.status).toBe(500);
  });

  test('keeps cause, detail and headers for the renderer and the log', () => {
    const cause = new Error('inner');
    const error = new OAuthError('slow_down', 'wait', {
      cause,
      detail: { reason: 'rate' },
      headers: { 'Retry-After': '3' },
    });
    expect(error).toMatchObject({ cause, detail: { reason: 'rate' }, name: 'OAuthError' });
    expect(error.headers).toEqual({ 'Retry-After': '3' });
  });
});

describe('scope', () => {
  test('is split at spaces, without duplicates and empty parts', () => {
    expect(parseScope(undefined)).toEqual([]);
    expect(parseScope('   ')).toEqual([]);
    expect(parseScope(' a  b a\tc ')).toEqual(['a', 'b', 'a\tc']);
    expect(formatScope(['a', 'b'])).toBe('a b');
  });

  test('a scope token MUST NOT have a space, quote, backslash, control or non-ASCII (RFC 6749 §3.3)', () => {
    for (const good of ['a', 'mcp:read', 'tools/read', '*', 'https://x/y?z']) {
      expect(isScopeToken(good)).toBe(true);
    }
    for (const bad of ['', 'a b', '"', '\\', 'a\0', 'ä', 'a\n', '\ud800']) {
      expect(isScopeToken(bad)).toBe(false);
    }
  });

  test('takes linear time', () => {
    const started = performance.now();
    parseScope('a '.repeat(500_000));
    parseScope(' '.repeat(1_000_000));
    isScopeToken('a'.repeat(1_000_000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

test.each([
  ['plain', true],
  ['naïve 日本 👩‍💻', true],
  ['', true],
  ['a\0b', false],
  ['a\nb', false],
  ['a\u007f', false],
  ['a\u0085', false],
  ['a\ud800b', false],
  ['\udc00', false],
])('%j is clean text: %s', (text, clean) => {
  expect(isCleanText(text)).toBe(clean);
});

test.each([
  ['https://as.test', '/.well-known/x', '/.well-known/x'],
  ['https://as.test/', '/.well-known/x', '/.well-known/x'],
  ['https://as.test/tenant', '/.well-known/x/tenant', '/tenant/.well-known/x'],
  ['https://as.test/a/b/', '/.well-known/x/a/b', '/a/b/.well-known/x'],
])('well-known paths of %s (RFC 8414 §3.1)', (issuer, inserted, appended) => {
  expect(wellKnownPath('x', issuer)).toEqual({ inserted, appended, root: '/.well-known/x' });
});

test('docs/errors.md is not stale', () => {
  const committed = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  expect(committed).toBe(errorReference());
});
