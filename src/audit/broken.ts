import type { StoredCheckpoint } from './checkpoint-queries.ts';

/** The first thing that is not as it was sealed. */
export interface Broken {
  kind: 'changed' | 'missing' | 'inserted' | 'reordered' | 'block' | 'checkpoint';
  seq?: number;
  eventId?: string;
  block?: number;
  message: string;
}

/** Ends a look through the chain. */
export class Found extends Error {
  readonly broken: Broken;
  constructor(broken: Broken) {
    super(broken.message);
    this.broken = broken;
  }
}

/** A checkpoint that proves nothing. */
export function badCheckpoint({ number, block }: StoredCheckpoint, why: string): Broken {
  return {
    kind: 'checkpoint',
    block: Number(block),
    message: `checkpoint ${number} cannot be believed: ${why}`,
  };
}

/** The end of the chain is gone. */
export function cut({ seq, block }: { seq: number | undefined; block: number }): Broken {
  const message = `a checkpoint was signed over block ${block}, which is gone: the end of the log was cut off`;
  return { kind: 'checkpoint', block, ...(seq !== undefined && { seq }), message };
}
