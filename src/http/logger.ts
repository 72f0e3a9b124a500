import { type DestinationStream, destination, type Logger, pino, stdSerializers } from 'pino';
import { redactMembers, scrub } from './redaction.ts';

/** `observability.logging`: pino's level name; `pretty` writes text for a terminal. */
export type LoggingOptions = { level?: string; format?: 'json' | 'pretty' };

/**
 * A logger to stdout, JSON lines unless told, that never writes a credential: members named like one
 * are replaced at any depth, and what looks like a JWT, a prefixed token or a `code=…` is cut out of
 * every line. Does not recognise a secret in a free sentence: do not write one.
 *
 * @param output where lines go, stdout unless told; a blocked stdout loses lines, never delays requests
 */
export function createLogger(options: LoggingOptions = {}, output?: DestinationStream): Logger {
  const write = options.format === 'pretty' ? (line: string) => pretty(scrub(line)) : scrub;
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactMembers },
      serializers: { err: serializeError },
      hooks: { streamWrite: write },
    },
    output ?? destination({ dest: 1, sync: false, maxLength: 16 * 1024 * 1024 }),
  );
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, ...members } = { code: undefined, ...stdSerializers.errWithCause(error) };
  return { ...redactMembers(members), ...(typeof code === 'string' ? { code } : {}) };
}

function pretty(line: string): string {
  const { time, level, msg, ...rest }: Record<string, unknown> = JSON.parse(line);
  const members = Object.entries(rest).map(([key, value]) => `${key}=${inText(value)}`);
  const clock = String(time).slice(11, 19);
  return `${[clock, String(level).toUpperCase().padEnd(5), msg, ...members].join(' ')}\n`;
}

function inText(value: unknown): string {
  if (typeof value === 'object' && value && 'stack' in value) return String(value.stack);
  return typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value);
}

/**
 * A request's path as it may be logged: never the query, no segment that looks like a one-time
 * secret (40 characters of base64url or more), 200 characters at most.
 */
export function loggedPath(path: string): string {
  const end = path.indexOf('?');
  return (end < 0 ? path : path.slice(0, end)).replace(/[\w~-]{40,}/g, ':redacted').slice(0, 200);
}
