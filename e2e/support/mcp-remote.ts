import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { ClientHome } from './command-line-client.ts';

export type McpRemoteOptions = {
  mcpUrl: string;
  callbackPort: number;
  clientMetadataUrl?: string;
  /** Sent with every request, such as `Authorization: Bearer …`. */
  header?: string;
};

export type McpRemote = {
  /** Settles when the proxy is connected; needs a person meanwhile where it has no tokens yet. */
  connected: Promise<void>;
  listTools(): Promise<string[]>;
  callTool(name: string): Promise<string>;
  stderr(): string;
  close(): Promise<void>;
};

/** Starts mcp-remote the way a desktop client does: as a stdio MCP server, its state in `home`. */
export function startMcpRemote(home: ClientHome, options: McpRemoteOptions): McpRemote {
  const { mcpUrl, callbackPort, clientMetadataUrl, header } = options;
  const transport = new StdioClientTransport({
    command: 'mcp-remote',
    args: [
      mcpUrl,
      String(callbackPort),
      '--auth-timeout',
      '120',
      ...(clientMetadataUrl ? ['--client-metadata-url', clientMetadataUrl] : []),
      ...(header ? ['--header', header] : []),
    ],
    env: { ...home.env, MCP_REMOTE_CONFIG_DIR: join(home.directory, 'mcp-remote') },
    stderr: 'pipe',
  });
  const printed: string[] = [];
  transport.stderr?.on('data', (chunk) => printed.push(String(chunk)));
  const client = new Client({ name: 'e2e-desktop', version: '1.0.0' });

  home.beforeRemove(() => client.close());

  async function callTool(name: string): Promise<string> {
    const result = await client.callTool({ name, arguments: {} });
    if (result.isError) throw new Error(`The tool ${name} failed: ${JSON.stringify(result)}`);
    return JSON.stringify(result.content);
  }

  return {
    connected: client.connect(transport),
    callTool,
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    stderr: () => printed.join(''),
    close: () => client.close(),
  };
}
