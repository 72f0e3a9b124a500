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
