import type { Command } from 'commander';
import type { Config } from '../config/index.ts';
import type { Diagnosis, Finding } from '../doctor/index.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured, load } from './load.ts';
import { dataDirectory } from './local-key.ts';
import { type JsonOption, jsonFlag, print, printJson } from './output.ts';
import { withRooms } from './storage.ts';

/** What is shown, however it was found out. */
type Shown = Pick<Diagnosis, 'url' | 'issuer' | 'verdict' | 'findings'>;

/** `authserver doctor [MCP_URL]` */
export function doctorCommand(): Command {
  return configured(
    'doctor',
    'ask an MCP server and this server the way that Claude, ChatGPT, VS Code, Cursor, Codex and the SDKs would, and say what to fix; exits 1 where something fails',
  )
    .argument('[mcp-url]', 'URL that people paste into their client; without it this server alone')
    .option(...jsonFlag)
    .action(async (url: string | undefined, options: ConfigOption & JsonOption) => {
      const diagnosis = await diagnose(url, options);
      if (options.json) printJson(diagnosis);
      else print(report(diagnosis));
      if (diagnosis.verdict === 'FAIL') {
        throw new CommandFailure('something fails; the report says what to fix');
      }
    });
}

/** By the running server where it holds the database, else from here. */
async function diagnose(url: string | undefined, options: ConfigOption): Promise<Shown> {
  const { config } = load(options);
  const running = await throughServer(url, config);
  if (running) return running;
  const { createDoctor } = await import('../doctor/index.ts');
  const { createGuardedRequest } = await import('../http/index.ts');
  return withRooms(options, async ({ resources, now }) => {
    const request = createGuardedRequest({ timeoutMs: 5000, now });
    const doctor = createDoctor({ request, resources, now }, config, { privateAddresses: true });
    return doctor.examine(url);
  });
}

async function throughServer(url: string | undefined, config: Config): Promise<Shown | undefined> {
  const { createAdminClient, readLocalKey } = await import('../admin/index.ts');
  const { doctor } = await import('../admin/contract/index.ts');
  const local = readLocalKey(dataDirectory(config));
  if (!local) return undefined;
  const client = createAdminClient({ origin: local.url, apiKey: local.key });
  try {
    return await client.call(doctor.examine, { body: url === undefined ? {} : { url } });
  } catch (error) {
    if (isRefusedConnection(error)) return undefined; // the key of a server that was killed
    throw error;
  }
}

function isRefusedConnection(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed';
}

/** Every finding, and what to do about those that are wrong. */
function report({ url, issuer, verdict, findings }: Shown): string {
  const lines = findings.map(line);
  const counts = (['PASS', 'WARN', 'FAIL', 'SKIP'] as const)
    .map((state) => `${findings.filter((one) => one.state === state).length} ${state}`)
    .join(', ');
  const about = url === null ? `authorization server ${issuer}` : `${url} with ${issuer}`;
  return [`Examined ${about}`, '', ...lines, '', `${verdict}: ${counts}`].join('\n');
}

function line({ state, title, sentence, expected, clients, fix }: Finding): string {
  const head = `${state}  ${title}: ${sentence}`;
  const more = [
    expected === null ? undefined : `expected: ${expected}`,
    state !== 'PASS' && clients.length > 0 ? `concerns: ${clients.join(', ')}` : undefined,
    fix === null ? undefined : `fix: ${fix}`,
  ].filter((text) => text !== undefined);
  // Attack: what a probed server sends moves the cursor of the operator's terminal.
  return [head, ...more.map((text) => `      ${text}`)].join('\n').replaceAll(/[^\P{Cc}\n]/gu, ' ');
}
