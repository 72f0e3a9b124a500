import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Accounts } from '../accounts/index.ts';
import type { AuditMeta } from '../audit/index.ts';
import type { Clients } from '../clients/index.ts';
import type { Config } from '../config/index.ts';
import type { Tokens } from '../tokens/index.ts';
import { clientProperties } from './client-properties.ts';
import { deviceCodeAdapter } from './device-adapter.ts';
import { endFamily, endPresented } from './end-family.ts';
import { InvalidGrant } from './errors.ts';
import { servedGrants } from './grant-facts.ts';
import { knownClient } from './known-client.ts';
import { pushedRequestAdapter } from './par-adapter.ts';
import { claimReplayInRequest } from './replay.ts';
import { currentContext, currentState } from './request-state.ts';
import { sessionAdapter } from './session-adapter.ts';
import { expiresAt, unsupported, withoutSecrets } from './stored-payload.ts';

export interface AdapterDeps {
  config: Config;
  tokens: Tokens;
  clients: Clients;
  accounts: Accounts;
  now: () => Date;
  auditMeta: () => AuditMeta;
}

type Payload = Record<string, unknown>;

/**
 * The library's storage: model name → a room. Single use is one conditional write. On the token
 * endpoint reads come from what was prefetched and writes are gathered (see token-request.ts).
 */
export function createAdapterFactory(deps: AdapterDeps): (name: string) => Adapter {
  return (name) => {
    switch (name) {
      case 'Client':
        return { ...unsupported(name), find: findClient(deps) };
      case 'Session':
        return sessionAdapter(deps);
      case 'Grant':
        return grantAdapter(deps);
      case 'ReplayDetection':
        return {
          ...unsupported(name),
          find: async () => undefined,
          upsert: claimReplayInRequest(deps),
        };
      case 'RefreshToken':
      case 'AuthorizationCode':
        return exchangeableAdapter(name, deps);
      case 'DeviceCode':
        return deviceCodeAdapter(deps, exchangeableAdapter(name, deps));
      case 'PushedAuthorizationRequest':
        return pushedRequestAdapter(deps);
      case 'AccessToken':
      case 'ClientCredentials':
        return accessTokenAdapter(name, deps);
      default:
        return artifactAdapter(name, deps);
    }
  };
}

function findClient({ clients, config, now }: AdapterDeps) {
  const served = servedGrants(config);
  return async (id: string): Promise<AdapterPayload | undefined> => {
    const client = await knownClient(clients, id);
    if (client?.status !== 'active') return undefined;
    // Nobody authenticates at the authorization endpoint: what is sent there must not make us fetch keys.
    const authorizing = currentContext()?.oidc.route === 'authorization';
    const assertion = authorizing ? undefined : currentState()?.form.client_assertion;
    const signed = typeof assertion === 'string' ? assertion : undefined;
    return clientProperties(client, clients, { served, assertion: signed, now: now() });
  };
}

/** Codes and refresh tokens: prefetched, and used up by the one write at the end of the request. */
function exchangeableAdapter(kind: string, deps: AdapterDeps): Adapter {
  const stored = artifactAdapter(kind, deps);
  return {
    ...stored,
    async find(value) {
      const state = currentState();
      if (state?.presented) return undefined; // an access token was presented
      const token = state?.token;
      if (!token) return stored.find(value);
      const { source, mode } = token;
      if (source?.value !== value || source.kind !== kind) return undefined;
      const used = mode === 'reused' || mode === 'raced';
      return { ...source.payload, jti: value, ...(used ? { consumed: true } : {}) };
    },
    async upsert(value, payload, expiresIn) {
      const token = currentState()?.token;
      if (!token) return stored.upsert(value, payload, expiresIn);
      token.successor = newArtifact(kind, value, payload, expiresIn, deps.now());
    },
    async consume(value) {
      const token = currentState()?.token;
      if (!token) return stored.consume(value);
      token.consume = value;
    },
    async destroy(value) {
      // A reused token stays, so that its family ends in the one write of the refusal or not at all.
      if (!currentState()?.token) await stored.destroy(value);
    },
    async revokeByGrantId(familyId) {
      await endFamily(familyId, deps);
    },
  };
}

/** The library's Grant is one authorization: the token family. */
function grantAdapter(deps: AdapterDeps): Adapter {
  return {
    ...unsupported('Grant'),
    async find(id) {
      const state = currentState();
      const source = state?.token?.source;
      if (source?.familyId === id) {
        const alive = !source.ended && source.familyExpiresAt > deps.now() && source.accountActive;
        return alive ? source.family : undefined;
      }
      return deps.tokens.families.find(id, deps.now());
    },
    async destroy(id) {
      await endFamily(id, deps);
    },
    async revokeByGrantId(id) {
      await endFamily(id, deps);
    },
  };
}

/**
 * Access tokens are known by their issuance records. Introspection and revocation see only the one
 * token of the request, after its signature was verified; a bare `jti` finds nothing.
 */
function accessTokenAdapter(kind: string, deps: AdapterDeps): Adapter {
  return {
    ...unsupported(kind),
    async find(handle) {
      const presented = currentState()?.presented;
      return presented?.handle === handle && presented.payload?.kind === kind
        ? presented.payload
        : undefined;
    },
    async upsert() {}, // an opaque one is known by its issuance record, which the exchange writes
    async destroy() {
      const issued = currentState()?.presented?.issued;
      if (issued) await endPresented(issued, deps);
    },
    async revokeByGrantId() {}, // RefreshToken's adapter ends the family, once
  };
}

function artifactAdapter(kind: string, { tokens, now }: AdapterDeps): Adapter {
  return {
    ...unsupported(kind),
    async find(value) {
      const artifact = await tokens.artifacts.find(kind, value);
      if (!artifact) return undefined;
      const consumed = artifact.consumedAt ? { consumed: seconds(artifact.consumedAt) } : {};
      return { ...artifact.payload, jti: value, ...consumed };
    },
    async upsert(value, payload, expiresIn) {
      await tokens.artifacts.save(newArtifact(kind, value, payload, expiresIn, now()), now());
    },
    async consume(value) {
      const won = await tokens.artifacts.consume(kind, value, now());
      // A plain Error would be a 500: a lost race is an invalid grant.
      if (!won) throw new InvalidGrant(`${kind} already consumed`);
    },
    async destroy(value) {
      await tokens.artifacts.remove(kind, value);
    },
  };
}

function newArtifact(
  kind: string,
  value: string,
  payload: Payload,
  expiresIn: number | undefined,
  now: Date,
) {
  return {
    kind,
    value,
    familyId: text(payload.grantId),
    clientId: text(payload.clientId),
    payload: withoutSecrets(payload),
    expiresAt: expiresAt(now, expiresIn),
  };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
