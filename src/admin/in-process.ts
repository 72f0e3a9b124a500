import type { Actor } from '../audit/index.ts';
import { type Admission, type ApiDeps, servedRoutes } from './api.ts';
import type { By } from './caller.ts';
import { type AdminClient, type Call, eachBy } from './client.ts';
import type { Route } from './contract/index.ts';

/**
 * The admin API without HTTP, for the command line while no server runs: the same checks, handlers, answers
 * and audit events, as an owner at this computer.
 *
 * @throws OAuthError what a server would refuse
 */
export function createInProcessClient(
  deps: ApiDeps,
  admission: Admission,
  actor: Actor,
): AdminClient {
  const served = servedRoutes(deps, admission);
  const by = (): By => ({
    ...{ kind: 'local_key', actor, role: 'owner' },
    meta: deps.auditMeta(),
  });
  const handlerOf = (route: Route) => {
    const found = served.find((one) => one.route === route);
    if (!found) throw new TypeError(`${route.name} is not served`);
    return found;
  };

  const call: Call = async (route, sent = {}) => {
    const { perform } = handlerOf(route);
    if (!perform) throw new TypeError(`${route.name} is a stream`);
    const { params = {}, query = {}, body = {} } = sent;
    return route.answer.parse(await perform(asSent({ params, query, body }), by()));
  };
  return {
    call,
    each: eachBy(call),
    async download(route, query) {
      const { download } = handlerOf(route);
      if (!download) throw new TypeError(`${route.name} is no download`);
      const { body } = await download(query, by());
      return piecesOf(body);
    },
  };
}

/** What is undefined is not sent. */
function asSent<T>(sent: T): T {
  return JSON.parse(JSON.stringify(sent));
}

async function* piecesOf(body: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    yield piece instanceof Uint8Array ? piece : Buffer.from(String(piece));
  }
}
