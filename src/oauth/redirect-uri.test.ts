import { describe, expect, test } from 'vitest';
import {
  appSchemes,
  checkRedirectUri,
  isLoopback,
  isOnThisComputer,
  redirectHost,
  redirectHostKey,
  redirectUriMatches,
} from './index.ts';

const nul = String.fromCharCode(0);
const rightToLeft = String.fromCodePoint(0x202e);
const cyrillicA = String.fromCodePoint(0x0430);
const native = 'http://127.0.0.1:7777/cb';
const web = 'https://app.test/cb';

describe('checkRedirectUri', () => {
  test.each([
    ['https://claude.ai/api/mcp/auth_callback', 'https', 'claude.ai'],
    ['https://vscode.dev/redirect', 'https', 'vscode.dev'],
    ['https://app.test:8443/cb?tenant=1', 'https', 'app.test:8443'],
    ['https://app.test:443/cb', 'https', 'app.test'],
    ['https://app.test', 'https', 'app.test'],
    ['https://xn--pp-eka.test/cb', 'https', 'xn--pp-eka.test'],
    ['https://app.test/a%20b/~c;d=1', 'https', 'app.test'],
    ['http://127.0.0.1/', 'loopback', '127.0.0.1'],
    ['http://127.0.0.1:33418/', 'loopback', '127.0.0.1:33418'],
    ['http://[::1]:6274/oauth/callback', 'loopback', '[::1]:6274'],
    ['http://localhost:6274/oauth/callback', 'loopback', 'localhost:6274'],
    ['http://localhost/callback', 'loopback', 'localhost'],
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'private-use', 'cursor:'],
    ['com.example.app:/oauth2redirect', 'private-use', 'com.example.app:'],
    ['com.example.app://cb', 'private-use', 'com.example.app:'],
  ])('accepts %s', (uri, kind, host) => {
    expect(checkRedirectUri(uri)).toEqual({ ok: true, kind, host });
  });

  test.each(appSchemes)('accepts the scheme of a known app: %s', (scheme) => {
    expect(checkRedirectUri(`${scheme}://callback/x`)).toMatchObject({ kind: 'private-use' });
  });

  test('a strict profile refuses schemes without a dot', () => {
    expect(checkRedirectUri('cursor://x/cb', []).ok).toBe(false);
    expect(checkRedirectUri('com.example.app:/cb', []).ok).toBe(true);
  });

  test.each([
    // RU06, RU10: userinfo, and what a browser would take for it
    'http://127.0.0.1:7777@evil.test/cb',
    'https://app.test@evil.test/cb',
    'https://a@b@evil.test/cb',
    'https://app.test\\@evil.test/cb',
    'https://app.test%5c@evil.test',
    'https://@evil.test/cb',
    'https://app.test%40evil.test/cb',
    'com.example.app://user@host/cb',
    // RU08: a terminating dot
    'https://app.test./cb',
    // RU09: fragments
    'https://app.test/cb#frag',
    'https://app.test/cb#',
    // RU11: relative references
    '//evil.test/cb',
    '/cb',
    'cb',
    '',
    // RU13, RU14: schemes that run code or read files
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'javascript://app.test/%0aalert(1)',
    'javascript:/x',
    '\tjavascript:alert(1)',
    ' javascript:alert(1)',
    'java%0ascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'VBScript:/x',
    'file:///etc/passwd',
    'blob:x',
    'blob:https://app.test/1',
    'about:blank',
    'view-source:https://app.test/',
    // RU15, RU16: controls and look-alikes
    'https://app.test/cb\r\nSet-Cookie:x=1',
    'https://app.test/cb%0d%0aSet-Cookie:x=1',
    'https://app.test/cb%00',
    `https://app.test/cb${nul}`,
    `https://app.test/${rightToLeft}bc`,
    `https://${cyrillicA}pp.test/cb`,
    'https://app.test/c b',
    'https://app.test/\ud800',
    // RU17
    `https://app.test/${'a'.repeat(10_000)}`,
    // T1: dot segments and wildcards
    'https://app.test/a/../cb',
    'https://app.test/a/..',
    'https://app.test/./cb',
    'https://app.test/a/%2e%2E/cb',
    'https://app.test/a/.%2e/cb',
    'https://*.app.test/cb',
    'https://app.test/*',
    // http beyond loopback
    'http://app.test/cb',
    'http://evil.example/cb',
    'http://127.0.0.2/cb',
    'http://0.0.0.0/cb',
    'http://localhost.evil.test/cb',
    'http://127.0.0.1.evil.test/cb',
    'http://localhost./cb',
    // hosts that a browser reads differently
    'http://0x7f.1/cb',
    'http://2130706433/cb',
    'https://0177.0.0.1/cb',
    'https://app%2etest/cb',
    'https:///evil.test/cb',
    'https:/evil.test/cb',
    'https:evil.test/cb',
    'https://',
    'https://:443/cb',
    'https://app.test:/cb',
    'https://app.test:0/cb',
    'https://app.test:99999/cb',
    'https://app.test:44x/cb',
    'https://[::1/cb',
    'https://app.test/%zz',
    'https://app.test/%2',
    // other schemes
    'ftp://app.test/cb',
    'ws://app.test/cb',
    'mailto:a@b.test',
    'myapp://cb',
    'intent://scan/#Intent',
    'com.example.app:cb',
    'com.example.app:',
    'urn:ietf:wg:oauth:2.0:oob',
  ])('MUST refuse %j', (uri) => {
    expect(checkRedirectUri(uri)).toMatchObject({ ok: false, reason: expect.any(String) });
  });

  test('never takes a dangerous scheme, even from the list of accepted ones', () => {
    for (const scheme of ['javascript', 'data', 'file', 'blob', 'about', 'vbscript']) {
      expect(checkRedirectUri(`${scheme}:/x`, [scheme]).ok).toBe(false);
      expect(isOnThisComputer(`${scheme}:/x`)).toBe(false);
      expect(redirectHost(`${scheme}:/x`)).toBe('');
    }
  });

  test.each([
    ['https://app.test/cb#frag', 'must not have a fragment'],
    ['https://app.test@evil.test/cb', 'must not have userinfo'],
    ['https://app.test/*', 'must not have a wildcard'],
    ['http://app.test/cb', 'must be https: http is for loopback only'],
    ['/cb', 'must be an absolute URI'],
  ])('says what is wrong with %s', (uri, reason) => {
    expect(checkRedirectUri(uri)).toEqual({ ok: false, reason });
  });

  test('takes linear time on hostile input', () => {
    const started = performance.now();
    for (const piece of ['a', '%2e/', '../', '@', ':', '[', 'a.', '/', '%', '\\', '?', '//']) {
      const uri = `https://${piece.repeat(100_000)}`;
      checkRedirectUri(uri);
      redirectUriMatches(uri, [web, native]);
      redirectUriMatches(`http://localhost:${piece.repeat(100_000)}`, [native]);
      redirectUriMatches(`http://localhost/${piece.repeat(100_000)}`, [native]);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

test('the remembered host of a loopback redirect has no port, since it changes at every start', () => {
  expect(redirectHost('http://127.0.0.1:54321/cb')).toBe('127.0.0.1:54321');
  expect(redirectHostKey('http://127.0.0.1:54321/cb')).toBe('127.0.0.1');
  expect(redirectHostKey('http://[::1]:54321/cb')).toBe('[::1]');
  expect(redirectHostKey('https://app.test:8443/cb')).toBe('app.test:8443');
  expect(redirectHostKey('cursor://x/cb')).toBe('cursor:');
  expect(redirectHostKey('javascript:alert(1)')).toBe('');
});

test.each([
  ['http://localhost:1/cb', true, true],
  ['http://[::1]/cb', true, true],
  ['https://localhost:8443/cb', true, true],
  ['https://127.0.0.9/cb', true, true],
  ['https://my.localhost/cb', true, true],
  ['cursor://x/cb', false, true],
  ['anything://x/cb', false, true],
  ['com.example:/cb', false, true],
  ['https://app.test/cb', false, false],
  ['https://127.0.0.1.evil.test/cb', false, false],
  ['https://localhost.evil.test/cb', false, false],
  ['https://notlocalhost/cb', false, false],
])('%s is loopback: %s, on this computer: %s', (uri, loopback, local) => {
  expect(isLoopback(uri)).toBe(loopback);
  expect(isOnThisComputer(uri)).toBe(local);
});
