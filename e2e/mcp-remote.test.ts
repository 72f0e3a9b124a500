import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../examples/demo/ports.ts';
import { createClientHome, deliverCallback } from './support/command-line-client.ts';
import { startMcpRemote } from './support/mcp-remote.ts';
import { openStage, type Stage } from './support/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

test.each(['DCR', 'CIMD'] as const)(
  'mcp-remote connects by %s, calls a tool, and connects again without a person',
  async (how) => {
    const home = await createClientHome();
    try {
      const callbackPort = await freePort();
      const clientMetadataUrl =
        how === 'CIMD'
          ? stage.documents.publish('/mcp-remote.json', document(callbackPort))
          : undefined;
      const options = { mcpUrl: stage.mcpUrl, callbackPort, clientMetadataUrl };

      const first = startMcpRemote(home, options);
      const sentTo = await home.nextOpenedUrl().catch((error) => {
        throw new Error(`${error}\n${first.stderr()}`);
      });
      const clientId = sentTo.searchParams.get('client_id') ?? '';
      expect(clientId.startsWith('https://')).toBe(how === 'CIMD');
      await deliverCallback(await stage.person().authorize(sentTo));
      await first.connected;
      expect(await first.listTools()).toContain('list_boards');
      expect(await first.callTool('list_boards')).toContain('text');
      await first.close();

      const second = startMcpRemote(home, options);
      await second.connected;
      expect(await second.callTool('list_boards')).toContain('text');
      await second.close();
    } finally {
      await home.remove();
    }
  },
);

function document(port: number): Record<string, unknown> {
  return {
    client_name: 'mcp-remote',
    redirect_uris: [`http://localhost:${port}/oauth/callback`],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}
