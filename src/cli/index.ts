/** The command line: `authserver …`. Each command is a file; program.ts lists them. */
import { failureOf } from './failure.ts';
import { createProgram } from './program.ts';
import { requireRuntime } from './runtime.ts';
import { endWorker } from './workers.ts';

export { cliReference } from './reference.ts';

/**
 * Runs one command.
 *
 * @param args without node and script
 * @returns the exit code: 0, 1 for a failure, 2 for a wrong call, 78 for a bad configuration
 */
export async function run(args: string[]): Promise<number> {
  const code = await runCommand(args);
  endWorker(code);
  return code;
}

async function runCommand(args: string[]): Promise<number> {
  process.stdout.off('error', endQuietly).on('error', endQuietly);
  try {
    requireRuntime(process.versions.node);
    await createProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return failureOf(error);
  }
}

/** `authserver client list | head` closes the pipe before we are done. */
function endQuietly(error: Error): void {
  if ('code' in error && error.code === 'EPIPE') process.exit(0);
  throw error;
}
