import { CommanderError } from 'commander';
import { ConfigError, configProblemsExitCode, renderProblems } from '../config/index.ts';
import { OAuthError } from '../oauth/index.ts';

/** Problems whose message is written for the operator: no stack helps. */
const expected = new Set([
  'CommandFailure',
  'DatabaseStartError',
  'KeysStartError',
  'ResourceConflictError',
]);

const wrong = 'authserver.wrongCall';

/** The command was called rightly and cannot do it; the message is one sentence with what to do. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** A wrong call that only the command itself can tell. */
export function wrongCall(sentence: string): CommanderError {
  return new CommanderError(2, wrong, sentence);
}

/** Prints what went wrong and what to do. @returns the exit code */
export function failureOf(error: unknown): number {
  if (error instanceof CommanderError) {
    // All others have been printed where they were thrown.
    if (error.code === wrong) process.stderr.write(`error: ${error.message}\n`);
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(`${renderProblems(error.problems)}\n`);
    return configProblemsExitCode;
  }
  process.stderr.write(`authserver: ${describe(error)}\n`);
  return 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof OAuthError) return sentence(error.description);
  if ('description' in error && error.name === 'AdminCallError') {
    return sentence(String(error.description));
  }
  if (expected.has(error.name)) return sentence(error.message);
  return describeSystem(error) ?? describeDatabase(error) ?? error.stack ?? error.message;
}

function describeSystem(error: NodeJS.ErrnoException): string | undefined {
  const { code, syscall, path, message } = error;
  if (error instanceof TypeError && message === 'fetch failed') {
    return 'the server ended while it was asked. Look whether it runs, and try again.';
  }
  if (code === 'EADDRINUSE' && 'port' in error) {
    return `port ${error.port} is taken. Stop what listens there, or set server.address or admin.address.`;
  }
  if (syscall === 'listen') {
    return `${message}. Set server.address or admin.address to an address of this computer and a port that this user may open.`;
  }
  if (code === 'ENOSPC') return `the disk is full (${path ?? message}). Make room and start again.`;
  if (path !== undefined && (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')) {
    return `${path} cannot be written by user ${process.getuid?.() ?? ''}. Make it writable, or set storage.pglite.path to a directory that is.`;
  }
  if (path !== undefined && (code === 'ENOTDIR' || code === 'EEXIST')) {
    return `${path} cannot be a directory, since a file is in the way. Set storage.pglite.path to another directory.`;
  }
  return undefined;
}

function describeDatabase(error: Error): string | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '28P01' || code === '28000') {
    return 'the database refused user or password. Check storage.postgres.dsn.';
  }
  if (code === '3D000') {
    return `${error.message}. Create the database first, or check storage.postgres.dsn.`;
  }
  if (code === '42501') {
    return `the database denied it (${error.message}). Give its user the right to create tables in this schema.`;
  }
  if (unreachable(error, code)) {
    const why = error.message || code;
    return `the database cannot be reached (${why}). Start it, or check storage.postgres.dsn.`;
  }
  return undefined;
}

function unreachable(error: Error, code: string): boolean {
  return (
    /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|57P03|53300)/.test(code) ||
    /^(Connection terminated|timeout expired|timeout exceeded when trying)/.test(error.message)
  );
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
