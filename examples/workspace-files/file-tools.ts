import type { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { readFile } from './reading.ts';
import { listFiles, searchFiles } from './search.ts';
import { decodeBase64, encodeText } from './text.ts';
import { answer, answering } from './tool-answers.ts';
import type { ToolDeps } from './tool-deps.ts';
import { directory, expected, line, overwrite, path } from './tool-inputs.ts';

const readOnly = { readOnlyHint: true, openWorldHint: false };
const changing = { readOnlyHint: false, destructiveHint: false, openWorldHint: false };
const destructive = { ...changing, destructiveHint: true };

/** list_files, search_files, read_file, get_file_info: what is there. */
export function addReadingTools(server: McpServer, deps: ToolDeps): void {
  const { workspace, limits } = deps;
  const limit = z.number().int().min(1).max(limits.listed).default(200);

  server.registerTool(
    'list_files',
    {
      description:
        'Lists a directory in the order of the names, with type, size and time of change; recursive lists what is below too. Links are shown and never followed.',
      inputSchema: z.object({
        path: directory,
        recursive: z.boolean().default(false),
        limit,
        after: z.string().max(1024).optional().describe('Go on after this path of the last answer'),
      }),
      annotations: readOnly,
    },
    (ask) => answering(deps, async () => answer(await listFiles(workspace, ask, deps))),
  );
  server.registerTool(
    'search_files',
    {
      description:
        'Finds files by a literal text (no pattern, no regular expression) in their names or in the lines of text files, in a directory and below.',
      inputSchema: z.object({
        query: z.string().min(1).max(500).describe('Literal text to look for'),
        path: directory,
        in: z.enum(['names', 'content']).default('content'),
        case_sensitive: z.boolean().default(false),
        limit,
      }),
      annotations: readOnly,
    },
    ({ case_sensitive: caseSensitive, ...ask }) =>
      answering(deps, async () =>
        answer(await searchFiles(workspace, { ...ask, caseSensitive }, deps)),
      ),
  );
  server.registerTool(
    'read_file',
    {
      description:
        'Reads a file. Text comes as it is, all of it or the lines from start_line to end_line; the second part of the answer tells how many lines there are. Binary files need encoding base64, and give the bytes from offset on.',
      inputSchema: z.object({
        path,
        encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
        start_line: line('First line to read').optional(),
        end_line: line('Last line to read').optional(),
        offset: z.number().int().min(0).default(0).describe('First byte to read, for base64'),
        length: z.number().int().min(1).optional().describe('Number of bytes, for base64'),
      }),
      annotations: readOnly,
    },
    (ask) => answering(deps, () => readFile(workspace, ask, limits)),
  );
  server.registerTool(
    'get_file_info',
    {
      description:
        'Tells type, size and time of change of a file or directory; of a file also its sha256, whether it is text, and how many lines it has.',
      inputSchema: z.object({ path: directory }),
      annotations: readOnly,
    },
    (ask) => answering(deps, async () => answer(await workspace.info(ask.path))),
  );
}

/** write_file, delete_file, create_directory, move_file, copy_file: whole files and directories. */
export function addWritingTools(server: McpServer, deps: ToolDeps): void {
  const { workspace } = deps;

  server.registerTool(
    'write_file',
    {
      description:
        'Writes a whole file, at once or not at all, and makes the directories above it. Refuses to replace a file unless overwrite is true. A call takes up to about 3 MB; larger files go by create_upload_session.',
      inputSchema: z.object({
        path,
        content: z.string().describe('The text, or the bytes in base64'),
        encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
        overwrite,
        expected_sha256: expected,
      }),
      annotations: destructive,
    },
    ({ path, content, encoding, overwrite, expected_sha256: expected }) =>
      answering(deps, async () => {
        const bytes = encoding === 'base64' ? decodeBase64(content) : encodeText(content);
        return answer(await workspace.write(path, bytes, { overwrite, expected }));
      }),
  );
  server.registerTool(
    'delete_file',
    {
      description:
        'Deletes a file or an empty directory; with recursive true a directory and everything below it. Cannot be undone.',
      inputSchema: z.object({ path, recursive: z.boolean().default(false) }),
      annotations: destructive,
    },
    ({ path, recursive }) =>
      answering(deps, async () => answer(await workspace.remove(path, recursive))),
  );
  server.registerTool(
    'create_directory',
    {
      description: 'Makes a directory and those above it; one that is there already is no error.',
      inputSchema: z.object({ path }),
      annotations: { ...changing, idempotentHint: true },
    },
    ({ path }) => answering(deps, async () => answer(await workspace.createDirectory(path))),
  );
  const places = z.object({
    from: path.describe('What there is, relative to the home directory'),
    to: path.describe('The new path with its name, relative to the home directory'),
    overwrite,
  });
  server.registerTool(
    'move_file',
    {
      description:
        'Moves or renames a file or directory; makes the directories above its new place.',
      inputSchema: places,
      annotations: destructive,
    },
    ({ from, to, overwrite }) =>
      answering(deps, async () => answer(await workspace.move(from, to, overwrite))),
  );
  server.registerTool(
    'copy_file',
    {
      description:
        'Copies one file, at once or not at all; makes the directories above its new place.',
      inputSchema: places,
      annotations: destructive,
    },
    ({ from, to, overwrite }) =>
      answering(deps, async () => answer(await workspace.copy(from, to, overwrite))),
  );
}
