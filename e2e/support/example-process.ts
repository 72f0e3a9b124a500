import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export type ExampleProcess = {
  /** What it printed so far, standard output and standard error together. */
  output(): string;
  /** SIGTERM, then waits; answers the exit code. */
  stop(): Promise<number | null>;
};

/**
 * Starts an example server of `examples/` as its README says, and waits until its `/health` answers.
 * @param origin where it will listen
 */
export async function startExample(
  file: string,
  { args, env, origin }: { args: readonly string[]; env: Record<string, string>; origin: string },
): Promise<ExampleProcess> {
  const main = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
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

  async function stop(): Promise<number | null> {
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    child.kill('SIGTERM');
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const healthy = await fetch(`${origin}/health`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (healthy) return { output: () => output, stop };
    await wait(50);
  }
  await stop();
  throw new Error(`${file} did not start:\n${output}`);
}
