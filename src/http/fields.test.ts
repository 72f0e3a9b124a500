import { expect, it } from 'vitest';
import { multiple, parseFields, single } from './fields.ts';

it('a parameter that may be sent once MUST NOT be repeated (RFC 6749 §3.1)', () => {
  const fields = parseFields('state=a&state=b&code=c');
  expect(single(fields, 'code')).toBe('c');
  expect(single(fields, 'absent')).toBeUndefined();
  expect(() => single(fields, 'state')).toThrow('more than once');
});

it('a repeatable parameter is a list, however often it was sent', () => {
  const fields = parseFields('scope=a&scope=b&scope=a&one=1');
  expect(multiple(fields, 'scope')).toEqual(['a', 'b', 'a']);
  expect(multiple(fields, 'one')).toEqual(['1']);
  expect(multiple(fields, 'absent')).toEqual([]);
});

it('there are at most 1,000 parameters', () => {
  expect(() => parseFields('a&'.repeat(1000))).toThrow('more than 1000');
  expect(Object.keys(parseFields('a=1&'.repeat(999)))).toEqual(['a']);
});

it('names of the prototype are names like any other', () => {
  const fields = parseFields('constructor=1&__proto__=2');
  expect([fields.constructor, single(fields, 'toString')]).toEqual(['1', undefined]);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});
