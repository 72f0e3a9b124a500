import { type CallToolResult, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Content } from './content.ts';

/** Which scope each tool needs; get_workspace_info is not here, so any valid token may call it. */
export const toolScopes = {
  list_boards: 'access_boards',
  list_tables: 'access_boards',
  list_rows: 'access_boards',
  search: 'access_boards',
  search_docs: 'access_docs',
};

/** Whom a token speaks for and where, as `get_workspace_info` answers it. */
export type Caller = {
  user?: string;
  clientId?: string;
  scopes: readonly string[];
  workspace: { id?: string; name: string };
};

/**
 * The MCP server for one request, with all its tools whatever the token allows: a call without the scope is answered
 * 403 by the kit, and the client steps up.
 * @param onError told what went wrong in a tool; the agent is not, since errors of the database name hosts and tables
 */
export function boardsMcpServer(
  content: Content,
  caller: Caller,
  onError: (error: unknown) => void,
): McpServer {
  const server = new McpServer(
    { name: 'boards', version: '1.0.0' },
    {
      instructions:
        'get_workspace_info says where you are. Look around with list_boards, list_tables and list_rows; search finds rows, search_docs documents.',
    },
  );
  const answering = answeringWith(onError);
  addBoardTools(server, content, answering);
  addSearchTools(server, content, answering);
  addWorkspaceInfo(server, { content, caller, answering });
  return server;
}

const readOnly = { readOnlyHint: true, openWorldHint: false };

function addBoardTools(server: McpServer, content: Content, answering: Answering): void {
  server.registerTool(
    'list_boards',
    { description: 'The boards of the workspace', annotations: readOnly },
    () => answering(async () => answer(await content.boards())),
  );
  server.registerTool(
    'list_tables',
    {
      description: 'The tables of a board, with their columns',
      inputSchema: z.object({ board_id: id }),
      annotations: readOnly,
    },
    ({ board_id }) =>
      answering(async () => {
        const tables = await content.tables(board_id);
        if (tables) return answer(tables);
        return failure(`There is no board ${board_id}; list_boards names them`);
      }),
  );
  server.registerTool(
    'list_rows',
    {
      description: 'The rows of a table',
      inputSchema: z.object({
        table_id: id,
        limit: z.number().int().min(1).max(100).default(50),
      }),
      annotations: readOnly,
    },
    ({ table_id, limit }) =>
      answering(async () => {
        const rows = await content.rows(table_id, limit);
        if (rows) return answer(rows);
        return failure(`There is no table ${table_id}; list_tables names them`);
      }),
  );
}

function addSearchTools(server: McpServer, content: Content, answering: Answering): void {
  const inputSchema = z.object({ query: text.min(1).max(200) });
  server.registerTool(
    'search',
    { description: 'Rows of any board that hold the words', inputSchema, annotations: readOnly },
    ({ query }) => answering(async () => answer(await content.searchRows(query))),
  );
  server.registerTool(
    'search_docs',
    { description: 'Documents that hold the words', inputSchema, annotations: readOnly },
    ({ query }) => answering(async () => answer(await content.searchDocs(query))),
  );
}

/** Confirms which workspace the token resolves to, and what it may do there. */
function addWorkspaceInfo(
  server: McpServer,
  { content, caller, answering }: { content: Content; caller: Caller; answering: Answering },
): void {
  const { user, clientId, scopes, workspace } = caller;
  server.registerTool(
    'get_workspace_info',
    { description: 'The workspace and what this token may do in it', annotations: readOnly },
    () =>
      answering(async () =>
        answer({
          workspace: { ...workspace, ...(await content.counts()) },
          token: { user, client_id: clientId, scopes },
        }),
      ),
  );
}

// Postgres takes no NUL in text.
const text = z.string().refine((value) => !value.includes('\0'), 'must hold no NUL character');
const id = text.max(200);

const answer = (value: unknown): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(value, null, 2) }],
});

const failure = (reason: string): CallToolResult => ({
  content: [{ type: 'text', text: reason }],
  isError: true,
});

/** Runs a tool; anything unforeseen is told to the operator only. */
type Answering = (work: () => Promise<CallToolResult>) => Promise<CallToolResult>;

const answeringWith =
  (onError: (error: unknown) => void): Answering =>
  (work) =>
    work().catch((error: unknown) => {
      onError(error);
      return failure('The server could not do this; it has told its operator why');
    });
