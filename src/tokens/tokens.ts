import type { Database } from '../db/index.ts';
import { createArtifacts } from './artifacts.ts';
import { createDevices } from './devices.ts';
import { createExchange } from './exchange.ts';
import { createFamilies } from './families.ts';
import { createIssuances } from './issuance-listing.ts';
import { createPersonalTokens, type PersonalTokensConfig } from './personal-access-tokens.ts';
import { claimReplay } from './replay.ts';
import { createSweep } from './sweep.ts';
import { createWorkspaceCredentials } from './workspace-credentials.ts';

/** The room's use cases over one database. */
export function createTokens(db: Database, config: PersonalTokensConfig) {
  const exchange = createExchange(db);
  return {
    artifacts: createArtifacts(db),
    devices: createDevices(db),
    families: createFamilies(db),
    exchange,
    issuances: createIssuances(db),
    personal: createPersonalTokens({ db, exchange }, config),
    /** Workspace credentials. */
    credentials: createWorkspaceCredentials({ db }),
    claimReplay: claimReplay(db),
    sweep: createSweep(db),
  };
}

export type Tokens = ReturnType<typeof createTokens>;
