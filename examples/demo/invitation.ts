import type { Printer } from './printer.ts';

export type Invitation = {
  mcpUrl: string;
  issuer: string;
  adminUrl: string;
  account: { email: string; password: string };
  /** Everything the server printed; the link for the first owner is in it. */
  serverOutput: string;
};

/** Says how to connect an own client to the demo, ready to paste. */
export function printInvitation(printer: Printer, invitation: Invitation): void {
  const { mcpUrl, issuer, adminUrl, account, serverOutput } = invitation;
  const block = (title: string, lines: readonly string[]) => {
    printer.line(`  ${title}`);
    for (const line of lines) printer.line(`      ${line}`);
    printer.line();
  };

  printer.heading('Your turn', 'Everything stays up until Ctrl-C. Connect a client of your own:');
  block('MCP Inspector', ['npx @modelcontextprotocol/inspector', `URL: ${mcpUrl}`]);
  block('Claude Code', [`claude mcp add --transport http boards ${mcpUrl}`, 'then: /mcp']);
  block('Cursor: .cursor/mcp.json', json({ mcpServers: { boards: { url: mcpUrl } } }));
  block('VS Code: .vscode/mcp.json', json({ servers: { boards: { type: 'http', url: mcpUrl } } }));
  block('Sign in there as', [`email: ${account.email}`, `password: ${account.password}`]);
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
