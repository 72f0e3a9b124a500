import type { CapAnswer } from './daily-cap.ts';
import type { Refusal, UnreadableBody } from './refusal.ts';

/** Headers that let a page of any origin read an answer: nothing here goes by cookie. */
export const corsHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id',
};

/** Seconds named in Retry-After. */
const retryAfter = '5';

/** Answers a preflight. `*` covers every header but Authorization (Fetch standard, CORS protocol). */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...corsHeaders,
      'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
      'access-control-allow-headers':
        'Authorization, DPoP, Content-Type, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID, *',
      'access-control-max-age': '600',
    },
  });
}

/** A public document, cacheable for five minutes. */
export function documentAnswer(method: string, json: string): Response {
  if (method !== 'GET' && method !== 'HEAD') {
    return answer(405, '', { allow: 'GET, HEAD, OPTIONS' });
  }
  return answer(200, method === 'HEAD' ? null : json, { 'cache-control': 'public, max-age=300' });
}

/** A refusal with an OAuth error body (RFC 6750 §3.1) and, where it helps, a challenge. */
export function refusalAnswer(
  refusal: Refusal,
  challenge: string,
  headers: Record<string, string>,
): Response {
  const body = JSON.stringify({ error: refusal.error, error_description: refusal.message });
  if (refusal.error === 'temporarily_unavailable') {
    return answer(503, body, { 'retry-after': retryAfter });
  }
  return answer(refusal.status, body, { 'www-authenticate': challenge, ...headers });
}

/** No token: the challenge carries no error code (RFC 6750 §3.1); the body tells a person what to do. */
export function missingTokenAnswer(description: string, challenge: string): Response {
  const body = JSON.stringify({ error: 'invalid_token', error_description: description });
  return answer(401, body, { 'www-authenticate': challenge });
}

const jsonRpcCode: Record<UnreadableBody['status'], number> = {
  400: -32700,
  413: -32600,
  415: -32600,
};

/** A body that cannot be judged is answered as a JSON-RPC error; the rest of it is not read. */
export function unreadableBodyAnswer({ status, message }: UnreadableBody): Response {
  const error = { code: jsonRpcCode[status], message };
  return answer(status, JSON.stringify({ jsonrpc: '2.0', id: null, error }), {
    ...(status === 413 ? { connection: 'close' } : {}),
  });
}

/** A tool that nobody may call: 403 as a JSON-RPC error, and no challenge, since a step-up would not help. */
export function closedToolAnswer(message: string): Response {
  const error = { code: -32602, message };
  return answer(403, JSON.stringify({ jsonrpc: '2.0', id: null, error }), {});
}

/** The daily cap is reached: 200 with a tool result for each call, in the form that the client takes; 202 to notifications. */
export function capAnswer({ kind, messages, batch }: CapAnswer): Response {
  if (messages.length === 0) return answer(202, null, {});
  if (kind === 'json') return answer(200, JSON.stringify(batch ? messages : messages[0]), {});
  const events = messages.map((one) => `event: message\ndata: ${JSON.stringify(one)}\n\n`).join('');
  return answer(200, events, { 'content-type': 'text/event-stream' });
}

/** Anything unforeseen: closed, and without a reason. */
export function failureAnswer(): Response {
  const body = { error: 'server_error', error_description: 'The request could not be checked' };
  return answer(500, JSON.stringify(body), {});
}

function answer(status: number, body: string | null, headers: Record<string, string>): Response {
  return new Response(body, {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...corsHeaders,
      ...headers,
    },
  });
}
