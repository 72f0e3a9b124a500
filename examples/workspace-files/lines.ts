import { finder } from './literal.ts';
import { FileProblem } from './problem.ts';

/** Most lines and most places of a text: while one call works on them, nobody else is served. */
const mostPieces = 500_000;

/** Whether a text is one that the tools take apart into lines. */
export function hasLines(text: string): boolean {
  let end = -1;
  for (let lines = 0; lines <= mostPieces; lines += 1) {
    end = text.indexOf('\n', end + 1);
    if (end === -1) return true;
  }
  return false;
}

/**
 * The lines of a text, each with its own ending; the last may have none.
 * @throws FileProblem when they are too many
 */
export function splitLines(text: string): string[] {
  if (!hasLines(text)) {
    throw new FileProblem(
      `The text has more than ${mostPieces} lines; read_file with encoding base64 reads it`,
    );
  }
  const lines: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const next = end === -1 ? text.length : end + 1;
    lines.push(text.slice(start, next));
    start = next;
  }
  return lines;
}

export type LineEnding = '\n' | '\r\n';

/** The ending that most lines have. */
export function lineEnding(lines: readonly string[]): LineEnding {
  const windows = lines.filter((line) => line.endsWith('\r\n')).length;
  return windows * 2 > lines.filter((line) => line.endsWith('\n')).length ? '\r\n' : '\n';
}

/** New content as whole lines with the ending of the file it goes into. */
function asLines(content: string, ending: LineEnding): string[] {
  return splitLines(content).map((line) => line.replace(/\r?\n?$/, '') + ending);
}

/** Puts whole lines before `line`, counted from 1; one more than the last appends. */
export function insertLines(text: string, line: number, content: string): string {
  const lines = splitLines(text);
  if (line > lines.length + 1) throw beyond(lines.length, line);
  return splice(lines, line - 1, 0, content);
}

/** Replaces the lines `start` to `end`, both included. */
export function replaceLines(text: string, start: number, end: number, content: string): string {
  const lines = splitLines(text);
  checkRange(lines.length, start, end);
  return splice(lines, start - 1, end - start + 1, content);
}

/** Removes the lines `start` to `end`, both included. */
export const deleteLines = (text: string, start: number, end: number): string =>
  replaceLines(text, start, end, '');

/**
 * Replaces a literal text: everywhere, or the first one only.
 * @param limit longest result, in UTF-16 units
 */
export function findReplace(
  text: string,
  { find, replace, all }: { find: string; replace: string; all: boolean },
  limit: number,
): { text: string; count: number } {
  const pieces = piecesBetween(text, find, all ? mostPieces + 1 : 1);
  const count = pieces.length - 1;
  if (count > mostPieces)
    throw new FileProblem(`The text to find is there more than ${mostPieces} times`);
  if (count === 0)
    throw new FileProblem('The text to find is not in the file; nothing was changed');
  checkLength(text.length + count * (replace.length - find.length), limit);
  return { text: pieces.join(replace), count };
}

/** What stands before, between and after the first `most` places of a text. */
function piecesBetween(text: string, find: string, most: number): string[] {
  const next = finder(find);
  const pieces: string[] = [];
  let start = 0;
  for (let at = next(text); at !== -1 && pieces.length < most; at = next(text, start)) {
    pieces.push(text.slice(start, at));
    start = at + find.length;
  }
  return [...pieces, text.slice(start)];
}

/**
 * Puts whole lines after those lines that hold a literal text.
 * @param limit longest result, in UTF-16 units
 */
export function insertAfterPattern(
  text: string,
  { pattern, content, which }: { pattern: string; content: string; which: Which },
  limit: number,
): { text: string; lines: number[] } {
  const lines = splitLines(text);
  const find = finder(pattern);
  const all = lines.flatMap((line, index) => (find(line) === -1 ? [] : [index]));
  const chosen = { first: all.slice(0, 1), last: all.slice(-1), all }[which];
  if (chosen.length === 0) {
    throw new FileProblem('No line holds the pattern; nothing was changed');
  }
  checkLength(text.length + chosen.length * content.length, limit);
  const ending = lineEnding(lines);
  const added = asLines(content, ending).join('');
  const after = new Set(chosen);
  const result = lines.flatMap((line, index) =>
    after.has(index) ? [closed(line, ending), added] : [line],
  );
  return { text: result.join(''), lines: chosen.map((index) => index + 1) };
}

export type Which = 'first' | 'last' | 'all';

function splice(lines: string[], index: number, removed: number, content: string): string {
  const ending = lineEnding(lines);
  const added = asLines(content, ending);
  const before = lines.slice(0, index);
  const last = before.pop();
  // What follows the last line must not stick to it.
  if (last !== undefined) before.push(added.length > 0 ? closed(last, ending) : last);
  const after = lines.slice(index + removed);
  const unended = after.length === 0 && removed > 0 && !lines.at(-1)?.endsWith('\n');
  const text = [...before, ...added, ...after].join('');
  return unended && added.length > 0 ? text.slice(0, -ending.length) : text;
}

const closed = (line: string, ending: LineEnding) => (line.endsWith('\n') ? line : line + ending);

function checkRange(count: number, start: number, end: number): void {
  if (end < start)
    throw new FileProblem(`The end, line ${end}, is before the start, line ${start}`);
  if (end > count) throw beyond(count, end);
}

/** Before it is made: a short text at many places makes a very long one. */
function checkLength(length: number, limit: number): void {
  if (length > limit) throw new FileProblem(`The file would be larger than ${limit} bytes`);
}

const beyond = (count: number, line: number) =>
  new FileProblem(
    `There is no line ${line}; the file has ${count} ${count === 1 ? 'line' : 'lines'}`,
  );
