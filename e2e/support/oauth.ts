import type { Stage } from './stage.ts';

/** What the server says about a token to the MCP server that it is for (RFC 7662). */
export async function introspect(stage: Stage, token: string): Promise<Record<string, unknown>> {
  const { id, secret } = stage.boardsClient;
  const response = await fetch(`${stage.issuer}/oauth/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ token }),
  });
  const answer: Record<string, unknown> = JSON.parse(await response.text());
  if (response.status !== 200) throw new Error(`Introspection failed: ${JSON.stringify(answer)}`);
  return answer;
}

/** Revokes a token of a public client (RFC 7009). */
export async function revoke(stage: Stage, token: string, clientId: string): Promise<void> {
  const response = await fetch(`${stage.issuer}/oauth/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token, client_id: clientId }),
  });
  if (response.status !== 200) {
    throw new Error(`Revocation answered ${response.status}: ${await response.text()}`);
  }
}
