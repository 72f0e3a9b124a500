import { describe, expect, test } from 'vitest';
import {
  deleteLines,
  findReplace,
  insertAfterPattern,
  insertLines,
  replaceLines,
  splitLines,
} from '../examples/workspace-files/lines.ts';

const limit = 1000;

describe('lines', () => {
  test.each([
    ['', []],
    ['a', ['a']],
    ['a\n', ['a\n']],
    ['a\nb', ['a\n', 'b']],
    ['\n\n', ['\n', '\n']],
    ['a\r\nb\r\n', ['a\r\n', 'b\r\n']],
  ])('of %j are %j', (text, lines) => {
    expect(splitLines(text)).toEqual(lines);
  });

  test.each([
    ['', 1, 'x', 'x\n'],
    ['a\nb\n', 1, 'x', 'x\na\nb\n'],
    ['a\nb\n', 2, 'x\ny\n', 'a\nx\ny\nb\n'],
    ['a\nb\n', 3, 'x', 'a\nb\nx\n'],
    ['a\nb', 3, 'x', 'a\nb\nx\n'],
    ['a\r\nb\r\n', 2, 'x\ny', 'a\r\nx\r\ny\r\nb\r\n'],
  ])('inserted into %j at %i: %j', (text, line, content, result) => {
    expect(insertLines(text, line, content)).toBe(result);
  });

  test.each([
    ['a\nb\nc\n', 2, 2, 'x', 'a\nx\nc\n'],
    ['a\nb\nc\n', 1, 3, 'x', 'x\n'],
    ['a\nb\nc', 3, 3, 'x', 'a\nb\nx'],
    ['a\nb\nc', 2, 3, 'x\ny', 'a\nx\ny'],
    ['a\r\nb\r\nc', 3, 3, 'x', 'a\r\nb\r\nx'],
    ['a\nb\nc\n', 2, 3, 'x\n\ny', 'a\nx\n\ny\n'],
  ])('of %j replaced from %i to %i by %j', (text, start, end, content, result) => {
    expect(replaceLines(text, start, end, content)).toBe(result);
  });

  test.each([
    ['a\nb\nc\n', 1, 1, 'b\nc\n'],
    ['a\nb\nc', 3, 3, 'a\nb\n'],
    ['a', 1, 1, ''],
  ])('of %j deleted from %i to %i', (text, start, end, result) => {
    expect(deleteLines(text, start, end)).toBe(result);
  });

  test('that are not there are an error that says how many there are', () => {
    expect(() => insertLines('a\n', 3, 'x')).toThrow('There is no line 3; the file has 1 line');
    expect(() => deleteLines('a\nb\n', 2, 3)).toThrow('There is no line 3; the file has 2 lines');
    expect(() => replaceLines('a\nb\n', 2, 1, '')).toThrow('before the start');
  });
});

describe('a literal text', () => {
  test('is replaced everywhere or once; nothing in it is special', () => {
    const ask = { find: '.*', replace: '$& $1', all: true };
    expect(findReplace('a.*b.*', ask, limit)).toEqual({ text: 'a$& $1b$& $1', count: 2 });
    expect(findReplace('a.*b.*', { ...ask, all: false }, limit)).toEqual({
      text: 'a$& $1b.*',
      count: 1,
    });
  });

  test('that is not there is an error', () => {
    expect(() => findReplace('abc', { find: 'x', replace: '', all: true }, limit)).toThrow(
      'not in',
    );
  });

  test('is not replaced when the result would be larger than a file may be', () => {
    const ask = { find: 'a', replace: 'b'.repeat(100), all: true };
    expect(() => findReplace('a'.repeat(20), ask, limit)).toThrow('larger than 1000');
  });

  test.each([
    ['first', 'x1\nNEW\ny\nx2'],
    ['last', 'x1\ny\nx2\nNEW\n'],
    ['all', 'x1\nNEW\ny\nx2\nNEW\n'],
  ] as const)('is followed by new lines: %s', (which, text) => {
    const ask = { pattern: 'x', content: 'NEW', which };
    expect(insertAfterPattern('x1\ny\nx2', ask, limit).text).toBe(text);
  });

  test('is followed by new lines with the line ending of the file', () => {
    const ask = { pattern: 'a', content: 'b\nc', which: 'first' } as const;
    expect(insertAfterPattern('a\r\nd\r\n', ask, limit).text).toBe('a\r\nb\r\nc\r\nd\r\n');
  });
});
