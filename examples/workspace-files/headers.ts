import type { IncomingMessage } from 'node:http';
import { refusal } from './sessions.ts';

const allowed = 'GET, POST, DELETE, OPTIONS';

/**
 * What Streamable HTTP demands of the headers of a request, before anybody reads it. A request without credentials is
 * left to the kit, whose 401 tells clients where to sign in.
 * @returns the answer to a request that is wrong
 */
export function checkHeaders({ method = '', headers }: IncomingMessage): Response | undefined {
  if (!allowed.split(', ').includes(method)) {
    return refusal(405, -32000, `Method not allowed: use ${allowed}`, { allow: allowed });
  }
  if (headers.authorization === undefined) return undefined;
  const accept = (headers.accept ?? '').toLowerCase();
  if (method === 'GET' && !accept.includes('text/event-stream')) {
    return refusal(406, -32000, 'Not acceptable: send Accept: text/event-stream');
  }
  if (method !== 'POST') return undefined;
  if (!accept.includes('application/json') || !accept.includes('text/event-stream')) {
    return refusal(
      406,
      -32000,
      'Not acceptable: send Accept: application/json, text/event-stream (both)',
    );
  }
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  if (type.trim().toLowerCase() === 'application/json') return undefined;
  return refusal(415, -32000, 'Unsupported media type: send Content-Type: application/json');
}
