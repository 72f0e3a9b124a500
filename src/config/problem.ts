/** What is wrong with one key. */
export interface Problem {
  /** `file:line`, `env:NAME`, or the file alone where no line can be named. */
  where: string;
  /** As in the reference, `clients[0].client_id`; empty for the file as a whole. */
  key: string;
  /** Completes "the key …". Never holds a secret. */
  problem: string;
  /** An instruction. */
  fix: string;
}

/** Exit code of a process that was configured wrongly (EX_CONFIG of sysexits.h). */
export const configProblemsExitCode = 78;

/** The configuration cannot be used. Holds every problem that was found, not just the first. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`the configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
