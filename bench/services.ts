import { Client } from 'undici';
import type { Contender } from './contenders.ts';
import type { Timed } from './driver.ts';
import { benchMachine, benchOpaque, benchResource, connections } from './fixtures.ts';

/** What is measured beside codes and refreshes. */
export const services = [
  'client_credentials',
  'introspection of an opaque token',
  'introspection of a JWT',
  'token exchange',
] as const;
export type Service = (typeof services)[number];

/** A confidential client that is its own resource server, on all connections. */
export interface ServiceDriver {
  run(service: Service, seconds: number): Promise<Timed>;
  /** One request after the other on one connection. */
  times(service: Service, count: number): Promise<void>;
  close(): Promise<void>;
}

const headers = {
  'content-type': 'application/x-www-form-urlencoded',
  authorization: `Basic ${Buffer.from(`${benchMachine.id}:${benchMachine.secret}`).toString('base64')}`,
};
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

/** Opens the connections and gets the tokens that are asked about. */
export async function createServiceDriver(contender: Contender): Promise<ServiceDriver> {
  const clients = Array.from({ length: connections }, () => new Client(contender.url));
  const [first = new Client(contender.url)] = clients;

  async function post(client: Client, path: string, form: Record<string, string>) {
    const body = new URLSearchParams(form).toString();
    const answer = await client.request({ method: 'POST', path, headers, body });
    const text = await answer.body.text();
    const done = answer.statusCode === 200 && /"access_token"|"active":true/.test(text);
    if (!done) throw new Error(`${path}: ${answer.statusCode} ${text}`);
    return text;
  }
  const machine = (client: Client, resource: string) =>
    post(client, contender.tokenPath, { grant_type: 'client_credentials', resource });
  const tokenOf = async (resource: string): Promise<string> => {
    const { access_token }: { access_token: string } = JSON.parse(await machine(first, resource));
    return access_token;
  };
  const opaque = await tokenOf(benchOpaque.uri);
  const jwt = await tokenOf(benchResource.uri);
  const introspect = (client: Client, token: string) =>
    post(client, contender.introspectionPath, { token });
  const requests: Record<Service, (client: Client) => Promise<string>> = {
    client_credentials: (client) => machine(client, benchResource.uri),
    'introspection of an opaque token': (client) => introspect(client, opaque),
    'introspection of a JWT': (client) => introspect(client, jwt),
    'token exchange': (client) =>
      post(client, contender.tokenPath, {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: jwt,
        subject_token_type: accessToken,
        resource: benchResource.uri,
      }),
  };

  return {
    async run(service, seconds) {
      const request = requests[service];
      const started = performance.now();
      const until = started + seconds * 1000;
      let count = 0;
      const lane = async (client: Client) => {
        while (performance.now() < until) {
          await request(client);
          count += 1;
        }
      };
      await Promise.all(clients.map(lane));
      return { count, seconds: (performance.now() - started) / 1000 };
    },
    async times(service, count) {
      for (let done = 0; done < count; done += 1) await requests[service](first);
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
