import type { AuthType } from './server.ts';

/** What a person says of a server; null takes away, absent leaves as it is. */
export interface ServerInput {
  name?: string | undefined;
  url?: string | undefined;
  authType?: AuthType | undefined;
  apiKey?: string | null | undefined;
  oauthClientId?: string | null | undefined;
  oauthClientSecret?: string | null | undefined;
  oauthTokenEndpoint?: string | null | undefined;
  oauthAuthorizationEndpoint?: string | null | undefined;
  oauthScopes?: string | null | undefined;
  /** A value of null keeps the one that is stored. */
  headers?: Readonly<Record<string, string | null>> | null | undefined;
  connectorId?: string | null | undefined;
  connectorConfig?: Readonly<Record<string, unknown>> | null | undefined;
}
