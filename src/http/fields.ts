import { OAuthError } from '../oauth/index.ts';

const mostFields = 1000;

/** Decoded parameters; one that was sent more than once is a list. */
export type Fields = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Decodes `application/x-www-form-urlencoded` text without forgiving anything: every `%` starts two
 * hexadecimal digits, what they spell is UTF-8, no NUL, 1,000 parameters at most.
 * Knows no `a[]` or `a[b]` names: they are names like any other.
 *
 * @throws OAuthError invalid_request
 */
export function parseFields(text: string): Fields {
  const fields: Record<string, string | string[] | undefined> = Object.create(null);
  if (text === '') return fields;
  const pairs = text.split('&');
  if (pairs.length > mostFields) throw malformed(`more than ${mostFields} parameters`);
  for (const pair of pairs) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decode(pair.slice(at + 1));
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}

function decode(text: string): string {
  let value = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (value.includes('%')) {
    try {
      value = decodeURIComponent(value);
    } catch (cause) {
      throw malformed('a percent sequence that is not UTF-8', cause);
    }
  }
  // Postgres cannot store NUL; a lone surrogate can only come from a query that is not ASCII.
  if (value.includes('\0')) throw malformed('a NUL character');
  if (!value.isWellFormed()) throw malformed('a lone surrogate');
  return value;
}

function malformed(what: string, cause?: unknown): OAuthError {
  return new OAuthError(
    'invalid_request',
    `The parameters have ${what}. Encode them as UTF-8 text.`,
    {
      cause,
    },
  );
}

/**
 * A parameter that may be sent once (RFC 6749 §3.1: parameters MUST NOT be included more than once).
 *
 * @returns undefined when it is absent
 * @throws OAuthError invalid_request when it was repeated
 */
export function single(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (!Array.isArray(value)) return value;
  throw new OAuthError('invalid_request', `The parameter ${name} was sent more than once.`);
}

/** A parameter that may be repeated, such as the ticked boxes of a form. */
export function multiple(fields: Fields, name: string): string[] {
  return [fields[name] ?? []].flat();
}
