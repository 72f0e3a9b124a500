import type { Dispatcher } from 'undici';
import { GuardedFetchError, networkReason } from './guarded-error.ts';
import { parseStrictJson, StrictJsonError } from './guarded-json.ts';

/** Turns an error of the network stack into a reason; past the deadline everything is a time-out. */
export function networkError(cause: unknown, signal: AbortSignal): GuardedFetchError {
  const reason = signal.aborted ? ({ kind: 'timeout' } as const) : networkReason(cause);
  return new GuardedFetchError(reason, { cause });
}

/** Accepts 200 with a JSON content type and no encoding (CIMD draft-02 §5); everything else is a failure. */
export function checkHead({ statusCode: status, headers }: Dispatcher.ResponseData): void {
  if (status >= 300 && status < 400) throw new GuardedFetchError({ kind: 'redirect', status });
  if (status !== 200) throw new GuardedFetchError({ kind: 'status', status });
  const { 'content-type': contentType = '', 'content-encoding': contentEncoding = 'identity' } =
    plainHeaders(headers);
  if (!/^application\/(?:[\w.-]+\+)?json[ \t]*(?:;|$)/i.test(contentType)) {
    throw new GuardedFetchError({ kind: 'content_type', contentType });
  }
  // A compressed answer to `identity` is a bomb or a mistake: never inflated.
  if (contentEncoding.toLowerCase() !== 'identity') {
    throw new GuardedFetchError({ kind: 'content_encoding', contentEncoding });
  }
}

/** Reads the body, counting: a `Content-Length` is what the peer says, not what it sends. */
export async function readBody(
  { body }: Dispatcher.ResponseData,
  limit: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > limit) throw new GuardedFetchError({ kind: 'too_large', limit });
      chunks.push(bytes);
    }
  } catch (cause) {
    throw cause instanceof GuardedFetchError ? cause : networkError(cause, signal);
  }
  return Buffer.concat(chunks);
}

/** Parses strictly and hands the value to its reader. */
export function readDocument<T>(body: Buffer, read: (json: unknown) => T): T {
  const json = parse(body);
  try {
    return read(json);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : 'refused';
    throw new GuardedFetchError({ kind: 'document', problem }, { cause });
  }
}

function parse(body: Buffer): unknown {
  try {
    return parseStrictJson(body, { maxDepth: 16 });
  } catch (cause) {
    const problem = cause instanceof StrictJsonError ? cause.message : 'not JSON';
    throw new GuardedFetchError({ kind: 'json', problem }, { cause });
  }
}

/** Repeated headers joined by a comma (RFC 9110 §5.3). */
export function plainHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}
