import type { Database } from '../db/index.ts';
import { createArtifacts } from './artifacts.ts';
import { createExchange } from './exchange.ts';
import { createFamilies } from './families.ts';
import { claimReplay } from './replay.ts';
import { createSweep } from './sweep.ts';

/** The room's use cases over one database. */
export function createTokens(db: Database) {
  return {
    artifacts: createArtifacts(db),
    families: createFamilies(db),
    exchange: createExchange(db),
    claimReplay: claimReplay(db),
    sweep: createSweep(db),
  };
}

export type Tokens = ReturnType<typeof createTokens>;
