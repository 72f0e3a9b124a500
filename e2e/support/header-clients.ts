import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** A client of the official SDK, whichever generation. */
export type ToolClient = {
  listTools(): Promise<string[]>;
  /** Answers the tool's text, or throws with it when it is an error. */
  callTool(name: string, parameters?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
};

/** Connects with nothing but a pasted `Authorization` header, by SDK 1.x. */
export async function connectV1(url: string, authorization: string): Promise<ToolClient> {
  const client = new ClientV1({ name: 'e2e-v1', version: '1.0.0' });
  await client.connect(
    new TransportV1(new URL(url), { requestInit: { headers: { authorization } } }),
  );
  return toolClient(client);
}

/** The same by SDK 2.x. */
export async function connectV2(url: string, authorization: string): Promise<ToolClient> {
  const client = new Client(
    { name: 'e2e-v2', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization } },
    }),
  );
  return toolClient(client);
}

function toolClient(client: ClientV1 | Client): ToolClient {
  return {
    listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
    async callTool(name, parameters = {}) {
      const { content, isError } = await client.callTool({ name, arguments: parameters });
      const [first] = Array.isArray(content) ? content : [];
      if (isError) throw new Error(String(first?.text));
      return String(first?.text);
    },
    close: () => client.close(),
  };
}
