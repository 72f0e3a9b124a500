import { expect, test } from 'vitest';
import { createCircuit } from './circuit.ts';

function circuit() {
  let time = 1_000_000;
  const made = createCircuit({ failures: 3, pause: 5 }, () => new Date(time));
  const advance = (seconds: number) => {
    time += seconds * 1000;
  };
  return { ...made, advance };
}

test('opens after so many failures in a row, for that key only', () => {
  const { allows, failed, retryAfter } = circuit();
  for (const _ of [1, 2]) failed('a');
  expect(allows('a')).toBe(true);
  expect(retryAfter('a')).toBe(1);
  failed('a');
  expect(allows('a')).toBe(false);
  expect(allows('b')).toBe(true);
  expect(retryAfter('a')).toBe(5);
});

test('an answer in between starts the count anew', () => {
  const { allows, failed, answered } = circuit();
  failed('a');
  failed('a');
  answered('a');
  failed('a');
  failed('a');
  expect(allows('a')).toBe(true);
});

test('after the pause one may ask; the others wait until it was answered', () => {
  const { allows, failed, answered, advance } = circuit();
  for (const _ of [1, 2, 3]) failed('a');
  advance(4.9);
  expect(allows('a')).toBe(false);
  advance(0.1);
  expect(allows('a')).toBe(true);
  expect(allows('a')).toBe(false);
  failed('a');
  advance(5);
  expect(allows('a')).toBe(true);
  answered('a');
  expect(allows('a')).toBe(true);
});
