import { randomBytes } from 'node:crypto';
import { findMembership } from '../accounts/index.ts';
import { type Database, hashId } from '../db/index.ts';
import { ConnectError } from './authorization-problem.ts';
import { findLink, insertLink, takeLink } from './connections-queries.ts';
import type { McpServer } from './server.ts';
import type { Servers } from './servers.ts';

/** Milliseconds that a person has to open a link. */
const validFor = 10 * 60_000;

export interface ConnectLinksDeps {
  db: Database;
  now: () => Date;
  /** Our own issuer. */
  issuer: string;
  servers: Pick<Servers, 'find'>;
}

/** Links that lead one member to connect: a program got them for a person who is at a browser. */
export function createConnectLinks({ db, now, issuer, servers }: ConnectLinksDeps) {
  return {
    /** `<issuer>/connect/{…}`: once, for ten minutes, for that member only (T21). */
    async link({ id: serverId }: Pick<McpServer, 'id'>, userId: string): Promise<string> {
      const token = randomBytes(32).toString('base64url');
      const at = now();
      const expiresAt = new Date(at.getTime() + validFor);
      await insertLink(db.kysely, {
        tokenHash: hashId(token),
        serverId,
        userId,
        now: at,
        expiresAt,
      });
      return `${issuer.replace(/\/$/, '')}/connect/${token}`;
    },

    /** What a link leads to, for who it was made for. @throws ConnectError, the same whatever is wrong */
    async open(token: string, userId: string) {
      const found = await findLink(db.kysely, { tokenHash: hashId(token), now: now() });
      const server =
        found?.user_id === userId ? await servers.find({ id: found.server_id }) : undefined;
      if (!server) throw new ConnectError('link', { userId });
      const { workspaceId } = server;
      const workspace = await findMembership(db.kysely, { workspaceId, userId });
      if (!workspace) throw new ConnectError('link', { userId });
      return { server, workspace };
    },

    /** Uses a link up. @throws ConnectError */
    async follow(token: string, userId: string): Promise<McpServer> {
      const taken = await takeLink(db.kysely, { tokenHash: hashId(token), userId, now: now() });
      const server = taken && (await servers.find({ id: taken.server_id }));
      if (!server) throw new ConnectError('link', { userId });
      return server;
    },
  };
}
