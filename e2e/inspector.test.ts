import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../examples/demo/ports.ts';
import { createClientHome, deliverCallback } from './support/command-line-client.ts';
import { startInspector } from './support/inspector.ts';
import { openStage, type Stage } from './support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

test.each(['DCR', 'CIMD'] as const)(
  'MCP Inspector connects by %s, lists tools, and calls one with the stored sign-in',
  async (how) => {
    const home = await createClientHome();
    try {
      const callbackUrl = `http://127.0.0.1:${await freePort()}/oauth/callback`;
      const clientMetadataUrl =
        how === 'CIMD'
          ? stage.documents.publish('/inspector.json', document(callbackUrl))
          : undefined;
      const options = { mcpUrl: stage.mcpUrl, callbackUrl, clientMetadataUrl };

      const list = startInspector(home, { ...options, method: 'tools/list' });
      const sentTo = await home.nextOpenedUrl().catch((error) => {
        throw new Error(`${error}\n${list.stdout()}${list.stderr()}`);
      });
      const clientId = sentTo.searchParams.get('client_id') ?? '';
      expect(clientId.startsWith('https://')).toBe(how === 'CIMD');
      await deliverCallback(await stage.person().authorize(sentTo));
      expect(await list.exit(), list.stderr()).toBe(0);
      expect(list.stdout()).toContain('list_boards');

      const call = startInspector(home, {
        ...options,
        method: 'tools/call',
        toolName: 'list_boards',
      });
      expect(await call.exit(), call.stderr()).toBe(0);
      expect(call.stdout()).toContain('content');
    } finally {
      await home.remove();
    }
  },
);

function document(callbackUrl: string): Record<string, unknown> {
  return {
    client_name: 'MCP Inspector',
    redirect_uris: [callbackUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}
