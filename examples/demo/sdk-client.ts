import { randomBytes } from 'node:crypto';
import {
  auth,
  Client,
  type DpopSession,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';

/** Brings the person to the authorization URL and answers the redirect back to the client. */
export type OpenBrowser = (authorizationUrl: URL) => Promise<URL>;

export type SdkClientOptions = {
  mcpUrl: string;
  metadata: OAuthClientMetadata;
  /** The client is identified by this document (CIMD) where the server supports it; else by DCR. */
  clientMetadataUrl?: string;
  /** What an earlier client of the same program registered. */
  clientInformation?: StoredOAuthClientInformation;
  /** Binds the tokens to a key (RFC 9449). */
  dpop?: DpopSession;
  fetch?: (url: string | URL, init?: RequestInit) => Promise<Response>;
  openBrowser: OpenBrowser;
};

export type SdkClient = {
  /** Connects; where the server asks for it, authorizes in the browser first. */
  connect(): Promise<void>;
  listTools(): Promise<string[]>;
  /** Calls a tool and answers its text; where more scopes are needed, asks the person for them. */
  callTool(name: string, parameters?: Record<string, unknown>): Promise<string>;
  /** Uses the refresh token now. Answers REDIRECT when it was refused and a person is needed. */
  refresh(): Promise<'AUTHORIZED' | 'REDIRECT'>;
  tokens(): StoredOAuthTokens;
  clientInformation(): StoredOAuthClientInformation;
  /** Every URL that the person was sent to, oldest first. */
  authorizationUrls(): URL[];
  close(): Promise<void>;
};

/** The official MCP SDK (2.x) with everything in memory, as a small program would use it. */
export function createSdkClient(options: SdkClientOptions): SdkClient {
  const memory = createMemory(options);
  const serverUrl = new URL(options.mcpUrl);
  const fetchFn = options.fetch ?? fetch;
  let connected: { client: Client; transport: StreamableHTTPClientTransport } | undefined;

  function newConnection() {
    const client = new Client(
      { name: 'demo-client', version: '1.0.0' },
      { versionNegotiation: { mode: 'auto' } },
    );
    const transport = new StreamableHTTPClientTransport(serverUrl, {
      authProvider: memory.provider,
      fetch: fetchFn,
    });
    return { client, transport };
  }

  /** The person decides, the client checks `state` and redeems the code. */
  async function authorize(transport: StreamableHTTPClientTransport): Promise<void> {
    const sentTo = memory.urls.at(-1);
    if (!sentTo) throw new Error('The SDK asked for a person but gave no authorization URL.');
    const back = await options.openBrowser(sentTo);
    if (back.searchParams.get('state') !== sentTo.searchParams.get('state')) {
      throw new Error('The redirect carries another state than the one that was sent.');
    }
    await transport.finishAuth(back.searchParams);
  }

  async function connect(): Promise<void> {
    const first = newConnection();
    try {
      await first.client.connect(first.transport);
      connected = first;
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await authorize(first.transport);
      connected = newConnection();
      await connected.client.connect(connected.transport);
    }
  }

  function connection() {
    if (!connected) throw new Error('Connect first.');
    return connected;
  }

  async function callTool(name: string, parameters: Record<string, unknown> = {}): Promise<string> {
    const { client, transport } = connection();
    const call = () => client.callTool({ name, arguments: parameters });
    const result = await call().catch(async (error: unknown) => {
      if (!(error instanceof UnauthorizedError)) throw error;
      await authorize(transport);
      return call();
    });
    const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
    if (result.isError) throw new Error(`The tool ${name} failed: ${text}`);
    return text;
  }

  return {
    connect,
    callTool,
    listTools: async () => (await connection().client.listTools()).tools.map(({ name }) => name),
    refresh: () => auth(memory.provider, { serverUrl, fetchFn }),
    tokens: memory.tokens,
    clientInformation: memory.clientInformation,
    authorizationUrls: () => [...memory.urls],
    close: async () => connected?.client.close(),
  };
}

/** What a client must remember between the steps; a real one keeps it in a file or a keychain. */
function createMemory({ metadata, clientMetadataUrl, dpop, ...known }: SdkClientOptions) {
  let information = known.clientInformation;
  let tokens: StoredOAuthTokens | undefined;
  let verifier = '';
  let discovery: OAuthDiscoveryState | undefined;
  const urls: URL[] = [];

  const provider: OAuthClientProvider = {
    redirectUrl: metadata.redirect_uris[0],
    clientMetadata: metadata,
    ...(clientMetadataUrl !== undefined && { clientMetadataUrl }),
    ...(dpop !== undefined && { dpop: () => dpop }),
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
    saveDiscoveryState: (saved) => {
      discovery = saved;
    },
    discoveryState: () => discovery,
    invalidateCredentials: (scope) => {
      if (scope === 'all' || scope === 'tokens') tokens = undefined;
      if (scope === 'all' || scope === 'client') information = undefined;
      if (scope === 'all' || scope === 'discovery') discovery = undefined;
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
