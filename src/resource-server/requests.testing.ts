import type { Authorized } from './index.ts';

/** The resource that the tests protect. */
export const resource = 'https://mcp.test/mcp';

/** A JSON-RPC `tools/call`. */
export const toolCall = (name: string) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } });

/** A POST to the MCP endpoint. */
export const post = (
  headers: Record<string, string>,
  body: string | Uint8Array<ArrayBuffer> = toolCall('free'),
  url = resource,
) => new Request(url, { method: 'POST', headers, body });

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** What a refusal says; fails when the request was let through. */
export async function refused(result: Response | Authorized) {
  if ('auth' in result) throw new Error('let through');
  const text = await result.text();
  const body: { error?: unknown; error_description?: string } = JSON.parse(text || '{}');
  const { status, headers } = result;
  return { status, headers, body, challenge: headers.get('www-authenticate') };
}

/** What is handed on; fails when the request was refused. */
export async function granted(result: Response | Authorized): Promise<Authorized> {
  if (!('auth' in result)) throw new Error(`${result.status} ${await result.text()}`);
  return result;
}
