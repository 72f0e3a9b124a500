import { describe, expect, test } from 'vitest';
import { parseDirectoryPath, parsePath } from '../examples/workspace-files/paths.ts';

describe('a path of a workspace', () => {
  test.each([
    ['notes.txt', ['notes.txt']],
    ['a/b/c', ['a', 'b', 'c']],
    ['a/b/', ['a', 'b']],
    ['.hidden/..name/n..ame/...', ['.hidden', '..name', 'n..ame', '...']],
    ['Größe/日本語/👩🏽‍🚀.txt', ['Größe', '日本語', '👩🏽‍🚀.txt']],
    ['with space/100% real?', ['with space', '100% real?']],
  ])('%j is %j', (path, parts) => {
    expect(parsePath(path)).toEqual(parts);
  });

  test('is taken in its composed form, so that two spellings of one name are one file', () => {
    expect(parsePath('cafe\u0301')).toEqual(['caf\u00e9']);
  });

  test.each([
    '',
    '.',
    '..',
    './a',
    'a/.',
    'a/./b',
    'a/../b',
    '../a',
    'a/..',
    'a/b/../../../etc/passwd',
    '/',
    '/etc/passwd',
    '//host/share',
    'a//b',
    'a//',
    'a\\b',
    '..\\a',
    'C:\\Windows',
    'a\0b',
    'a\nb',
    'a\u001bb',
    'a\u007fb',
    'a\u0085b',
    'evil\u202Etxt.exe',
    '\u2025/a',
    '\uFF0E\uFF0E/a',
    '\u2024\u2024/a',
    'a\uFF0Fb',
    'a\uFF3Cb',
    ' ',
    '.. /a',
    'a/ . /b',
    '\uD800',
    'a'.repeat(256),
    'é'.repeat(128),
    `${'a/'.repeat(64)}a`,
    `${'abcdefghi/'.repeat(60)}${'a'.repeat(500)}`,
    `.workspace-${'0'.repeat(32)}.part`,
    `.WORKSPACE-${'A'.repeat(32)}.PART`,
  ])('%j is refused', (path) => {
    expect(() => parsePath(path)).toThrow(/^The path /);
  });

  test('may have a name of 255 bytes', () => {
    expect(parsePath(`${'a'.repeat(255)}`)).toHaveLength(1);
    expect(() => parsePath('é'.repeat(127))).not.toThrow();
  });

  test('of a directory may be empty or a dot, and stands for the home directory then', () => {
    expect(parseDirectoryPath('')).toEqual([]);
    expect(parseDirectoryPath('.')).toEqual([]);
    expect(() => parseDirectoryPath('..')).toThrow('..');
    expect(() => parseDirectoryPath('/')).toThrow('absolute');
  });
});
