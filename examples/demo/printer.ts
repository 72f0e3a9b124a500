import { styleText } from 'node:util';

/** What a step prints while it runs. */
export type StepOutput = {
  /** `→ …` with indented details below it. */
  sent(line: string, details?: readonly string[]): void;
  /** `← …` with indented details below it. */
  received(line: string, details?: readonly string[]): void;
  /** A line without an arrow. */
  note(text: string): void;
};

export type Printer = {
  heading(text: string, below?: string): void;
  /** One thing that must work. `body` answers what was learnt, or throws what went wrong. */
  step<Learnt extends string | undefined>(
    title: string,
    body: (out: StepOutput) => Learnt | Promise<Learnt>,
  ): Promise<void>;
  /** A short line that something is ready, with where it is. */
  ready(what: string, where: string): void;
  line(text?: string): void;
  /** Prints nothing from now on: what fails while everything is being stopped is no news. */
  silence(): void;
  /** How many steps passed and how many there were. */
  counts(): { passed: number; total: number };
};

/** Thrown by `step` after the failure was printed, so that the rest of a run is not tried. */
export class StepFailed extends Error {}

type Style = Parameters<typeof styleText>[0];

/** Writes to standard output; in colour on a terminal only (and never with NO_COLOR). */
export function createPrinter(stream: NodeJS.WriteStream): Printer {
  let passed = 0;
  let total = 0;
  let numberInRun = 0;
  let silent = false;
  const paint = (style: Style, text: string) => styleText(style, text, { stream });
  const line = (text = '') => {
    if (!silent) stream.write(`${text}\n`);
  };
  const details = (lines: readonly string[]) => {
    for (const text of lines) line(paint('dim', `         ${text}`));
  };

  const out: StepOutput = {
    sent: (text, below = []) => {
      line(`     ${paint('cyan', '→')} ${text}`);
      details(below);
    },
    received: (text, below = []) => {
      line(`     ${paint('magenta', '←')} ${text}`);
      details(below);
    },
    note: (text) => line(paint('dim', `       ${text}`)),
  };

  async function step<Learnt extends string | undefined>(
    title: string,
    body: (out: StepOutput) => Learnt | Promise<Learnt>,
  ): Promise<void> {
    total += 1;
    numberInRun += 1;
    line(`${paint('dim', `  ${String(numberInRun).padStart(2)} `)}${paint('bold', title)}`);
    try {
      const learnt = await body(out);
      passed += 1;
      line(`     ${paint('green', '✓')} ${learnt ?? 'done'}`);
      line();
    } catch (error) {
      line(`     ${paint('red', '✗')} ${error instanceof Error ? error.message : String(error)}`);
      line();
      throw new StepFailed(title, { cause: error });
    }
  }

  function heading(text: string, below?: string): void {
    numberInRun = 0;
    line();
    line(`  ${paint(['bold', 'underline'], text)}`);
    if (below !== undefined) line(`  ${paint('dim', below)}`);
    line();
  }

  return {
    heading,
    step,
    ready: (what, where) => line(`     ${paint('green', '✓')} ${what.padEnd(42)} ${where}`),
    line,
    silence: () => {
      silent = true;
    },
    counts: () => ({ passed, total }),
  };
}
