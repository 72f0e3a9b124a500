/**
 * Lines of a text that comes in pieces, without their ends. Only a line feed ends one: a name in a backup may
 * hold the other characters that end lines.
 */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  for await (const piece of pieces) {
    const [rest = '', ...more] = decoder.decode(piece, { stream: true }).split('\n');
    begun.push(rest);
    if (more.length === 0) continue;
    yield begun.join('');
    begun = more.slice(-1);
    yield* more.slice(0, -1);
  }
  const last = begun.join('') + decoder.decode();
  if (last !== '') yield last;
}
