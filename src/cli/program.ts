import { Command, Help, type Option } from 'commander';
import { auditCommand } from './audit.ts';
import { backupCommand } from './backup.ts';
import { clientCommand } from './client.ts';
import { configCommand } from './config.ts';
import { doctorCommand } from './doctor.ts';
import { identityProviderCommand } from './identity-provider.ts';
import { keyCommand } from './key.ts';
import { migrateCommand } from './migrate.ts';
import { purgeCommand } from './purge.ts';
import { resourceCommand } from './resource.ts';
import { restoreCommand } from './restore.ts';
import { serveCommand } from './serve.ts';
import { setupLinkCommand } from './setup-link.ts';
import { tokenCommand } from './token.ts';
import { trustedIssuerCommand } from './trusted-issuer.ts';
import { userCommand } from './user.ts';
import { versionCommand } from './version.ts';
import { workspaceCommand } from './workspace.ts';

/** Every command. None of them ends the process: a wrong call is thrown as a CommanderError. */
export function createProgram(): Command {
  const program = new Command('authserver')
    .description('An OAuth 2.1 authorization server for MCP servers')
    .configureHelp({ optionDescription: describeOption })
    .showSuggestionAfterError()
    .showHelpAfterError('(--help shows how it is called)');
  for (const command of [
    serveCommand(),
    migrateCommand(),
    setupLinkCommand(),
    configCommand(),
    doctorCommand(),
    userCommand(),
    clientCommand(),
    resourceCommand(),
    workspaceCommand(),
    tokenCommand(),
    identityProviderCommand(),
    trustedIssuerCommand(),
    keyCommand(),
    auditCommand(),
    purgeCommand(),
    backupCommand(),
    restoreCommand(),
    versionCommand(),
  ]) {
    program.addCommand(command);
  }
  prepare(program);
  return program;
}

/** As commander has it, and whether the option may be left out, which commander does not say. */
function describeOption(option: Option): string {
  const description = new Help().optionDescription(option);
  return option.mandatory ? `${description} (required)` : description;
}

/** Commander copies settings only to commands that are made after them. */
function prepare(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) prepare(child.copyInheritedSettings(command));
}
