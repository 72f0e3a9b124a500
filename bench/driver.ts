import { Client } from 'undici';
import type { Contender } from './contenders.ts';
import { benchClient, connections } from './fixtures.ts';
import { authorizeRequest, signIn, verifier } from './sign-in.ts';

/** Somebody who uses one server: signed in, with a refresh token for each connection. */
export interface Driver {
  /** Tokens that the server has handed out to this driver. */
  issued(): number;
  /** Refreshes for some seconds, each connection its own chain. @returns refreshes done */
  refresh(seconds: number): Promise<Timed>;
  /** Refreshes one after the other on one connection. */
  refreshTimes(count: number): Promise<void>;
  /** Gets codes for at most some seconds. */
  prepareCodes(most: number, seconds: number): Promise<string[]>;
  /** Exchanges all codes on all connections. */
  exchange(codes: string[]): Promise<Timed>;
  close(): Promise<void>;
}

export interface Timed {
  count: number;
  seconds: number;
}

interface TokenResponse {
  refresh_token: string;
}

const formHeaders = { 'content-type': 'application/x-www-form-urlencoded' };

/** Signs in, opens the connections, and gets the first refresh token of every chain. */
export async function createDriver(contender: Contender): Promise<Driver> {
  const cookie = await signIn(contender);
  const clients = Array.from({ length: connections }, () => new Client(contender.url));
  const authorizePath = authorizeRequest(contender);
  let issued = 0;

  async function post(client: Client, form: Record<string, string>): Promise<string> {
    const { statusCode, body } = await client.request({
      method: 'POST',
      path: contender.tokenPath,
      headers: formHeaders,
      body: new URLSearchParams({ ...form, client_id: benchClient.id }).toString(),
    });
    const answer: unknown = await body.json();
    if (statusCode !== 200 || !isTokenResponse(answer)) {
      throw new Error(`${form.grant_type}: ${statusCode} ${JSON.stringify(answer)}`);
    }
    issued += 1;
    return answer.refresh_token;
  }
  const redeem = (client: Client, code: string) =>
    post(client, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: benchClient.redirectUri,
      code_verifier: verifier,
    });
  const rotate = (client: Client, token: string) =>
    post(client, { grant_type: 'refresh_token', refresh_token: token });

  async function newCode(client: Client): Promise<string> {
    const { headers, body } = await client.request({
      method: 'GET',
      path: authorizePath,
      headers: { cookie, accept: 'text/html' },
    });
    await body.dump();
    const code = new URL(String(headers.location), contender.url).searchParams.get('code');
    if (!code) throw new Error(`no code: ${headers.location}`);
    return code;
  }

  const lanes = await Promise.all(
    clients.map(async (client) => ({ client, token: await redeem(client, await newCode(client)) })),
  );
  /** Runs `step` again and again on every connection until it returns false. */
  async function everyLane(step: (lane: (typeof lanes)[number]) => Promise<boolean>) {
    const started = performance.now();
    const run = async (lane: (typeof lanes)[number]) => {
      while (await step(lane));
    };
    await Promise.all(lanes.map(run));
    return (performance.now() - started) / 1000;
  }

  return {
    issued: () => issued,
    async refresh(seconds) {
      const until = performance.now() + seconds * 1000;
      let count = 0;
      const took = await everyLane(async (lane) => {
        lane.token = await rotate(lane.client, lane.token);
        count += 1;
        return performance.now() < until;
      });
      return { count, seconds: took };
    },
    async refreshTimes(count) {
      const [lane] = lanes;
      for (let done = 0; lane && done < count; done += 1) {
        lane.token = await rotate(lane.client, lane.token);
      }
    },
    async prepareCodes(most, seconds) {
      const until = performance.now() + seconds * 1000;
      const codes: string[] = [];
      await everyLane(async ({ client }) => {
        codes.push(await newCode(client));
        return codes.length < most && performance.now() < until;
      });
      return codes;
    },
    async exchange(codes) {
      const waiting = [...codes];
      const took = await everyLane(async ({ client }) => {
        const code = waiting.pop();
        if (code !== undefined) await redeem(client, code);
        return waiting.length > 0;
      });
      return { count: codes.length, seconds: took };
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

function isTokenResponse(answer: unknown): answer is TokenResponse {
  return typeof answer === 'object' && answer !== null && 'refresh_token' in answer;
}
