import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import type { Browser } from '../provider/browser.testing.ts';
import { isConsent, isSignIn, press, typed } from '../provider/people.testing.ts';
import { alice, startServer, type TestServer } from '../provider/server.testing.ts';
import { protectMcp } from '../resource-server/index.ts';
import { type OtherServer, otherServer } from './mcp-servers.testing.ts';

/** A second instance of this server, and an MCP server behind the kit that trusts it. */
export interface Elsewhere {
  issuer: TestServer;
  mcp: OtherServer;
  close(): Promise<void>;
}

export async function startElsewhere(): Promise<Elsewhere> {
  let answer: ((request: Request) => Promise<Response>) | undefined;
  const mcp = await otherServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(Buffer.from(chunk));
    const method = req.method ?? 'GET';
    const request = new Request(`http://${req.headers.host}${req.url}`, {
      method,
      headers: Object.entries(req.headers).map(([name, value]): [string, string] => [
        name,
        String(value),
      ]),
      ...(method === 'POST' && { body: Buffer.concat(chunks) }),
    });
    const response = answer ? await answer(request) : new Response(null, { status: 503 });
    res.writeHead(response.status, Object.fromEntries(response.headers));
    res.end(Buffer.from(await response.arrayBuffer()));
  });
  const issuer = await startServer({
    resources: `
  - { slug: tools, uri: "${mcp.url}", display_name: Tools elsewhere, access_ttl: 5m, scopes: [{ name: "tools:use", description: Use the tools }] }`,
  });
  const auth = protectMcp({ issuer: issuer.url, resource: mcp.url, scopes: ['tools:use'] });
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'elsewhere', version: '1.0.0' });
    server.registerTool('ping', { description: 'Answers' }, async () => ({
      content: [{ type: 'text' as const, text: 'pong' }],
    }));
    return server;
  });
  answer = auth.fetch((request) => handler.fetch(request));
  return {
    ...{ issuer, mcp },
    async close() {
      await mcp.close();
      await issuer.close();
    },
  };
}

/** Signs in at the other authorization server and allows. @returns where its browser is sent back to */
export async function allowElsewhere(
  { issuer }: Elsewhere,
  url: string,
  {
    decision = 'approve',
    browser = issuer.browser(),
  }: { decision?: string; browser?: Browser } = {},
): Promise<string> {
  let page = await browser.open(url);
  if (isSignIn(page)) page = await press(browser, page, typed(alice));
  if (isConsent(page)) page = await press(browser, page, [['decision', decision]]);
  if (!page.url.includes('/connect/callback/')) {
    throw new Error(`it does not lead back: ${page.url} ${page.html.slice(0, 1500)}`);
  }
  return page.url;
}
