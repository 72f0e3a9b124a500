import { describe, expect, it } from 'vitest';
import { clientsConfig, publicKey, withoutRules } from './clients.testing.ts';
import { compatibilityRules, createRuleLog } from './compatibility.ts';
import { decideDocument, decideRegistration } from './policy.ts';

const codeAndRefresh = ['authorization_code', 'refresh_token'];
const strict = clientsConfig({ compatibility: { strict: true, disabled: [] } });

describe('the table of rules', () => {
  it('has unique names in the form that the configuration accepts', () => {
    const names = compatibilityRules.map((rule) => rule.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/);
  });

  it('a disabled rule is not used and not recorded; strict disables all', () => {
    const some = createRuleLog({ strict: false, disabled: ['omit-null-members'] });
    expect(some.use('omit-null-members')).toBe(false);
    expect(some.use('auth-method-list')).toBe(true);
    expect(some.applied()).toEqual(['auth-method-list']);
    const none = createRuleLog({ strict: true, disabled: [] });
    expect(compatibilityRules.map((rule) => none.use(rule.name))).not.toContain(true);
  });
});

/** Each is what the client really sends, as far as its source or its issues show. */
const registrations = {
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

describe('the registration of a real client is accepted', () => {
  it.each(Object.entries(registrations))('%s', (_client, { body, rules }) => {
    const decision = decideRegistration(body, clientsConfig());
    expect([...decision.rules].sort()).toEqual([...rules].sort());
    expect(decision.metadata.redirect_uris).toEqual(body.redirect_uris);
    expect(decision.metadata.grant_types).toEqual(codeAndRefresh);
    expect(decision.metadata.token_endpoint_auth_method).toBe(body.token_endpoint_auth_method);
    expect(decision).not.toHaveProperty('scope');
  });

  const helped = Object.entries(registrations).flatMap(([client, { body, rules }]) =>
    rules
      .filter((rule) => rule !== 'intersect-response-types')
      .map((rule) => ({ client, body, rule })),
  );
  it.each(helped)('$client is refused without the rule $rule', ({ body, rule }) => {
    expect(() => decideRegistration(body, withoutRules(rule))).toThrow(
      /invalid_(redirect_uri|client_metadata)/,
    );
  });
});

const claudeCode = {
  client_id: 'https://claude.ai/oauth/claude-code-client-metadata',
  client_name: 'Claude Code',
  client_uri: 'https://claude.ai',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: codeAndRefresh,
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
const chatGpt = {
  client_id: 'https://chatgpt.com/oauth/abc123/client.json',
  client_name: 'ChatGPT',
  client_uri: 'https://chatgpt.com/',
  redirect_uris: ['https://chatgpt.com/connector/oauth/abc123'],
  grant_types: codeAndRefresh,
  response_types: ['code'],
  token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
  jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
};

describe('the metadata document of a real client is accepted', () => {
  it('Claude Code: port-less loopback redirect URIs and no application_type', () => {
    const decision = decideDocument(claudeCode.client_id, claudeCode, clientsConfig());
    expect(decision.metadata).toMatchObject({
      application_type: 'native',
      redirect_uris: claudeCode.redirect_uris,
      token_endpoint_auth_method: 'none',
    });
    expect([...decision.rules].sort()).toEqual([
      'localhost-redirect',
      'native-when-loopback',
      'portless-loopback',
    ]);
  });

  it('Claude Code: a document without method and grant types gets none, code and refresh', () => {
    const { token_endpoint_auth_method: _, grant_types: __, ...sparse } = claudeCode;
    const { metadata, rules } = decideDocument(claudeCode.client_id, sparse, clientsConfig());
    expect(metadata).toMatchObject({
      token_endpoint_auth_method: 'none',
      grant_types: codeAndRefresh,
    });
    expect(rules).toContain('auth-method-none-when-absent');
    expect(rules).toContain('default-grant-types');
  });

  it('ChatGPT: both methods of its list are good', () => {
    const { metadata, rules } = decideDocument(chatGpt.client_id, chatGpt, clientsConfig());
    expect(metadata).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
      jwks_uri: chatGpt.jwks_uri,
    });
    expect(rules).toEqual(['auth-method-list']);
  });

  it('ChatGPT: without the rule its list is not looked at', () => {
    const { metadata } = decideDocument(
      chatGpt.client_id,
      chatGpt,
      withoutRules('auth-method-list'),
    );
    expect(metadata.token_endpoint_auth_method).toBe('none');
    expect(metadata).not.toHaveProperty('token_endpoint_auth_methods_supported');
  });

  it('OpenCode and Codex', () => {
    const client_id = 'https://opencode.ai/oauth/client.json';
    const document = {
      client_id,
      client_name: 'OpenCode',
      redirect_uris: ['http://127.0.0.1:19876/mcp/oauth/callback'],
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    };
    expect(decideDocument(client_id, document, clientsConfig()).rules).toEqual([]);
  });
});

describe('the remaining rules', () => {
  const minimal = { redirect_uris: ['https://app.test/cb'] };

  it('default-grant-types: off, RFC 7591 §2 gives authorization_code alone', () => {
    const { metadata } = decideRegistration(minimal, withoutRules('default-grant-types'));
    expect(metadata.grant_types).toEqual(['authorization_code']);
  });

  it('auth-method-none-when-absent: off, RFC 7591 §2 gives client_secret_basic', () => {
    const config = withoutRules('auth-method-none-when-absent');
    const { metadata } = decideRegistration(minimal, config);
    expect(metadata.token_endpoint_auth_method).toBe('client_secret_basic');
    const client_id = 'https://app.test/client.json';
    expect(() => decideDocument(client_id, { ...minimal, client_id }, config)).toThrow(
      'token_endpoint_auth_method',
    );
  });

  it('intersect-response-types', () => {
    const body = { ...minimal, response_types: ['code', 'id_token'] };
    const { metadata, rules } = decideRegistration(body, clientsConfig());
    expect(metadata.response_types).toEqual(['code']);
    expect(rules).toContain('intersect-response-types');
    expect(() => decideRegistration(body, withoutRules('intersect-response-types'))).toThrow();
  });

  it('drop-insecure-links', () => {
    const body = { ...minimal, client_uri: 'http://localhost:3000', logo_uri: '' };
    const { metadata, rules } = decideRegistration(body, clientsConfig());
    expect(metadata).not.toHaveProperty('client_uri');
    expect(metadata).not.toHaveProperty('logo_uri');
    expect(rules).toContain('drop-insecure-links');
    expect(() => decideRegistration(body, withoutRules('drop-insecure-links'))).toThrow();
  });

  it('a client that writes everything by the letter needs no rule at all', () => {
    const body = {
      redirect_uris: ['http://127.0.0.1:7777/cb', 'com.example.app:/cb'],
      application_type: 'native',
      grant_types: codeAndRefresh,
      response_types: ['code'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [publicKey()] },
    };
    expect(decideRegistration(body, strict).rules).toEqual([]);
  });
});
