import { type CallToolResult, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { AuthInfo } from '../../src/resource-server/index.ts';
import type { Workspace } from './data.ts';

/** Which scopes each tool needs; get_workspace_info is not here, so any valid token may call it. */
export const toolScopes = {
  list_boards: 'access_boards',
  list_tables: 'access_boards',
  list_rows: 'access_boards',
  search: 'access_boards',
  search_docs: 'access_docs',
};

/** The MCP server for one request, with its tools. */
export function boardsMcpServer(workspace: Workspace): McpServer {
  const server = new McpServer(
    { name: 'boards', version: '1.0.0' },
    {
      instructions:
        'Look around with list_boards, list_tables and list_rows; search finds rows, search_docs documents.',
    },
  );
  addBoardTools(server, workspace);
  addSearchTools(server, workspace);
  addWorkspaceInfo(server, workspace);
  return server;
}

const readOnly = { readOnlyHint: true, openWorldHint: false };

function addBoardTools(server: McpServer, { boards }: Workspace): void {
  server.registerTool(
    'list_boards',
    { description: 'The boards of the workspace', annotations: readOnly },
    async () => answer(boards.map(({ id, name, description }) => ({ id, name, description }))),
  );
  server.registerTool(
    'list_tables',
    {
      description: 'The tables of a board, with their columns',
      inputSchema: z.object({ board_id: z.string() }),
      annotations: readOnly,
    },
    async ({ board_id }) => {
      const board = boards.find(({ id }) => id === board_id);
      if (!board) return failure(`There is no board ${board_id}; list_boards names them`);
      return answer(board.tables.map(({ id, name, columns }) => ({ id, name, columns })));
    },
  );
  server.registerTool(
    'list_rows',
    {
      description: 'The rows of a table',
      inputSchema: z.object({
        table_id: z.string(),
        limit: z.number().int().min(1).max(100).default(50),
      }),
      annotations: readOnly,
    },
    async ({ table_id, limit }) => {
      const table = boards.flatMap(({ tables }) => tables).find(({ id }) => id === table_id);
      if (!table) return failure(`There is no table ${table_id}; list_tables names them`);
      return answer(table.rows.slice(0, limit));
    },
  );
}

function addSearchTools(server: McpServer, { boards, docs }: Workspace): void {
  const inputSchema = z.object({ query: z.string().min(1).max(200) });
  server.registerTool(
    'search',
    { description: 'Rows of any board that hold the words', inputSchema, annotations: readOnly },
    async ({ query }) =>
      answer(
        boards.flatMap((board) =>
          board.tables.flatMap((table) =>
            table.rows
              .filter(({ values }) => holds(Object.values(values).join(' '), query))
              .map((row) => ({ board_id: board.id, table_id: table.id, ...row })),
          ),
        ),
      ),
  );
  server.registerTool(
    'search_docs',
    { description: 'Documents that hold the words', inputSchema, annotations: readOnly },
    async ({ query }) => answer(docs.filter(({ title, text }) => holds(`${title} ${text}`, query))),
  );
}

/** Answers who the token speaks for, so that an author can see that the whole chain works. */
function addWorkspaceInfo(server: McpServer, { name, boards, docs }: Workspace): void {
  server.registerTool(
    'get_workspace_info',
    { description: 'The workspace and what this token may do in it', annotations: readOnly },
    async (ctx) => {
      const caller: Pick<AuthInfo, 'clientId' | 'scopes' | 'extra'> | undefined = ctx.http
        ?.authInfo && { extra: {}, ...ctx.http.authInfo };
      return answer({
        workspace: { name, boards: boards.length, docs: docs.length },
        token: {
          user: caller?.extra.sub,
          client_id: caller?.clientId,
          scopes: caller?.scopes,
          workspace_id: caller?.extra.workspace_id,
        },
      });
    },
  );
}

const holds = (text: string, query: string) => text.toLowerCase().includes(query.toLowerCase());

const answer = (value: unknown): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(value, null, 2) }],
});

const failure = (text: string): CallToolResult => ({
  content: [{ type: 'text', text }],
  isError: true,
});
