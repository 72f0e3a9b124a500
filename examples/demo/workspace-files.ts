import { createWorkspaceFilesServer } from '../workspace-files/server.ts';
import type { McpServer } from './server-config.ts';

/**
 * Starts the example MCP server `workspace-files`, protected by tokens of `issuer`.
 * @param root directory that gets a home directory for each workspace
 */
export async function startWorkspaceFiles(
  { url, clientId, clientSecret }: McpServer,
  { port, issuer, root }: { port: number; issuer: string; root: string },
): Promise<{ close(): Promise<void> }> {
  const server = createWorkspaceFilesServer({
    issuer,
    resource: url,
    root,
    client: { clientId, clientSecret },
    onError: (error) => console.error(error),
  });
  await server.listen(port);
  return server;
}
