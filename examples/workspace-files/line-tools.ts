import type { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import {
  deleteLines,
  findReplace,
  insertAfterPattern,
  insertLines,
  replaceLines,
} from './lines.ts';
import { answer, answering } from './tool-answers.ts';
import type { ToolDeps } from './tool-deps.ts';
import { expected, line, path } from './tool-inputs.ts';

const annotations = { readOnlyHint: false, destructiveHint: true, openWorldHint: false };
const content = z.string().describe('Whole lines; they get the line ending of the file');

/** insert_lines, replace_lines, delete_lines: by line number. */
export function addLineTools(server: McpServer, deps: ToolDeps): void {
  const { workspace } = deps;

  server.registerTool(
    'insert_lines',
    {
      description:
        'Puts lines into a text file, before a line; one more than the last line appends.',
      inputSchema: z.object({
        path,
        line: line('The line that the new ones come before'),
        content,
        expected_sha256: expected,
      }),
      annotations,
    },
    ({ path, line, content, expected_sha256 }) =>
      answering(deps, async () =>
        answer(
          await workspace.edit(path, expected_sha256, (text) => ({
            text: insertLines(text, line, content),
            told: { inserted_at: line },
          })),
        ),
      ),
  );
  const range = {
    start_line: line('First line'),
    end_line: line('Last line, included'),
    expected_sha256: expected,
  };
  server.registerTool(
    'replace_lines',
    {
      description: 'Replaces the lines from start_line to end_line of a text file by others.',
      inputSchema: z.object({ path, ...range, content }),
      annotations,
    },
    ({ path, start_line: start, end_line: end, content, expected_sha256 }) =>
      answering(deps, async () =>
        answer(
          await workspace.edit(path, expected_sha256, (text) => ({
            text: replaceLines(text, start, end, content),
            told: { replaced: end - start + 1 },
          })),
        ),
      ),
  );
  server.registerTool(
    'delete_lines',
    {
      description: 'Removes the lines from start_line to end_line of a text file.',
      inputSchema: z.object({ path, ...range }),
      annotations,
    },
    ({ path, start_line: start, end_line: end, expected_sha256 }) =>
      answering(deps, async () =>
        answer(
          await workspace.edit(path, expected_sha256, (text) => ({
            text: deleteLines(text, start, end),
            told: { deleted: end - start + 1 },
          })),
        ),
      ),
  );
}

/** find_replace, insert_after_pattern: by what the text says, literally. */
export function addPatternTools(server: McpServer, deps: ToolDeps): void {
  const { workspace } = deps;

  server.registerTool(
    'find_replace',
    {
      description:
        'Replaces a literal text (no regular expression; it may span lines) in a text file, everywhere or the first one only. An error when it is not there.',
      inputSchema: z.object({
        path,
        find: z.string().min(1).max(100_000).describe('Literal text to look for'),
        replace: z.string().describe('What comes in its place'),
        all: z.boolean().default(true).describe('false replaces the first one only'),
        expected_sha256: expected,
      }),
      annotations,
    },
    ({ path, expected_sha256, ...ask }) =>
      answering(deps, async () =>
        answer(
          await workspace.edit(path, expected_sha256, (before) => {
            const { text, count } = findReplace(before, ask, deps.limits.fileBytes);
            return { text, told: { replaced: count } };
          }),
        ),
      ),
  );
  server.registerTool(
    'insert_after_pattern',
    {
      description:
        'Puts lines after each line of a text file that holds a literal text (no regular expression), or after the first or last such line. An error when there is none.',
      inputSchema: z.object({
        path,
        pattern: z.string().min(1).max(1000).describe('Literal text within one line'),
        content,
        which: z.enum(['first', 'last', 'all']).default('first'),
        expected_sha256: expected,
      }),
      annotations,
    },
    ({ path, expected_sha256, ...ask }) =>
      answering(deps, async () =>
        answer(
          await workspace.edit(path, expected_sha256, (before) => {
            const { text, lines } = insertAfterPattern(before, ask, deps.limits.fileBytes);
            return { text, told: { after_lines: lines.slice(0, 100) } };
          }),
        ),
      ),
  );
}
