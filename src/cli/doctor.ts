import type { Command } from 'commander';
import type { z } from 'zod';
import { doctor } from '../admin/contract/index.ts';
import { withAdmin } from './administration.ts';
import { CommandFailure } from './failure.ts';
import { type ConfigOption, configured } from './load.ts';
import { type JsonOption, jsonFlag, print, printJson } from './output.ts';

type Shown = z.output<typeof doctor.examine.answer>;
type Finding = Shown['findings'][number];

/** `authserver doctor [MCP_URL]` */
export function doctorCommand(): Command {
  return configured(
    'doctor',
    'ask an MCP server and this server the way that Claude, ChatGPT, VS Code, Cursor, Codex and the SDKs would, and say what to fix; exits 1 where something fails',
  )
    .argument(
      '[mcp-url]',
      'URL that people paste into their client; without it this server and every registered resource',
    )
    .option(...jsonFlag)
    .action(async (url: string | undefined, options: ConfigOption & JsonOption) => {
      const body = url === undefined ? {} : { url };
      const diagnosis = await withAdmin(options, (admin) => admin.call(doctor.examine, { body }));
      if (options.json) printJson(diagnosis);
      else print(report(diagnosis));
      if (diagnosis.verdict === 'FAIL') {
        throw new CommandFailure('something fails; the report says what to fix');
      }
    });
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
