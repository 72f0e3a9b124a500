import type { Context } from 'koa';
import { OAuthError } from '../oauth/index.ts';
import { type Fields, parseFields } from './fields.ts';
import { parseStrictJson, StrictJsonError } from './guarded-json.ts';

const patience = 10_000;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a posted form.
 *
 * @param limitBytes the longest body that is read
 * @throws OAuthError invalid_request: 415 for another content type, charset or encoding, 413 for a
 *   longer body, 408 for one that takes more than 10 s, 400 for what is not UTF-8 or not a form
 */
export async function readForm(ctx: Context, limitBytes: number): Promise<Fields> {
  checkType(ctx, 'application/x-www-form-urlencoded');
  const body = await readBytes(ctx, limitBytes);
  try {
    return parseFields(utf8.decode(body));
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause;
    throw new OAuthError('invalid_request', 'The body is not UTF-8.', { cause });
  }
}

/**
 * Reads a JSON body: valid UTF-8, no duplicate names, no NUL, no lone surrogates, bounded in size and
 * depth; members named `__proto__` are dropped.
 *
 * @returns the value, to be parsed by a schema
 * @throws OAuthError as {@link readForm}
 */
export async function readJson(
  ctx: Context,
  { limitBytes, maxDepth }: { limitBytes: number; maxDepth: number },
): Promise<unknown> {
  checkType(ctx, 'application/json');
  const body = await readBytes(ctx, limitBytes);
  try {
    return cleanJson(parseStrictJson(body, { maxDepth }));
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause;
    throw new OAuthError('invalid_request', `The body is ${cause.message}.`, { cause });
  }
}

/** The parameters of the query, decoded as strictly as a form. @throws OAuthError invalid_request */
export function readQuery(ctx: Context): Fields {
  return parseFields(ctx.querystring);
}

function checkType(ctx: Context, expected: string): void {
  const [type = '', ...parameters] = ctx.get('content-type').toLowerCase().split(';');
  if (type.trim() !== expected) throw unsupported(`Send the body as ${expected}.`);
  const charset = parameters.map((part) => part.trim()).find((part) => part.startsWith('charset='));
  const isUtf8 = /^charset="?utf-?8"?$/.test(charset ?? 'charset=utf-8');
  if (!isUtf8) throw unsupported('Send the body in UTF-8.');
  const encoding = ctx.get('content-encoding').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') throw unsupported('Send the body uncompressed.');
}

function unsupported(description: string): OAuthError {
  return new OAuthError('invalid_request', description, { status: 415 });
}

/** Collects the body; a longer one is thrown away as it comes, so that memory stays flat. */
function readBytes(ctx: Context, limit: number): Promise<Buffer> {
  const { req } = ctx;
  if (req.readableEnded) throw new Error('the body of this request was read before');
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const give = (error: OAuthError) => {
    stop();
    req.resume();
    reject(error);
  };
  const onData = (chunk: Buffer) => {
    size += chunk.length;
    if (size > limit) give(tooLong(limit));
    else chunks.push(chunk);
  };
  const onEnd = () => {
    stop();
    resolve(Buffer.concat(chunks));
  };
  const onBroken = () => give(new OAuthError('invalid_request', 'The body broke off.'));
  const timer = setTimeout(() => {
    ctx.set('Connection', 'close');
    give(new OAuthError('invalid_request', 'The body took too long.', { status: 408 }));
  }, patience);
  const stop = () => {
    clearTimeout(timer);
    req.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
  };
  req.on('error', () => undefined);
  if (Number(ctx.get('content-length')) > limit) give(tooLong(limit));
  else req.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  return promise;
}

function tooLong(limit: number): OAuthError {
  return new OAuthError('invalid_request', `The body is longer than ${limit} bytes.`, {
    status: 413,
  });
}

/**
 * JSON as it may be stored: without `__proto__`.
 *
 * @throws StrictJsonError for a NUL character or a lone surrogate, which Postgres refuses
 */
export function cleanJson(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleanJson);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => name !== '__proto__');
  return Object.fromEntries(members.map(([name, member]) => [cleanText(name), cleanJson(member)]));
}

function cleanText(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text;
  throw new StrictJsonError('JSON with a NUL character or a lone surrogate');
}
