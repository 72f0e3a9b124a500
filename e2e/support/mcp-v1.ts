import { randomBytes } from 'node:crypto';
import {
  auth,
  type OAuthClientProvider,
  UnauthorizedError,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js';
import type { OpenBrowser } from '../../examples/demo/sdk-client.ts';

export type V1Options = {
  mcpUrl: string;
  metadata: OAuthClientMetadata;
  clientMetadataUrl?: string;
  openBrowser: OpenBrowser;
};

export type V1Client = {
  connect(): Promise<void>;
  listTools(): Promise<string[]>;
  /** Calls a tool and answers its text; where more scopes are needed, asks the person for them. */
  callTool(name: string, parameters?: Record<string, unknown>): Promise<string>;
  refresh(): Promise<'AUTHORIZED' | 'REDIRECT'>;
  tokens(): OAuthTokens;
  clientInformation(): OAuthClientInformationMixed;
  authorizationUrls(): URL[];
  close(): Promise<void>;
};

/** The official SDK of the first generation (1.x), everything in memory. */
export function createV1Client(options: V1Options): V1Client {
  const memory = createMemory(options);
  const serverUrl = new URL(options.mcpUrl);
  let client: Client | undefined;
  let connection: StreamableHTTPClientTransport | undefined;

  const newTransport = () =>
    new StreamableHTTPClientTransport(serverUrl, { authProvider: memory.provider });
  const newClient = () => new Client({ name: 'e2e-v1', version: '1.0.0' });

  async function connect(): Promise<void> {
    connection = newTransport();
    try {
      client = newClient();
      await client.connect(connection);
    } catch (error) {
      await authorize(error, connection);
      client = newClient();
      connection = newTransport();
      await client.connect(connection);
    }
  }

  /** The person decides, the client checks `state` and redeems the code. */
  async function authorize(error: unknown, transport?: StreamableHTTPClientTransport) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const sentTo = memory.urls.at(-1);
    if (!sentTo) throw new Error('The SDK gave no authorization URL.');
    const back = await options.openBrowser(sentTo);
    if (back.searchParams.get('state') !== sentTo.searchParams.get('state')) {
      throw new Error('The redirect carries another state than the one that was sent.');
    }
    await transport?.finishAuth(back.searchParams.get('code') ?? '');
  }

  function connected(): Client {
    if (!client) throw new Error('Connect first.');
    return client;
  }

  async function callTool(name: string, parameters: Record<string, unknown> = {}): Promise<string> {
    const call = () => connected().callTool({ name, arguments: parameters });
    const result = await call().catch(async (error: unknown) => {
      await authorize(error, connection);
      return call();
    });
    const [first] = Array.isArray(result.content) ? result.content : [];
    if (result.isError) throw new Error(`The tool ${name} failed: ${JSON.stringify(result)}`);
    return String(first?.text);
  }

  return {
    connect,
    callTool,
    listTools: async () => (await connected().listTools()).tools.map(({ name }) => name),
    refresh: () => auth(memory.provider, { serverUrl }),
    tokens: memory.tokens,
    clientInformation: memory.clientInformation,
    authorizationUrls: () => [...memory.urls],
    close: async () => client?.close(),
  };
}

function createMemory({ metadata, clientMetadataUrl }: V1Options) {
  let information: OAuthClientInformationMixed | undefined;
  let tokens: OAuthTokens | undefined;
  let verifier = '';
  const urls: URL[] = [];

  const provider: OAuthClientProvider = {
    redirectUrl: metadata.redirect_uris[0],
    clientMetadata: metadata,
    ...(clientMetadataUrl !== undefined && { clientMetadataUrl }),
    state: () => randomBytes(16).toString('base64url'),
    clientInformation: () => information,
    saveClientInformation: (saved) => {
      information = saved;
    },
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved;
    },
    redirectToAuthorization: (url) => {
      urls.push(url);
    },
    saveCodeVerifier: (saved) => {
      verifier = saved;
    },
    codeVerifier: () => verifier,
    invalidateCredentials: (scope) => {
      if (scope === 'all' || scope === 'tokens') tokens = undefined;
      if (scope === 'all' || scope === 'client') information = undefined;
    },
  };

  return {
    provider,
    urls,
    tokens: () => required(tokens, 'tokens'),
    clientInformation: () => required(information, 'client information'),
  };
}

function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`There are no ${name} yet.`);
  return value;
}
