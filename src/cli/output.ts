/** What a command shows: text for people or, with `--json`, one JSON value for programs. */

export interface JsonOption {
  json?: boolean;
}

export const jsonFlag = ['--json', 'print JSON'] as const;

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Something to know beside the result; never in the way of a program that reads the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export interface Column<Row> {
  title: string;
  value: (row: Row) => Cell;
}

type Cell = string | number | Date | readonly string[] | undefined;

/** Rows under aligned titles, or `empty`: how the first row comes to be. */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  empty: string,
): string {
  if (rows.length === 0) return empty;
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => cell(value(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What a program reads: a member that is null is left out, as one that is not known. */
export function withoutNulls<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_name, member) => member ?? undefined));
}

/** A time of an answer as a column shows it. */
export function when(time: string | null | undefined): Date | undefined {
  return time == null ? undefined : new Date(time);
}

/** An answer as {@link fields} shows it; of members that are objects, JSON. */
export function answerFields(members: object): string {
  const shown = Object.entries(members).map(([name, value]) => [name, cellOf(value)] as const);
  return fields(Object.fromEntries(shown));
}

function cellOf(value: unknown): Cell {
  if (value == null) return undefined;
  if (typeof value === 'string') return isTime.test(value) ? new Date(value) : value;
  if (typeof value === 'number' || value instanceof Date) return value;
  if (isTexts(value)) return value;
  return JSON.stringify(value);
}

const isTime = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** One thing, a member a line; what it does not have is left out. */
export function fields(members: Readonly<Record<string, Cell>>): string {
  const known = Object.entries(members).filter(
    ([, value]) => value !== undefined && !isEmpty(value),
  );
  const width = Math.max(...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}`).join('\n');
}

function isEmpty(value: Cell): boolean {
  return typeof value === 'object' && 'length' in value && value.length === 0;
}

/** Attack: a name that a stranger registered moves the cursor of the operator's terminal. */
function cell(value: Cell): string {
  if (value === undefined) return '-';
  if (value instanceof Date) return `${value.toISOString().slice(0, 16)}Z`;
  const text = typeof value === 'object' ? value.join(' ') : String(value);
  return text.replaceAll(/\p{Cc}/gu, ' ') || '-';
}
