import { createBoardsServer } from '../boards/server.ts';

export type Boards = { close(): Promise<void> };

/** Starts the example MCP server `boards`, protected by tokens of `issuer` for `resource`. */
export async function startBoards(options: {
  port: number;
  issuer: string;
  resource: string;
}): Promise<Boards> {
  const { port, ...protection } = options;
  const server = createBoardsServer({ ...protection, onError: (error) => console.error(error) });
  await server.listen(port);
  return server;
}
