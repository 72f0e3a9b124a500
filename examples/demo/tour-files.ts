import { createSdkClient } from './sdk-client.ts';
import { parameterLines } from './show.ts';
import { check } from './tour-checks.ts';
import type { Identity, Stage } from './tour-stage.ts';

/** The same person and program at another MCP server, one with sessions: a token of its own, and files that stay. */
export async function runFilesTour(stage: Stage, identity: Identity): Promise<void> {
  const { printer, mcpUrl, person } = stage;
  let asked: URL | undefined;
  const client = createSdkClient({
    mcpUrl,
    metadata: stage.metadata,
    ...(identity.kind === 'CIMD' && { clientMetadataUrl: identity.clientMetadataUrl }),
    openBrowser: (url) => {
      asked = url;
      return person.authorize(url);
    },
  });

  await printer.step(
    'The client connects to workspace-files, and the person allows it',
    async (out) => {
      await client.connect();
      const { searchParams } = asked ?? new URL(mcpUrl);
      out.sent('a new authorization', [
        ...parameterLines(searchParams).filter((line) => /^(scope|resource) /.test(line)),
      ]);
      for (const { kind, text } of stage.takeVisits()) {
        if (kind === 'consent') out.note(`the page: “${text.slice(0, 200)}…”`);
      }
      const { aud, workspace_name, scope } = await stage.introspect(client.tokens().access_token);
      check(aud === mcpUrl, `The token is for ${aud}.`);
      return `A token for this server alone, in ${workspace_name}, with ${scope}`;
    },
  );

  await printer.step('It writes a file and reads it back', async (out) => {
    const tools = await client.listTools();
    out.note(`tools: ${tools.join(', ')}`);
    check(tools.length === 19, `There are ${tools.length} tools, not 19.`);
    const content = 'Written by the demo\n';
    await client.callTool('write_file', { path: 'demo/hello.txt', content, overwrite: true });
    const read = await client.callTool('read_file', { path: 'demo/hello.txt' });
    out.note(`read_file: ${read.replace(/\s+/g, ' ').slice(0, 160)}`);
    check(read.includes('Written by the demo'), 'It reads something else.');
    return `${tools.length} tools, and the file is there`;
  });

  await printer.step('Nothing outside the workspace can be reached', async (out) => {
    const outside = { path: '../../authserver.yaml' };
    const refusal = await client.callTool('read_file', outside).then(
      () => 'it answered',
      (error: unknown) => String(error),
    );
    out.sent('read_file', [`path: ${outside.path}`]);
    out.received(refusal.slice(0, 200));
    check(refusal.includes('failed'), 'The path led out of the home directory.');
    return 'Refused';
  });
  await client.close();
}
