import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A web `Request` without body; the kit has read the body already. Its signal ends when the answer is over. */
export function webRequest(req: IncomingMessage, res: ServerResponse, url: string): Request {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const headers = new Headers();
  for (const [name, values] of Object.entries(req.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return new Request(url, { method: req.method, headers, signal: gone.signal });
}

/** Sends a web `Response`, streaming. */
export async function sendWebResponse(response: Response, res: ServerResponse): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.setHeader(name, value);
  if (!response.body) {
    res.end();
    return;
  }
  // So that a stream without events yet is seen to be open.
  res.flushHeaders();
  // A client that goes away in the middle is no error of ours.
  await pipeline(Readable.fromWeb(response.body), res).catch(() => res.destroy());
}
