import type { OAuthClientMetadata } from '@modelcontextprotocol/client';
import type { Introspect } from './introspection.ts';
import type { Person, Visit } from './person.ts';
import type { Printer } from './printer.ts';

/** Who and what takes part in a tour. */
export type Stage = {
  printer: Printer;
  issuer: string;
  mcpUrl: string;
  metadata: OAuthClientMetadata;
  person: Person;
  /** What the MCP server learns about a token. */
  introspect: Introspect;
  /** The pages that the person met since the last call. */
  takeVisits(): Visit[];
};

/** How the client makes itself known: by a document at a URL, or by registering itself. */
export type Identity =
  | { kind: 'CIMD'; clientMetadataUrl: string; documentHits(): number }
  | { kind: 'DCR' };
