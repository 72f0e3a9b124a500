import type { Printer } from './printer.ts';

export type Invitation = {
  /** Name → MCP URL. */
  servers: { boards: string; 'workspace-files': string };
  issuer: string;
  adminUrl: string;
  account: { email: string; password: string };
  workspace: { slug: string; name: string };
  /** Everything the server printed; the link for the first owner is in it. */
  serverOutput: string;
};

/** Says how to connect an own client to the demo, ready to paste. */
export function printInvitation(printer: Printer, invitation: Invitation): void {
  const { servers, issuer, adminUrl, account, workspace, serverOutput } = invitation;
  const entries = Object.entries(servers);
  const block = (title: string, lines: readonly string[]) => {
    printer.line(`  ${title}`);
    for (const line of lines) printer.line(`      ${line}`);
    printer.line();
  };
  const config = (extra: object) =>
    Object.fromEntries(entries.map(([name, url]) => [name, { ...extra, url }]));

  printer.heading('Your turn', 'Everything stays up until Ctrl-C. Connect a client of your own:');
  block('MCP Inspector', [
    'npx @modelcontextprotocol/inspector',
    ...entries.map(([, url]) => `URL: ${url}`),
  ]);
  block('Claude Code', [
    ...entries.map(([name, url]) => `claude mcp add --transport http ${name} ${url}`),
    'then: /mcp',
  ]);
  block('Cursor: .cursor/mcp.json', json({ mcpServers: config({}) }));
  block('VS Code: .vscode/mcp.json', json({ servers: config({ type: 'http' }) }));
  block('Sign in there as', [`email: ${account.email}`, `password: ${account.password}`]);
  block('With a token instead: make one there, send it as Authorization: Bearer', [
    `${issuer}/account/tokens/new`,
  ]);
  block(`The workspace, ${workspace.name}: members, connections, credentials`, [
    `${issuer}/account/workspaces/${workspace.slug}`,
  ]);
  block('Server', [`${issuer}/.well-known/oauth-authorization-server`]);
  block('Become the first owner of this server (once, within the hour)', [
    ownerLink(serverOutput) ?? `${adminUrl}/admin/setup`,
  ]);
}

/** The one-time link that the server prints beside its log; its token is in the fragment. */
function ownerLink(output: string): string | undefined {
  return output.match(/https?:\/\/\S+\/admin\/\S*#\S+/)?.[0];
}

function json(value: unknown): string[] {
  return JSON.stringify(value, null, 2).split('\n');
}
