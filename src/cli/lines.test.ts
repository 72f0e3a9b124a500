import { expect, it } from 'vitest';
import { linesOf } from './lines.ts';

async function lines(text: string, size: number): Promise<string[]> {
  const bytes = Buffer.from(text);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const found: string[] = [];
  for await (const line of linesOf(pieces())) found.push(line);
  return found;
}

it.each([1, 2, 3, 7, 1000])(
  'lines are found in pieces of %d bytes, and only a line feed ends one',
  async (size) => {
    expect(await lines('one\ntwo Ω\u2028\u2029\u0085\r three\n\nfour', size)).toEqual([
      'one',
      'two Ω\u2028\u2029\u0085\r three',
      '',
      'four',
    ]);
    expect(await lines('', size)).toEqual([]);
    expect(await lines('last\n', size)).toEqual(['last']);
  },
);
