import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type RunningDemo = {
  output(): string;
  /** Waits until it has printed this; fails when it ends before or after `patience` ms. */
  printed(text: string, patience?: number): Promise<void>;
  interrupt(): void;
  /** Exit code; it is killed after `patience` ms. */
  exit(patience?: number): Promise<number | null>;
};

const main = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));

/** `npm run demo -- <args>`, without npm in between. */
export function startDemo(args: readonly string[]): RunningDemo {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const add = (chunk: string) => {
    output += chunk;
  };
  child.stdout.setEncoding('utf8').on('data', add);
  child.stderr.setEncoding('utf8').on('data', add);
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const ended = once(child, 'close').then(() => {
    process.off('exit', killWithUs);
    return child.exitCode;
  });

  async function printed(text: string, patience = 150_000): Promise<void> {
    const deadline = AbortSignal.timeout(patience);
    const isOver = ended.then(() => 'over' as const);
    while (!output.includes(text)) {
      const next = once(child.stdout, 'data', { signal: deadline }).then(() => 'more' as const);
      next.catch(() => undefined);
      if ((await Promise.race([next, isOver])) === 'over' && !output.includes(text)) {
        throw new Error(`The demo ended before it printed “${text}”:\n${output}`);
      }
    }
  }

  async function exit(patience = 150_000): Promise<number | null> {
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  return { output: () => output, printed, interrupt: () => void child.kill('SIGINT'), exit };
}
