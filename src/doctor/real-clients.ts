/** How a client asks, as far as its source, its documents or its issues show (docs/connect.md). */
export interface RealClient {
  name: string;
  /** Its metadata document, where it has one that is known. */
  document?: { client_id: string; [member: string]: unknown };
  /** What it registers (RFC 7591) where documents are not advertised; undefined where it does not. */
  registration?: object;
  /** Redirect URIs that its authorization requests come with. */
  redirects: readonly string[];
  /** Whether it sends `resource`. */
  sendsResource: boolean;
  /** What it asks for: the scopes of the challenge, or all that the metadata lists. */
  scopes: 'challenge' | 'metadata' | 'none';
}

const codeAndRefresh = ['authorization_code', 'refresh_token'];
const common = {
  grant_types: codeAndRefresh,
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

/** The clients that the doctor plays. */
export const realClients: readonly RealClient[] = [
  {
    name: 'Claude Code',
    document: {
      client_id: 'https://claude.ai/oauth/claude-code-client-metadata',
      client_name: 'Claude Code',
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      ...common,
    },
    registration: {
      client_name: 'Claude Code',
      redirect_uris: ['http://localhost:53682/callback'],
      ...common,
    },
    redirects: ['http://localhost:53682/callback'],
    sendsResource: true,
    scopes: 'challenge',
  },
  {
    name: 'Claude.ai',
    registration: {
      client_name: 'Claude',
      redirect_uris: [
        'https://claude.ai/api/mcp/auth_callback',
        'https://claude.com/api/mcp/auth_callback',
      ],
      ...common,
    },
    redirects: [
      'https://claude.ai/api/mcp/auth_callback',
      'https://claude.com/api/mcp/auth_callback',
    ],
    sendsResource: true,
    scopes: 'challenge',
  },
  {
    name: 'ChatGPT',
    document: {
      client_id: 'https://chatgpt.com/oauth/client.json',
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      token_endpoint_auth_signing_alg: 'RS256',
      jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
    },
    registration: {
      client_name: 'ChatGPT',
      redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
      ...common,
    },
    redirects: ['https://chatgpt.com/connector_platform_oauth_redirect'],
    sendsResource: true,
    scopes: 'metadata',
  },
  {
    name: 'VS Code',
    registration: {
      client_name: 'Visual Studio Code',
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      ...common,
      grant_types: [...codeAndRefresh, 'urn:ietf:params:oauth:grant-type:device_code'],
      application_type: 'native',
    },
    redirects: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
    sendsResource: true,
    scopes: 'challenge',
  },
  {
    name: 'Cursor',
    registration: {
      client_name: 'Cursor',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      ...common,
    },
    redirects: [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
    ],
    sendsResource: true,
    scopes: 'challenge',
  },
  {
    name: 'Codex CLI',
    registration: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:49152/callback/mcp'],
      ...common,
      application_type: 'native',
    },
    redirects: ['http://127.0.0.1:49152/callback/mcp'],
    sendsResource: false,
    scopes: 'metadata',
  },
  {
    name: 'Gemini CLI',
    registration: {
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
      ...common,
      scope: null,
    },
    redirects: ['http://localhost:7777/oauth/callback'],
    sendsResource: true,
    scopes: 'metadata',
  },
  {
    name: 'MCP Inspector',
    registration: {
      client_name: 'MCP Inspector',
      redirect_uris: [
        'http://localhost:6274/oauth/callback',
        'http://127.0.0.1:6276/oauth/callback',
      ],
      ...common,
      application_type: 'native',
      scope: '',
    },
    redirects: ['http://localhost:6274/oauth/callback'],
    sendsResource: true,
    scopes: 'metadata',
  },
  {
    name: 'TypeScript SDK',
    registration: {
      client_name: 'Simple OAuth MCP Client',
      redirect_uris: ['http://localhost:8090/callback'],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    },
    redirects: ['http://localhost:8090/callback'],
    sendsResource: true,
    scopes: 'challenge',
  },
];
