import { checks } from './doctor.ts';
import { realClients } from './real-clients.ts';
import { symptoms } from './symptoms.ts';

const groups = [
  ['server', 'This server'],
  ['challenge', 'How the MCP server asks for a token'],
  ['resource_metadata', 'The metadata of the MCP server, and what is registered here'],
] as const;

const beginning = `# When a connection fails

<!-- Generated from the source by \`npm run docs\`; a test fails when it is stale. -->

Three things say why, from the quickest to the most thorough.

1. **The trace id.** Every error page and every error answer (\`trace_id\`) has one. Under **Flows** in the administration it finds the attempt that it belongs to, and in the log the line with the full reason.
2. **The flow.** One row per authorization attempt, from the metadata to the token and, where the MCP server introspects, to the first call. It shows the step that failed, what was sent beside what would have been accepted, the compatibility rules that helped, and, where one change of an operator would let the next attempt succeed, a button that makes it, or, where the configuration file declares what is to be changed, the key to change there. Also \`GET /admin/api/flows\` (docs/admin-api.md).
3. **The doctor.** \`authserver doctor https://mcp.example.com/mcp\`, or the page **Doctor**: asks the MCP server and this server as real clients would, and says what to fix. It exits with 1 where something fails; \`--json\` is for programs. Without a URL it examines this server and every registered resource.

What flows do not have: tokens, codes, verifiers, \`state\` and passwords are never in them, nor the query of an address. They are written a moment after the answer, in batches, so a killed process loses the last half second. Somebody who is not signed in can add a few a minute only, and the same failure from the same address within ten minutes is one row with a count. Documents (\`/.well-known/\`) are fetched without a name: they are shown with an attempt when they came from the same address within ten minutes before it, which may have been somebody else. They are kept for \`retention.flows\`, 14 days by default.`;

/** docs/debugging.md */
export function debuggingReference(): string {
  const clients = realClients.map(({ name }) => name).join(', ');
  return `${[
    beginning,
    '## Symptom, cause, fix',
    rows(
      ['what is seen', 'why', 'what to do'],
      symptoms.map(({ seen, cause, fix }) => [seen, cause, fix]),
    ),
    '## What the doctor asks',
    ...groups.flatMap(([group, title]) => [`### ${title}`, checksOf(group)]),
    '### A dry authorization of each client',
    `For ${clients}: whether this server would accept it by its metadata document or its registration, its redirect URIs, the resource that it names and the scopes that it asks for, so that it gets to the sign-in page. Nothing is sent and nothing is stored: the decisions of the endpoints are asked, not the endpoints.`,
  ].join('\n\n')}\n`;
}

function checksOf(group: string): string {
  const own = checks.filter((check) => check.group === group);
  return rows(
    ['check', 'passes when', 'who trips over it', 'fix'],
    own.map(({ id, title, clients, fix }) => [
      `\`${id}\``,
      title,
      clients.length > 0 ? clients.join(', ') : 'all',
      fix,
    ]),
  );
}

function rows(titles: string[], lines: string[][]): string {
  const all = [titles, titles.map(() => '---'), ...lines];
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
