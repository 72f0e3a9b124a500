import { McpServer } from '@modelcontextprotocol/server';
import { addReadingTools, addWritingTools } from './file-tools.ts';
import { addLineTools, addPatternTools } from './line-tools.ts';
import { answer, answering } from './tool-answers.ts';
import type { ToolDeps } from './tool-deps.ts';
import { addUploadTools } from './upload-tools.ts';

/** Which scope each tool needs. */
export const toolScopes = {
  list_files: 'files:read',
  search_files: 'files:read',
  read_file: 'files:read',
  get_file_info: 'files:read',
  get_reconnect_url: 'files:read',
  write_file: 'files:write',
  delete_file: 'files:write',
  create_directory: 'files:write',
  move_file: 'files:write',
  copy_file: 'files:write',
  insert_lines: 'files:write',
  replace_lines: 'files:write',
  delete_lines: 'files:write',
  find_replace: 'files:write',
  insert_after_pattern: 'files:write',
  create_upload_session: 'files:write',
  get_upload_status: 'files:write',
  complete_upload_session: 'files:write',
  abort_upload_session: 'files:write',
};

/** Newest first; the newest is offered to clients that ask for one that is not here. */
const protocolVersions = ['2025-06-18', '2025-03-26', '2024-11-05'];

/** The MCP server of one session: tools on the files of one workspace; no prompts and no resources. */
export function workspaceMcpServer(deps: ToolDeps): McpServer {
  const server = new McpServer(
    { name: 'workspace-files', version: '1.0.0' },
    {
      supportedProtocolVersions: protocolVersions,
      instructions:
        'The files of one workspace. All paths are relative to its home directory. Look around with list_files and search_files, change text with find_replace or by line numbers.',
    },
  );
  addReadingTools(server, deps);
  addWritingTools(server, deps);
  addLineTools(server, deps);
  addPatternTools(server, deps);
  addUploadTools(server, deps);
  addReconnectTool(server, deps);
  return server;
}

function addReconnectTool(server: McpServer, deps: ToolDeps): void {
  server.registerTool(
    'get_reconnect_url',
    {
      description:
        'Makes a single-use browser link, good for a short time, with which the owner of this workspace connects a client again or a new one. Show it to the person; do not open it yourself.',
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
    },
    () =>
      answering(deps, async () => {
        const { workspace, sub } = deps;
        const { url, expires_at } = await deps.reconnectLink({ workspaceId: workspace.id, sub });
        return answer({ url, expires_at });
      }),
  );
}
