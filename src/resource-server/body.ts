import { UnreadableBody } from './refusal.ts';

/** A request's body: as bytes to come, as a value that an earlier middleware parsed, or read by it and put we know not where. */
export type BodySource =
  | { kind: 'bytes'; chunks: AsyncIterable<Uint8Array> | undefined; encoding: string | null }
  | { kind: 'parsed'; value: unknown }
  | { kind: 'spent' };

/** A body that was read: what it says, and its bytes where we read them. */
export type ReadBody = { value: unknown; bytes: Uint8Array<ArrayBuffer> | undefined };

/**
 * Reads and parses the body that the MCP server will get, so that it is judged by what is dispatched.
 * An empty body is `undefined`.
 * @throws UnreadableBody 413 over `limit` bytes, 415 when compressed, 400 when not JSON in UTF-8; Error when it is spent
 */
export async function readBody(source: BodySource, limit: number): Promise<ReadBody> {
  if (source.kind === 'parsed') return readParsed(source.value);
  if (source.kind === 'spent') {
    throw new Error('The body was read before the kit and is not in `body`: put the kit first');
  }
  if (!source.chunks) return { value: undefined, bytes: undefined };
  if (source.encoding !== null && source.encoding !== 'identity') {
    throw new UnreadableBody(415, 'Send the body without Content-Encoding');
  }
  const bytes = await collect(source.chunks, limit);
  return { value: bytes.length === 0 ? undefined : parse(bytes), bytes };
}

/** Text and raw parsers leave the JSON to whoever comes next, so it is judged as JSON here too. */
function readParsed(value: unknown): ReadBody {
  if (typeof value === 'string')
    return { value: parse(new TextEncoder().encode(value)), bytes: undefined };
  if (value instanceof Uint8Array) return { value: parse(value), bytes: undefined };
  return { value, bytes: undefined };
}

/** @throws UnreadableBody 413 over `limit` bytes */
export async function collect(chunks: AsyncIterable<Uint8Array>, limit: number) {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.byteLength;
    if (size > limit) throw new UnreadableBody(413, `The body is larger than ${limit} bytes`);
    parts.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

function parse(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return value;
  } catch {
    throw new UnreadableBody(400, 'Parse error: the body is not JSON in UTF-8');
  }
}
