const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Thrown by {@link parseStrictJson}; the message names the problem and never quotes the input. */
export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError';
}

/**
 * Parses JSON that a stranger wrote: valid UTF-8, no byte order mark, no duplicate member names (parsers
 * differ on which one counts), bounded depth (RFC 8259 §4, §9).
 *
 * @param bytes the whole document; the caller has bounded its size
 * @param limits `maxDepth`: levels of nesting
 * @throws StrictJsonError
 */
export function parseStrictJson(bytes: Uint8Array, limits: { maxDepth: number }): unknown {
  const text = decode(bytes);
  checkStructure(text, limits.maxDepth);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StrictJsonError('not JSON', { cause });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new StrictJsonError('not UTF-8', { cause });
  }
}

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gsy;
const filler = /[^"{}[\],:]*/gy;

/** One pass over the tokens: depth, and member names per object. What is not JSON is left to the parser. */
function checkStructure(text: string, maxDepth: number): void {
  const open: (Set<string> | undefined)[] = [];
  let previous = '';
  for (const part of tokens(text)) {
    if (part === '{' || part === '[') {
      open.push(part === '{' ? new Set() : undefined);
      if (open.length > maxDepth) throw new StrictJsonError('nested too deeply');
    } else if (part === '}' || part === ']') open.pop();
    else if (part === ':') claimName(open.at(-1), previous);
    previous = part;
  }
}

function claimName(names: Set<string> | undefined, literal: string): void {
  if (!names) return;
  let name: unknown;
  try {
    name = JSON.parse(literal);
  } catch (cause) {
    throw new StrictJsonError('not JSON', { cause });
  }
  if (typeof name !== 'string') throw new StrictJsonError('not JSON');
  if (names.has(name)) throw new StrictJsonError('duplicate member name');
  names.add(name);
}

function* tokens(text: string): Generator<string> {
  let at = 0;
  while (at < text.length) {
    filler.lastIndex = at;
    filler.exec(text);
    at = filler.lastIndex;
    token.lastIndex = at;
    const found = token.exec(text);
    if (!found) return;
    at = token.lastIndex;
    yield found[0];
  }
}
