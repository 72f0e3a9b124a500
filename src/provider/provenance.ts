import type { Client } from '../clients/index.ts';
import type { Provenance } from '../http/index.ts';

/** How a client is known, for the pages that name it. */
export function provenanceOf({ kind, clientId, documentHost }: Client): Provenance {
  return kind === 'cimd' ? { kind, host: documentHost ?? new URL(clientId).host } : { kind };
}
