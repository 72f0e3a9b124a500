import { type BoardsOptions, createBoardsServer } from '../boards/server.ts';

export type Boards = { close(): Promise<void> };

/**
 * Starts the example MCP server `boards`, protected by tokens of `issuer` for `resource`.
 * @param options with `introspection` it takes opaque tokens, without it JWTs
 */
export async function startBoards(
  options: { port: number } & Pick<BoardsOptions, 'issuer' | 'resource' | 'introspection'>,
): Promise<Boards> {
  const { port, ...protection } = options;
  const server = createBoardsServer({ ...protection, onError: (error) => console.error(error) });
  await server.listen(port);
  return server;
}
