import { describe, expect, it } from 'vitest';
import { parseStrictJson } from './guarded-json.ts';

const parse = (text: string, maxDepth = 16) =>
  parseStrictJson(new TextEncoder().encode(text), { maxDepth });

describe('parseStrictJson', () => {
  it.each(['{}', '[]', '"a"', '1', '{"a":[1,{"b":"c:{}"}],"d":"\\"e\\":1"}', ' { "a" : null } '])(
    'agrees with JSON.parse on %s',
    (text) => {
      expect(parse(text)).toEqual(JSON.parse(text));
    },
  );

  it.each([
    ['{"a":1,"a":2}', 'duplicate'],
    ['{"a":1,"\\u0061":2}', 'duplicate'],
    ['{"x":{"b":1,"c":2,"b":3}}', 'duplicate'],
    ['\ufeff{}', 'not JSON'],
    ['{"a":1', 'not JSON'],
    ['{1:2}', 'not JSON'],
    ['', 'not JSON'],
    ['<html>', 'not JSON'],
    ['{"a":"unterminated', 'not JSON'],
  ])('refuses %s as %s', (text, problem) => {
    expect(() => parse(text)).toThrow(problem);
  });

  it('the same name in two objects is no duplicate', () => {
    expect(parse('[{"a":1},{"a":{"a":2}}]')).toEqual([{ a: 1 }, { a: { a: 2 } }]);
  });

  it('bounds the depth', () => {
    expect(() => parse(`${'['.repeat(17)}${']'.repeat(17)}`)).toThrow('deeply');
    expect(parse('[[[]]]', 3)).toEqual([[[]]]);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), { maxDepth: 2 })).toThrow(
      'UTF-8',
    );
  });

  it('takes less than 100 ms for hostile input of 64 KiB', () => {
    const before = performance.now();
    for (const text of ['"'.repeat(65_536), `"${'\\'.repeat(65_535)}`, '{"a":'.repeat(13_000)]) {
      expect(() => parse(text)).toThrow();
    }
    expect(performance.now() - before).toBeLessThan(100);
  });
});
