import type { AuthInfo } from './auth-info.ts';
import type { DailyCapOptions } from './options.ts';
import { isRecord } from './record.ts';
import { Refusal } from './refusal.ts';
import { messagesOf } from './tool-scopes.ts';

/**
 * Counts the calls of one request and tells whether they go beyond the cap.
 * @returns the answer to send in place of the MCP server's, or undefined when the request may go on
 */
export type CheckCap = (
  body: unknown,
  auth: AuthInfo,
  accept: string | null,
) => Promise<CapAnswer | undefined>;

/** A JSON-RPC answer: what to send, and as what. No messages when only notifications came. */
export type CapAnswer = {
  kind: 'json' | 'events';
  messages: Record<string, unknown>[];
  batch: boolean;
};

type Message = Record<string, unknown>;
const day = 86_400_000;

/**
 * The daily cap: each `tools/call` counts one for the token's workspace (for its person, where the token has no workspace),
 * in the UTC day. A batch that goes beyond the cap is not dispatched at all, because it has one answer.
 */
export function createDailyCap({ limit, store }: DailyCapOptions, now: () => Date): CheckCap {
  return async (body, { extra }, accept) => {
    const messages = messagesOf(body).filter(isRecord);
    const calls = messages.filter(({ method }) => method === 'tools/call');
    if (calls.length === 0) return undefined;
    const today = utcDay(now());
    const key = `${String(extra.workspace_id ?? extra.sub)}:${today.name}`;
    for (const _call of calls) {
      if ((await counted(store, key, today.end)) > limit) {
        const text = capText(limit, extra.workspace_id !== undefined, today.end);
        return {
          kind: wantsEvents(accept) ? 'events' : 'json',
          messages: messages.filter(isRequest).map((message) => answerTo(message, text)),
          batch: Array.isArray(body),
        };
      }
    }
    return undefined;
  };
}

/** @throws Refusal temporarily_unavailable when it cannot be told: uncounted calls are not let through */
async function counted(store: DailyCapOptions['store'], key: string, end: Date): Promise<number> {
  try {
    const count = await store.increment(key, end);
    if (Number.isFinite(count)) return count;
    throw new TypeError(`dailyCap.store.increment gave ${typeof count} and no number`);
  } catch (cause) {
    throw new Refusal('temporarily_unavailable', 'The daily cap cannot be checked now', { cause });
  }
}

function utcDay(date: Date): { name: string; end: Date } {
  const start = Math.floor(date.getTime() / day) * day;
  return { name: new Date(start).toISOString().slice(0, 10), end: new Date(start + day) };
}

const capText = (limit: number, workspace: boolean, end: Date) =>
  `Daily cap reached: ${workspace ? 'this workspace' : 'you'} may make ${limit} tool calls a day (fair use). ` +
  `The counter resets at ${end.toISOString().replace('.000', '')} (midnight UTC); the call was not made.`;

/** Streamable HTTP: JSON or an event stream, whichever the client takes; JSON where it takes both. */
function wantsEvents(accept: string | null): boolean {
  const types = (accept ?? '').toLowerCase();
  return types.includes('text/event-stream') && !types.includes('application/json');
}

const isRequest = ({ id, method }: Message) => id !== undefined && typeof method === 'string';

function answerTo({ id, method }: Message, text: string): Message {
  if (method === 'tools/call') {
    const result = { resultType: 'complete', content: [{ type: 'text', text }], isError: true };
    return { jsonrpc: '2.0', id, result };
  }
  const message = 'Not done: it came in a batch with tool calls over the daily cap; send it alone';
  return { jsonrpc: '2.0', id, error: { code: -32000, message } };
}
