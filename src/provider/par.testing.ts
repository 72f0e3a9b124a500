import type { Flow } from './flow.testing.ts';
import type { TestServer } from './server.testing.ts';

/** What the PAR endpoint answers (RFC 9126 §2.2). */
export interface Pushed {
  request_uri: string;
  expires_in: number;
}

/** Sends a request to the PAR endpoint as it is. */
export function sendPush(
  server: TestServer,
  { params }: Pick<Flow, 'params'>,
  headers?: Record<string, string>,
): Promise<Response> {
  return server.post('/oauth/par', params, headers);
}

/** Pushes a request that must be accepted. @returns its reference */
export async function push(
  server: TestServer,
  flow: Flow,
  headers?: Record<string, string>,
): Promise<string> {
  const response = await sendPush(server, flow, headers);
  const text = await response.text();
  if (response.status !== 201) throw new Error(`not pushed: ${response.status} ${text}`);
  const { request_uri }: Pushed = JSON.parse(text);
  return request_uri;
}

/** The authorization request that refers to a pushed one (RFC 9126 §4). */
export function referring(flow: Flow, request_uri: string): Flow {
  return {
    verifier: flow.verifier,
    params: { client_id: String(flow.params.client_id), request_uri },
  };
}
