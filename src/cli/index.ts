/** The command line: `authserver …` (contract 1). Each command is a file; this one only lists them. */
import { Command } from 'commander';
import { configCommand } from './config.ts';
import { failureOf } from './failure.ts';
import { migrateCommand } from './migrate.ts';
import { requireRuntime } from './runtime.ts';
import { serveCommand } from './serve.ts';
import { versionCommand } from './version.ts';

/**
 * Runs one command.
 *
 * @param args without node and script
 * @returns the exit code: 0, 1 for a failure, 2 for a wrong call, 78 for a bad configuration
 */
export async function run(args: string[]): Promise<number> {
  const program = new Command('authserver')
    .description('An OAuth 2.1 authorization server for MCP servers')
    .exitOverride()
    .showSuggestionAfterError();
  for (const command of [serveCommand(), migrateCommand(), configCommand(), versionCommand()]) {
    program.addCommand(command.exitOverride());
  }
  try {
    requireRuntime(process.versions.node);
    await program.parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return failureOf(error);
  }
}
