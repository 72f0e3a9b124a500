import { describe, expect, test } from 'vitest';
import { redirectUriMatches } from './index.ts';

const nul = String.fromCharCode(0);
const rightToLeft = String.fromCodePoint(0x202e);
const cyrillicA = String.fromCodePoint(0x0430);
const native = 'http://127.0.0.1:7777/cb';
const web = 'https://app.test/cb';

describe('redirectUriMatches', () => {
  test('MUST be an exact string match', () => {
    expect(redirectUriMatches(web, [web])).toBe(true);
    expect(redirectUriMatches('cursor://x/cb', ['cursor://x/cb'])).toBe(true);
  });

  test.each(['http://127.0.0.1/cb', 'http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb', native])(
    'MUST allow any port on loopback (RFC 8252 §7.3): %s',
    (requested) => {
      expect(redirectUriMatches(requested, [native])).toBe(true);
      expect(redirectUriMatches(native, [requested])).toBe(true);
    },
  );

  test('any port holds for [::1] and localhost, each for itself', () => {
    expect(redirectUriMatches('http://[::1]:5/cb', ['http://[::1]/cb'])).toBe(true);
    expect(redirectUriMatches('http://localhost:5/cb', ['http://localhost/cb'])).toBe(true);
    expect(redirectUriMatches('http://localhost:7777/cb', [native])).toBe(false);
    expect(redirectUriMatches('http://[::1]:7777/cb', [native])).toBe(false);
  });

  test.each([
    'https://evil.test/cb', // RU01
    '', // RU02
    'http://127.0.0.1:7777/cb/', // RU03
    'http://127.0.0.1:7777/cb?x=1', // RU04
    'http://127.0.0.1:7777/CB',
    'http://127.0.0.1:7777/cb%2f',
    'http://127.0.0.1:7777/x/../cb',
    'http://127.0.0.1:7777@evil.test/cb', // RU06
    'http://127.0.0.1@evil.test/cb',
    'http://127.0.0.1:7777\\@evil.test/cb',
    'https://app.test@evil.test/cb',
    'https://a@b@evil.test/cb',
    'https://app.test.evil.test/cb', // RU07
    'https://app.testevil.test/cb',
    'https://localhost.evil.test/cb',
    'http://localhost.evil.test/cb',
    'http://127.0.0.1.evil.test:7777/cb',
    'HTTPS://APP.TEST/cb', // RU08
    'https://app.test:443/cb',
    'https://app.test./cb',
    'HTTP://127.0.0.1:7777/cb',
    'https://app.test/cb#frag', // RU09
    'https://app.test/cb#code=x',
    'http://127.0.0.1:7777/cb#frag',
    'https://app.test\\@evil.test/cb', // RU10
    'https://app.test%5c@evil.test',
    '//evil.test/cb', // RU11
    '/cb',
    'cb',
    'javascript:alert(1)', // RU13
    'https://app.test/cb\r\nSet-Cookie:x=1', // RU15
    'https://app.test/cb%0d%0aSet-Cookie:x=1',
    'http://127.0.0.1:7777/cb\n',
    `https://app.test/cb${nul}`, // RU16
    `http://127.0.0.1:7777${nul}/cb`,
    `${rightToLeft}${web}`,
    `https://${cyrillicA}pp.test/cb`,
    `${web}${'a'.repeat(10_000)}`, // RU17
    'https://127.0.0.1:7777/cb',
    'http://127.0.0.1:0/cb',
    'http://127.0.0.1:07777/cb',
    'http://127.0.0.1:65536/cb',
    'http://127.0.0.1:/cb',
    'http://127.0.0.2:7777/cb',
    'http://127.1:7777/cb',
  ])('MUST refuse %j', (requested) => {
    expect(redirectUriMatches(requested, [web, native])).toBe(false);
  });

  test('https on loopback keeps its port', () => {
    expect(redirectUriMatches('https://localhost:2/cb', ['https://localhost:1/cb'])).toBe(false);
  });
});
