import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

/** One request as a hook received it. */
export interface HookRequest {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

type Answer = (response: ServerResponse, request: HookRequest) => void;

/** A service behind a claims hook that answers as the test says. */
export async function startHookServer() {
  const requests: HookRequest[] = [];
  const usual: Answer = (response) => answerJson(response, { claims: {} });
  let answer = usual;
  const server = createServer((req, response) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      const { method, url, headers } = req;
      const request = { method, url, headers, body: Buffer.concat(parts).toString() };
      requests.push(request);
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no address');
  return {
    url: `http://127.0.0.1:${address.port}/claims?of=rs1`,
    requests,
    /** How requests are answered from now on. */
    answers(next: Answer) {
      answer = next;
    },
    /** Forgets what was received and answers without claims again. */
    reset() {
      requests.length = 0;
      answer = usual;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
