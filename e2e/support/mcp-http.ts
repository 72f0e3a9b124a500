/** A JSON-RPC message, as the tests look at it. */
export type RpcAnswer = {
  id?: unknown;
  result?: {
    content?: { type: string; text: string }[];
    isError?: boolean;
    [name: string]: unknown;
  };
  error?: { code: number; message: string };
};

/** Plain HTTP requests to one MCP endpoint, without an SDK between the test and the wire. */
export function mcpHttp(url: string, token: string) {
  const usual = {
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
  };

  const send = (method: string, headers: Record<string, string | undefined>, body?: unknown) =>
    fetch(url, {
      method,
      headers: Object.fromEntries(
        Object.entries({ ...usual, ...headers }).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value]],
        ),
      ),
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });

  async function initialize(protocolVersion = '2025-06-18') {
    const response = await send(
      'POST',
      {},
      {
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: { protocolVersion, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      },
    );
    return { response, session: response.headers.get('mcp-session-id') ?? '' };
  }

  let calls = 0;
  async function call(session: string, name: string, parameters: object = {}) {
    calls += 1;
    const params = { name, arguments: parameters };
    const body = { jsonrpc: '2.0', id: calls, method: 'tools/call', params };
    return send('POST', { 'mcp-session-id': session }, body);
  }

  return { send, initialize, call };
}

/** The message in an answer, from an event stream or plain JSON. */
export async function rpc(response: Response): Promise<RpcAnswer> {
  const text = await response.text();
  const data = text.split('\n').find((line) => line.startsWith('data: '));
  return JSON.parse(data?.slice(6) ?? text);
}

/** The first text of a tool's answer. */
export const textOf = (answer: RpcAnswer): string => answer.result?.content?.[0]?.text ?? '';
