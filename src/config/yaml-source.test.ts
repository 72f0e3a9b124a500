import { expect, test } from 'vitest';
import { check } from './load.testing.ts';

const mebibyte = 1024 * 1024;

const cases: [name: string, content: string | Uint8Array, lines: string[]][] = [
  [
    'a tab',
    'server:\n\tissuer: x\n',
    ['c.yaml:2: is indented with a tab. Fix: indent with spaces.'],
  ],
  [
    'a byte order mark',
    '\uFEFFserver: {}\n',
    ['c.yaml: starts with a byte order mark. Fix: save it as UTF-8 without BOM.'],
  ],
  [
    'UTF-16',
    Buffer.from('\uFEFFserver: {}\n', 'utf16le'),
    ['c.yaml: starts with a byte order mark. Fix: save it as UTF-8 without BOM.'],
  ],
  [
    'bytes that are no UTF-8',
    Buffer.from([0x61, 0x3a, 0x20, 0xff]),
    ['c.yaml: is not UTF-8 text. Fix: save it as UTF-8.'],
  ],
  ['NUL', 'a: \0', ['c.yaml: holds a NUL byte. Fix: save it as plain text.']],
  [
    '10 MB',
    Buffer.alloc(10 * mebibyte, 'x'),
    ['c.yaml: is larger than 1024 KiB. Fix: name the right file.'],
  ],
  [
    'a million brackets',
    '['.repeat(mebibyte),
    ['c.yaml: has a line of more than 32768 characters. Fix: put each key on a line of its own.'],
  ],
  [
    'text',
    'hello',
    ['c.yaml:1: is not a mapping. Fix: write sections such as "server:" with keys below.'],
  ],
  [
    'a list',
    '- a\n',
    ['c.yaml:1: is not a mapping. Fix: write sections such as "server:" with keys below.'],
  ],
  [
    'two documents',
    'server: {}\n---\nserver: {}\n',
    ['c.yaml:2: holds more than one document. Fix: remove what follows "---".'],
  ],
  [
    'duplicate keys, of sections and inside them',
    'server: {}\nserver: {}\noauth:\n  code_ttl: 30s\n  code_ttl: 40s\n',
    [
      'c.yaml:2: server: is given twice, first in line 1. Fix: keep one of them.',
      'c.yaml:5: oauth.code_ttl: is given twice, first in line 4. Fix: keep one of them.',
    ],
  ],
  [
    'an alias',
    'server: &s\n  workers: 1\nadmin: *s\n',
    ['c.yaml:3: admin: uses a YAML alias. Fix: write the value out.'],
  ],
  [
    'a key that would be a prototype',
    '__proto__: {polluted: true}\nserver: {__proto__: {workers: 9}}\n',
    [
      'c.yaml:1: __proto__: is not a known key. Fix: remove it.',
      'c.yaml:2: server.__proto__: is not a known key. Fix: remove it.',
    ],
  ],
];

test.each(cases)('%s is a problem with its place and its fix', (_, content, lines) => {
  expect(check(content)).toEqual(lines);
});

test('broken syntax is told with its line, and what follows from it is not', () => {
  const lines = check('server:\n  issuer: "x\n  nonsense: 1\n');
  expect(lines[0]).toMatch(/^c\.yaml:[34]: is not valid YAML \(.+\)\. Fix: /);
  expect(lines.every((line) => line.includes('is not valid YAML'))).toBe(true);
});

test('deep nesting ends in a problem, not in a crash', () => {
  const nested = Array.from({ length: 1200 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('');
  expect(check(nested).length).toBeGreaterThan(0);
});
