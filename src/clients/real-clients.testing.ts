export const codeAndRefresh = ['authorization_code', 'refresh_token'];

/** Each is what the client really sends, as far as its source or its issues show. */
export const realRegistrations = {
  'TypeScript SDK v1': {
    body: {
      redirect_uris: ['http://localhost:8090/callback'],
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: codeAndRefresh,
      response_types: ['code'],
      client_name: 'Simple OAuth MCP Client',
      scope: 'mcp:tools',
    },
    rules: ['native-when-loopback', 'localhost-redirect', 'ignore-registration-scope'],
  },
  'MCP Inspector': {
    body: {
      redirect_uris: [
        'http://localhost:6274/oauth/callback',
        'http://127.0.0.1:6276/oauth/callback',
      ],
      token_endpoint_auth_method: 'none',
      grant_types: codeAndRefresh,
      response_types: ['code'],
      client_name: 'MCP Inspector',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
      application_type: 'native',
      scope: '',
    },
    rules: ['localhost-redirect', 'ignore-registration-scope'],
  },
  'mcp-remote': {
    body: {
      redirect_uris: ['http://localhost:3335/oauth/callback'],
      token_endpoint_auth_method: 'none',
      grant_types: codeAndRefresh,
      response_types: ['code'],
      client_name: 'MCP CLI Proxy',
      client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
      software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      software_version: '0.1.29',
      scope: 'openid email profile',
    },
    rules: ['native-when-loopback', 'localhost-redirect', 'ignore-registration-scope'],
  },
  'Claude Code by registration': {
    body: {
      client_name: 'Claude Code (boards)',
      redirect_uris: ['http://localhost:53682/callback'],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    rules: ['native-when-loopback', 'localhost-redirect'],
  },
  'Claude.ai': {
    body: {
      client_name: 'Claude',
      redirect_uris: [
        'https://claude.ai/api/mcp/auth_callback',
        'https://claude.com/api/mcp/auth_callback',
      ],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'boards:read',
    },
    rules: ['ignore-registration-scope'],
  },
  'VS Code': {
    body: {
      client_name: 'Visual Studio Code',
      client_uri: 'https://code.visualstudio.com',
      grant_types: [...codeAndRefresh, 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: [
        'https://insiders.vscode.dev/redirect',
        'https://vscode.dev/redirect',
        'http://127.0.0.1/',
        'http://127.0.0.1:33418/',
      ],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
    rules: ['mixed-redirect-list', 'portless-loopback', 'intersect-grant-types'],
  },
  Cursor: {
    body: {
      client_name: 'Cursor',
      redirect_uris: [
        'cursor://anysphere.cursor-mcp/oauth/callback',
        'https://www.cursor.com/agents/mcp/oauth/callback',
        'http://localhost:8787/callback',
      ],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    rules: [
      'app-scheme-without-dot',
      'localhost-redirect',
      'mixed-redirect-list',
      'native-when-loopback',
    ],
  },
  'Codex CLI': {
    body: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:49152/callback/mcp'],
      grant_types: codeAndRefresh,
      token_endpoint_auth_method: 'none',
      response_types: ['code'],
      application_type: 'native',
    },
    rules: [],
  },
  'Gemini CLI': {
    body: {
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: null,
    },
    rules: ['omit-null-members', 'localhost-redirect', 'native-when-loopback'],
  },
  OpenCode: {
    body: {
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      client_name: 'OpenCode',
      client_uri: 'https://opencode.ai',
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    rules: ['native-when-loopback'],
  },
  'ChatGPT by registration': {
    body: {
      client_name: 'ChatGPT',
      redirect_uris: [
        'https://chatgpt.com/connector/oauth/abc123',
        'https://chatgpt.com/connector_platform_oauth_redirect',
      ],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    rules: [],
  },
} satisfies Record<string, { body: object; rules: string[] }>;

/** https://claude.ai/oauth/claude-code-client-metadata as it was published in spring 2026. */
export const claudeCode = {
  client_id: 'https://claude.ai/oauth/claude-code-client-metadata',
  client_name: 'Claude Code',
  client_uri: 'https://claude.ai',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: codeAndRefresh,
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
/** The form in which ChatGPT leaves the method open. */
export const chatGpt = {
  client_id: 'https://chatgpt.com/oauth/abc123/client.json',
  client_name: 'ChatGPT',
  client_uri: 'https://chatgpt.com/',
  redirect_uris: ['https://chatgpt.com/connector/oauth/abc123'],
  grant_types: codeAndRefresh,
  response_types: ['code'],
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
};

/** https://chatgpt.com/oauth/client.json as it was published in autumn 2026. */
export const chatGptShared = {
  client_id: 'https://chatgpt.com/oauth/client.json',
  client_uri: 'https://chatgpt.com/',
  redirect_uris: ['https://chatgpt.com/connector_platform_oauth_redirect'],
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  grant_types: codeAndRefresh,
  response_types: ['code'],
  client_name: 'ChatGPT',
  token_endpoint_auth_signing_alg: 'RS256',
  jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
};

export const openCode = {
  client_id: 'https://opencode.ai/oauth/client.json',
  client_name: 'OpenCode',
  redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
  grant_types: codeAndRefresh,
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  application_type: 'native',
};
