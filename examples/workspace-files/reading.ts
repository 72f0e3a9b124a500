import type { CallToolResult } from '@modelcontextprotocol/server';
import { hashBytes } from './entries.ts';
import type { Limits } from './limits.ts';
import { splitLines } from './lines.ts';
import { FileProblem } from './problem.ts';
import { decodeText } from './text.ts';
import type { Workspace } from './workspace.ts';

type Ask = {
  path: string;
  encoding: 'utf-8' | 'base64';
  start_line?: number;
  end_line?: number;
  offset: number;
  length?: number;
};

/** The answer of read_file: the content as it is, and apart from it what it is a part of. */
export async function readFile(
  workspace: Workspace,
  ask: Ask,
  limits: Limits,
): Promise<CallToolResult> {
  const bytes = await workspace.read(ask.path);
  const { text, ...told } =
    ask.encoding === 'base64' ? bytesOf(bytes, ask, limits) : linesOf(bytes, ask, limits);
  const about = { path: ask.path, size: bytes.length, sha256: hashBytes(bytes), ...told };
  return {
    content: [
      { type: 'text', text },
      { type: 'text', text: JSON.stringify(about, null, 2) },
    ],
  };
}

function bytesOf(bytes: Buffer, { offset, length }: Ask, { answerBytes }: Limits) {
  const wanted = Math.min(length ?? answerBytes, answerBytes);
  const part = bytes.subarray(offset, offset + wanted);
  const next = offset + part.length;
  return {
    text: part.toString('base64'),
    encoding: 'base64',
    offset,
    length: part.length,
    ...(next < bytes.length && { next_offset: next }),
  };
}

/** As many whole lines as fit into an answer. */
function linesOf(bytes: Buffer, { start_line: start = 1, end_line: end }: Ask, limits: Limits) {
  const lines = splitLines(decodeText(bytes));
  if (start > lines.length && lines.length + start > 1) {
    throw new FileProblem(`There is no line ${start}; the file has ${lines.length} lines`);
  }
  if (end !== undefined && end < start) throw new FileProblem('end_line is before start_line');
  const chosen: string[] = [];
  let size = 0;
  for (const line of lines.slice(start - 1, end)) {
    size += Buffer.byteLength(line);
    if (size > limits.answerBytes) break;
    chosen.push(line);
  }
  const last = start + chosen.length - 1;
  const wanted = Math.min(end ?? lines.length, lines.length);
  if (chosen.length === 0 && wanted >= start) {
    throw new FileProblem(`Line ${start} alone is too long for an answer; read it with base64`);
  }
  return {
    text: chosen.join(''),
    start_line: start,
    end_line: last,
    lines: lines.length,
    ...(last < wanted && { next_line: last + 1 }),
  };
}
