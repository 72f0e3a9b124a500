import { FileProblem } from './problem.ts';

/** What every entry takes besides its content: even empty files and directories fill a disk. */
export const entryBytes = 4096;

/** Keeps each workspace within its share of the disk. */
export type Quota = {
  /**
   * Counts what is about to be written. Call it while nobody else changes the workspace.
   * @param measure tells how much there is; asked at first, and when it looks full
   * @throws FileProblem when it does not fit
   */
  take(workspaceId: string, bytes: number, measure: () => Promise<number>): Promise<void>;
};

/** @param most bytes that one workspace may hold */
export function createQuota(most: number): Quota {
  const used = new Map<string, number>();
  return {
    async take(workspaceId, bytes, measure) {
      let now = used.get(workspaceId) ?? (await measure());
      // What was deleted or replaced since then comes to light by measuring only.
      if (now + bytes > most) now = await measure();
      const fits = now + bytes <= most;
      used.set(workspaceId, fits ? now + bytes : now);
      if (fits) return;
      throw new FileProblem(
        `The workspace is full: it holds ${now} of ${most} bytes; delete something first`,
      );
    },
  };
}
