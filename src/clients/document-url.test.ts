import { describe, expect, it } from 'vitest';
import { checkClientIdUrl, isDocumentUrl, isHostAllowed } from './document-url.ts';

describe('CI02, CI17: a client identifier URL', () => {
  it.each([
    'https://app.test/client.json',
    'https://app.test:8443/a/b',
    'https://app.test/a?b=c',
    'https://app.test/.well-known/client',
    'https://app.test/a..b/c.',
    'https://app.test/%252e%252e/a',
  ])('is accepted: %s', (url) => {
    expect(checkClientIdUrl(url)).toEqual({ ok: true, host: 'app.test' });
  });

  it.each([
    'http://app.test/client.json',
    'https://app.test',
    'https://app.test/',
    'https://app.test?a=b',
    'https://user@app.test/a',
    'https://user:pw@app.test/a',
    'https://app.test/a#b',
    'https://app.test/a#',
    'https://app.test/./a',
    'https://app.test/a/../b',
    'https://app.test/a/..',
    'https://app.test/%2e/a',
    'https://app.test/%2e%2E/a',
    'https://app.test/.%2e/a',
    'https://app.test:0/a',
    'https://app.test\\a',
    'https://app.test/a\tb',
    'https://app.test/a\r\nX: y',
    'https://app.test/a\u0000',
    'https://ápp.test/a',
    `https://app.test/${'a'.repeat(8192)}`,
  ])('MUST be refused: %j', (url) => {
    expect(checkClientIdUrl(url).ok).toBe(false);
  });

  it('is told from other client_ids by its scheme', () => {
    expect(['https://a/b', 'HTTPS://a/b', 'http://a/b'].map(isDocumentUrl)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['dcr_x', 'urn:x', 'httpsx', ''].map(isDocumentUrl)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('isHostAllowed', () => {
  const lists = { allowed_hosts: ['a.test', '*.b.test'], denied_hosts: ['bad.b.test'] };

  it('knows hosts and subdomains, and denial wins', () => {
    const allowed = [
      'a.test',
      'x.b.test',
      'y.x.b.test',
      'bad.b.test',
      'b.test',
      'xa.test',
      'x.a.test',
    ];
    expect(allowed.filter((host) => isHostAllowed(host, lists))).toEqual([
      'a.test',
      'x.b.test',
      'y.x.b.test',
    ]);
  });

  it('an empty list allows every host that is not denied', () => {
    const open = { allowed_hosts: [], denied_hosts: ['*.evil.test'] };
    expect(isHostAllowed('any.test', open)).toBe(true);
    expect(isHostAllowed('x.evil.test', open)).toBe(false);
  });
});
