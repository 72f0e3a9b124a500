import { describe, expect, test } from 'vitest';
import { canonicalResource } from './index.ts';

describe('canonicalResource', () => {
  test.each([
    ['https://rs1.test/mcp', 'https://rs1.test/mcp'],
    ['https://rs1.test/mcp/', 'https://rs1.test/mcp'],
    ['HTTPS://RS1.TEST/mcp', 'https://rs1.test/mcp'],
    ['https://rs1.test:443/mcp', 'https://rs1.test/mcp'],
    ['http://rs1.test:80/mcp', 'http://rs1.test/mcp'],
    ['https://rs1.test:80/mcp', 'https://rs1.test:80/mcp'],
    ['https://rs1.test:0443/mcp', 'https://rs1.test/mcp'],
    ['https://rs1.test:/mcp', 'https://rs1.test/mcp'],
    ['https://rs1.test:8443/mcp', 'https://rs1.test:8443/mcp'],
    ['https://rs1.test', 'https://rs1.test'],
    ['https://rs1.test/', 'https://rs1.test'],
    ['https://rs1.test/mcp?tenant=A', 'https://rs1.test/mcp?tenant=A'],
    ['https://rs1.test/mcp/?tenant=A', 'https://rs1.test/mcp?tenant=A'],
    ['https://rs1.test/MCP', 'https://rs1.test/MCP'],
    ['https://rs1.test/mcp//', 'https://rs1.test/mcp//'],
    ['http://localhost:8080/mcp', 'http://localhost:8080/mcp'],
    ['http://[::1]:8080/mcp', 'http://[::1]:8080/mcp'],
    ['http://[0:0:0:0:0:0:0:1]:8080/mcp', 'http://[::1]:8080/mcp'],
    ['urn:example:Boards', 'urn:example:Boards'],
    ['URN:example:Boards', 'urn:example:Boards'],
    ['api://Boards/v1/', 'api://boards/v1'],
  ])('%s is compared as %s', (uri, canonical) => {
    expect(canonicalResource(uri)).toBe(canonical);
  });

  test.each([
    'https://rs1.test/mcp#f', // RFC 8707 §2: MUST NOT include a fragment
    'https://rs1.test/mcp#',
    'rs1.test/mcp', // MUST be absolute
    '/mcp',
    '//rs1.test/mcp',
    '',
    'boards',
    'https://',
    'https:///mcp',
    'https:rs1.test',
    'https://user@rs1.test/mcp',
    'https://rs1.test@evil.test/mcp',
    'https://rs1.test\\@evil.test',
    'https://rs1.test/a/../mcp',
    'https://rs1.test/%2e%2e/mcp',
    'https://rs1.test/./mcp',
    'https://rs1.test/ mcp',
    'https://rs1.test/mcp\n',
    'https://rs1.test/mcp%00',
    'https://rs1.test/%zz',
    'https://r\u{430}s1.test/mcp',
    'https://0x7f.1/mcp',
    'https://rs1.test:99999/mcp',
    'foo:',
    'foo:/',
    'foo:///x',
    'javascript:alert(1)',
    'data:text/plain,x',
    `https://rs1.test/${'a'.repeat(10_000)}`,
    `https://rs1.test/${'\ud800'}`,
  ])('%j is no resource identifier', (uri) => {
    expect(canonicalResource(uri)).toBeUndefined();
  });

  test('is idempotent, so that two slashes never become none', () => {
    const heads = ['https://RS.test', 'https://rs.test:443', 'urn:a', 'api://A', 'http://[::1]:80'];
    const tails = ['', '/', '//', '/a', '/a/', '/a//', '/a///', '?q', '/?q', '/a/?q=/', '/A%2f/'];
    for (const uri of heads.flatMap((head) => tails.map((tail) => head + tail))) {
      const once = canonicalResource(uri) ?? expect.fail(uri);
      expect(canonicalResource(once)).toBe(once);
    }
  });

  test('takes linear time', () => {
    const started = performance.now();
    for (const piece of ['/', '../', 'a.', ':', '%2e', '@']) {
      canonicalResource(`https://${piece.repeat(500_000)}`);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
