import { join } from 'node:path';
import type { ClientHome, RunningCommand } from './command-line-client.ts';

export type InspectorOptions = {
  mcpUrl: string;
  method: 'tools/list' | 'tools/call';
  toolName?: string;
  /** Where the Inspector waits for the redirect. */
  callbackUrl: string;
  clientMetadataUrl?: string;
};

/** Starts the MCP Inspector's command line with its state in `home`. */
export function startInspector(home: ClientHome, options: InspectorOptions): RunningCommand {
  const { mcpUrl, method, toolName, callbackUrl, clientMetadataUrl } = options;
  const args = [
    '--cli',
    '--server-url',
    mcpUrl,
    '--transport',
    'http',
    '--method',
    method,
    ...(toolName ? ['--tool-name', toolName] : []),
    '--callback-url',
    callbackUrl,
    ...(clientMetadataUrl ? ['--client-metadata-url', clientMetadataUrl] : []),
  ];
  return run(home, args);
}

/**
 * Starts it with a server that is already authorized: by a header, or by a file with the `mcpServers` that people paste.
 * @param server `--server-url` with `--header`, or `--config` with `--server`
 * @param call for example `--method tools/list`
 */
export function startInspectorWith(
  home: ClientHome,
  server: readonly string[],
  call: readonly string[],
): RunningCommand {
  return run(home, ['--cli', ...server, ...call]);
}

function run(home: ClientHome, args: readonly string[]): RunningCommand {
  return home.run('mcp-inspector', [...args, '--connect-timeout', '60000', '--format', 'json'], {
    MCP_STORAGE_DIR: join(home.directory, 'storage'),
    MCP_INSPECTOR_SECRET_STORE: 'file',
    MCP_INSPECTOR_SECRET_FILE: join(home.directory, 'secrets.json'),
    MCP_CLIENT_CONFIG_PATH: join(home.directory, 'client.json'),
    MCP_AUTO_OPEN_ENABLED: 'true',
  });
}
