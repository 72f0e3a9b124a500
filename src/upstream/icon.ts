import { createHmac, timingSafeEqual } from 'node:crypto';
import { GuardedFetchError, type GuardedRequest, type Reach } from '../http/index.ts';
import { toIcon } from './icon-image.ts';
import { iconInPage, iconPlaces, isIconDue } from './icon-policy.ts';
import type { McpServer } from './server.ts';
import type { Servers } from './servers.ts';

export interface IconDeps {
  servers: Pick<Servers, 'setIcon' | 'icon'>;
  request: GuardedRequest;
  reachOf: (url: string) => Reach;
  now: () => Date;
  /** 32 bytes, the same on every replica. */
  tokenKey: Buffer;
}

/** The pictures of other MCP servers: fetched, made anew, kept here. */
export type Icons = ReturnType<typeof createIcons>;

/**
 * A favicon comes from whoever the address belongs to. So it is fetched as everything from strangers,
 * decoded and encoded anew, and browsers get it from us: they tell the other server nothing.
 */
export function createIcons({ servers, request, reachOf, now, tokenKey }: IconDeps) {
  async function ask(address: string): Promise<Response | undefined> {
    try {
      const headers = { accept: 'image/*, text/html' };
      const answer = await request(address, { method: 'GET', headers, reach: reachOf(address) });
      return answer.status === 200 ? answer : undefined;
    } catch (error) {
      if (error instanceof GuardedFetchError) return undefined;
      throw error;
    }
  }

  async function picture(address: string): Promise<Buffer | undefined> {
    const answer = await ask(address);
    return answer && toIcon(Buffer.from(await answer.arrayBuffer()));
  }

  async function find(server: McpServer): Promise<Buffer | undefined> {
    const { favicon, page } = iconPlaces(server.url);
    const own = await picture(favicon);
    if (own) return own;
    const answer = await ask(page);
    const linked = answer && iconInPage(await answer.text(), page);
    return linked ? picture(linked) : undefined;
  }

  const tokenOf = ({ uuid, iconVersion = '' }: Pick<McpServer, 'uuid' | 'iconVersion'>) =>
    createHmac('sha256', tokenKey).update(`icon ${uuid} ${iconVersion}`).digest('base64url');

  return {
    /** Looks for it again where that is due; that there is none is no failure. */
    async renew(server: McpServer): Promise<void> {
      if (!isIconDue(server, now())) return;
      await servers.setIcon(server, await find(server));
    },

    /** What opens the picture, as it is now, to whoever has it. @returns undefined without a picture */
    tokenOf: (server: McpServer): string | undefined =>
      server.iconVersion === undefined ? undefined : tokenOf(server),

    /** @returns undefined for another token than {@link tokenOf} gives, in constant time */
    async open(server: McpServer | undefined, token: string): Promise<Buffer | undefined> {
      const expected = Buffer.from(tokenOf(server ?? { uuid: '' }));
      const given = Buffer.from(token);
      const fits = given.length === expected.length && timingSafeEqual(given, expected);
      if (!fits || server?.iconVersion === undefined) return undefined;
      const png = await servers.icon({ id: server.id, version: server.iconVersion });
      return png === undefined ? undefined : Buffer.from(png, 'base64');
    },
  };
}
