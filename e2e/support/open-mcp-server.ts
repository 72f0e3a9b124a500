import { once } from 'node:events';
import { createServer } from 'node:http';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** Another MCP server that asks nobody who they are, with one tool. Answers its address. */
export async function startOpenMcpServer(): Promise<{ url: string; close(): Promise<void> }> {
  const mcp = createMcpHandler(() => {
    const server = new McpServer({ name: 'tickets', version: '1.0.0' });
    const inputSchema = z.object({ text: z.string() });
    server.registerTool('echo', { description: 'Says it again', inputSchema }, async (input) => ({
      content: [{ type: 'text', text: input.text }],
    }));
    return server;
  });
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(Buffer.from(chunk));
    const method = req.method ?? 'GET';
    const headers = Object.entries(req.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]);
    const body = method === 'POST' ? { body: Buffer.concat(chunks) } : {};
    const request = new Request(`http://${req.headers.host}/mcp`, { method, headers, ...body });
    const answer = await mcp.fetch(request);
    res.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body ?? []) res.write(chunk);
    res.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
