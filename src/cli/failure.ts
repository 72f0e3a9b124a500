import { CommanderError } from 'commander';
import { ConfigError, configProblemsExitCode, renderProblems } from '../config/index.ts';

/** Start-up problems whose message is written for the operator: no stack helps. */
const expected = new Set([
  'AccountRefusal',
  'DatabaseStartError',
  'KeysStartError',
  'OAuthError',
  'ResourceConflictError',
]);

/** Prints what went wrong and what to do. @returns the exit code */
export function failureOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has printed itself
  if (error instanceof ConfigError) {
    process.stderr.write(`${renderProblems(error.problems)}\n`);
    return configProblemsExitCode;
  }
  process.stderr.write(`authserver: ${describe(error)}\n`);
  return 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE' && 'port' in error) {
    return `port ${error.port} is taken. Stop what listens there, or set server.address or admin.address.`;
  }
  if (code === 'EACCES')
    return `${error.message}. Check the permissions, or choose another port above 1023.`;
  if (code === '28P01') return 'the database refused the password. Check storage.postgres.dsn.';
  if (code === '3D000')
    return `${error.message}. Create the database first, or check storage.postgres.dsn.`;
  if (typeof code === 'string' && code.startsWith('ECONN'))
    return `the database cannot be reached: ${error.message || code}. Check storage.postgres.dsn.`;
  return expected.has(error.name) ? error.message : (error.stack ?? error.message);
}
