import { CommandFailure } from './failure.ts';

const oldestMajor = 24;

/**
 * Refuses to run on an older Node: TypeScript runs by type stripping, which it lacks.
 *
 * @throws CommandFailure with what to do
 */
export function requireRuntime(version: string): void {
  if (Number.parseInt(version, 10) >= oldestMajor) return;
  throw new CommandFailure(
    `authserver needs Node ${oldestMajor} or newer; this is ${version}. ` +
      'Install a newer one, or use the npm scripts of a clone, which bring their own.',
  );
}
