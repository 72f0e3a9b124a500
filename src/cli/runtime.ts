const oldestMajor = 24;

/**
 * Refuses to run on an older Node: TypeScript runs by type stripping, which it lacks.
 *
 * @throws Error with what to do
 */
export function requireRuntime(version: string): void {
  if (Number.parseInt(version, 10) >= oldestMajor) return;
  throw new Error(
    `authserver needs Node ${oldestMajor} or newer; this is ${version}. ` +
      'Run it through the npm scripts, which bring their own Node (npm ci, without --ignore-scripts).',
  );
}
