/** What a person pastes to connect one client, as its vendor's current documentation has it (docs/connect.md). */
export interface ClientConfiguration {
  client: string;
  /** Where it signs the person in by itself. */
  oauth?: Step[];
  /** With a token in the `Authorization` header; absent where the client has no place for one. */
  bearer?: Step[];
}

/** One thing to do. */
export interface Step {
  /** A sentence. */
  text: string;
  /** What to copy. */
  code?: string;
}

/** What a person puts in the place of the token. */
export const tokenPlaceholder = '<credential-id>.<secret>';

export interface Endpoint {
  /** The MCP endpoint. */
  url: string;
  /** How clients call it: letters, digits, hyphens. */
  name: string;
}

/** Ready configuration for every client that people commonly use, in both ways to connect. */
export function clientConfigurations(endpoint: Endpoint): ClientConfiguration[] {
  return [
    claude(endpoint),
    claudeCode(endpoint),
    cursor(endpoint),
    vsCode(endpoint),
    inspector(endpoint),
  ];
}

/** `.mcp.json` of Claude Code and of others that read it. */
export function mcpJson({ url, name }: Endpoint, token?: string): string {
  const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  return json({ mcpServers: { [name]: { type: 'http', url, ...headers } } });
}

function claude({ url, name }: Endpoint): ClientConfiguration {
  const args = ['-y', 'mcp-remote', url, '--header', `Authorization: Bearer ${tokenPlaceholder}`];
  return {
    client: 'Claude',
    oauth: [
      {
        text: 'Settings → Connectors → Add custom connector. Paste this as its URL, sign in, and choose this workspace.',
        code: url,
      },
    ],
    bearer: [
      {
        text: 'Connectors take no token. On your own computer, Claude Desktop can use one through mcp-remote, in claude_desktop_config.json:',
        code: json({ mcpServers: { [name]: { command: 'npx', args } } }),
      },
    ],
  };
}

function claudeCode(endpoint: Endpoint): ClientConfiguration {
  const { url, name } = endpoint;
  const add = `claude mcp add --transport http ${name} ${quoted(url)}`;
  return {
    client: 'Claude Code',
    oauth: [
      {
        text: 'Run this, then /mcp inside Claude Code, and authenticate:',
        code: add,
      },
      { text: 'Or, for a project, in .mcp.json:', code: mcpJson(endpoint) },
    ],
    bearer: [
      {
        text: 'Run this:',
        code: `${add} --header "Authorization: Bearer ${tokenPlaceholder}"`,
      },
      {
        text: 'Or in .mcp.json:',
        code: mcpJson(endpoint, tokenPlaceholder),
      },
    ],
  };
}

function cursor({ url, name }: Endpoint): ClientConfiguration {
  const headers = { Authorization: `Bearer ${tokenPlaceholder}` };
  return {
    client: 'Cursor',
    oauth: [
      {
        text: 'In ~/.cursor/mcp.json, or .cursor/mcp.json of a project; then Settings → MCP → Needs login:',
        code: json({ mcpServers: { [name]: { url } } }),
      },
    ],
    bearer: [
      {
        text: 'In ~/.cursor/mcp.json:',
        code: json({ mcpServers: { [name]: { url, headers } } }),
      },
    ],
  };
}

function vsCode({ url, name }: Endpoint): ClientConfiguration {
  const id = `${name}-token`;
  const server = { type: 'http', url };
  const inputs = [
    {
      type: 'promptString',
      id,
      description: `Token of ${name} (${tokenPlaceholder})`,
      password: true,
    },
  ];
  const headers = { Authorization: `Bearer \${input:${id}}` };
  return {
    client: 'VS Code',
    oauth: [
      {
        text: 'In .vscode/mcp.json, or MCP: Add Server… from the command palette:',
        code: json({ servers: { [name]: server } }),
      },
    ],
    bearer: [
      {
        text: 'In .vscode/mcp.json. VS Code asks for the token once and keeps it:',
        code: json({ inputs, servers: { [name]: { ...server, headers } } }),
      },
    ],
  };
}

function inspector({ url }: Endpoint): ClientConfiguration {
  const command = 'npx @modelcontextprotocol/inspector@latest';
  const remote = `${command} --cli --server-url ${quoted(url)} --transport http`;
  return {
    client: 'MCP Inspector',
    oauth: [
      {
        text: 'Run this, choose Streamable HTTP, paste the endpoint and connect:',
        code: command,
      },
    ],
    bearer: [
      {
        text: 'Run this to see what there is to call:',
        code: `${remote} --header "Authorization: Bearer ${tokenPlaceholder}" --method tools/list`,
      },
    ],
  };
}

function json(value: object): string {
  return JSON.stringify(value, undefined, 2);
}

/** For a shell; Attack: a resource whose URL holds what a shell would run. */
function quoted(text: string): string {
  return /^[\w:/.~@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
