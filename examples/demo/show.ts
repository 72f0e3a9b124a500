import { STATUS_CODES } from 'node:http';
import type { StepOutput } from './printer.ts';
import type { Exchange } from './traffic.ts';

const secretNames = new Set([
  'access_token',
  'refresh_token',
  'registration_access_token',
  'client_secret',
  'code',
  'code_verifier',
  'code_challenge',
  'csrf',
  'state',
  'jti',
  'authorization',
  'dpop',
]);

/** `abcdefgh…stuvwxyz`: enough to recognise a value, not enough to use it. */
export function shorten(text: string, kept = 8): string {
  return text.length <= 2 * kept + 2 ? text : `${text.slice(0, kept)}…${text.slice(-kept)}`;
}

export type Selection = {
  requestHeaders?: readonly string[];
  responseHeaders?: readonly string[];
  /** Members of the JSON answer to show; all of them by default. */
  members?: readonly string[];
};

/** Prints what was sent and what came back; secrets are shortened in the middle. */
export function showExchange(out: StepOutput, exchange: Exchange, selection: Selection = {}): void {
  const { method, url, status, responseBody } = exchange;
  out.sent(`${method} ${url.origin}${url.pathname}`, [
    ...headerLines(exchange.requestHeaders, selection.requestHeaders ?? []),
    ...bodyLines(exchange),
  ]);
  out.received(`${status} ${STATUS_CODES[status] ?? ''}`.trim(), [
    ...headerLines(exchange.responseHeaders, selection.responseHeaders ?? []),
    ...(responseBody === '' ? [] : memberLines(parseObject(responseBody), selection.members)),
  ]);
}

/** The parameters of a URL or a form, one per line. */
export function parameterLines(parameters: URLSearchParams): string[] {
  return [...parameters].map(([name, value]) => `${name} = ${safely(name, value)}`);
}

/** The members of an object, one per line. */
export function memberLines(
  object: Record<string, unknown>,
  wanted: readonly string[] = Object.keys(object),
): string[] {
  return wanted
    .filter((name) => object[name] !== undefined)
    .map((name) => `${name}: ${safely(name, plain(readableTime(name, object[name])))}`);
}

export function parseObject(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`No JSON object: ${text}`);
  return Object.fromEntries(Object.entries(parsed));
}

function headerLines(headers: Headers, wanted: readonly string[]): string[] {
  return wanted.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [`${name}: ${safely(name.toLowerCase(), value)}`];
  });
}

function bodyLines({ requestBody, requestHeaders }: Exchange): string[] {
  if (requestBody === '') return [];
  const isForm = !requestHeaders.get('content-type')?.includes('json');
  if (isForm) return parameterLines(new URLSearchParams(requestBody));
  const body = parseObject(requestBody);
  return 'jsonrpc' in body
    ? memberLines(withoutMeta(body), ['method', 'params'])
    : memberLines(body);
}

/** JSON-RPC parameters without what every request of the protocol repeats. */
function withoutMeta({ method, params }: Record<string, unknown>): Record<string, unknown> {
  if (typeof params !== 'object' || params === null) return { method, params };
  const rest = Object.entries(params).filter(([name]) => name !== '_meta');
  return { method, params: rest.length > 0 ? Object.fromEntries(rest) : undefined };
}

/** A time in a token, as people read it. */
function readableTime(name: string, value: unknown): unknown {
  const isTime = ['iat', 'exp', 'nbf'].includes(name) && typeof value === 'number';
  return isTime ? new Date(value * 1000).toISOString().replace('.000Z', 'Z') : value;
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  return isList ? value.join(', ') : (JSON.stringify(value) ?? '');
}

function safely(name: string, value: string): string {
  if (!secretNames.has(name)) return value.length > 240 ? `${value.slice(0, 240)}…` : value;
  const [scheme, rest] = value.split(' ', 2);
  return rest === undefined ? shorten(value) : `${scheme} ${shorten(rest)}`;
}
