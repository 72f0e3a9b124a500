import type { RequestListener } from 'node:http';
import { httpsServer, throwawayCertificate } from '../http/guarded.testing.ts';
import { createGuardedFetch, type GuardedFetch } from '../http/index.ts';

/** A JSON object. */
type Document = { [member: string]: unknown };

/** An https host of client metadata documents, and a guarded fetch that finds and trusts it. */
export interface DocumentHost {
  fetch: GuardedFetch;
  port: number;
  /** PEM of what a client must trust. */
  ca: string;
  /** Answers a URL, written without the port, with JSON or as told. */
  serve(url: string, answer: Document | RequestListener, headers?: Record<string, string>): void;
  /** How often a URL was asked for; all of them without one. */
  hits(url?: string): number;
  /** Whether connections are cut. */
  down: boolean;
  /** The clock that freshness is counted by. */
  now: () => Date;
  close(): Promise<void>;
}

/** Documents at `https://<name>/…` for each name; over real TLS, on this computer. */
export async function startDocumentHost(
  names = ['client.test'],
  notAfter = new Date(Date.now() + 86_400_000),
): Promise<DocumentHost> {
  const answers = new Map<string, RequestListener>();
  const asked: string[] = [];
  const certificate = await throwawayCertificate({ dns: names, ip: [], notAfter });
  const server = await httpsServer(certificate, (req, res) => {
    const url = `https://${req.headers.host?.replace(/:\d+$/, '')}${req.url}`;
    asked.push(url);
    const answer = answers.get(url);
    if (host.down) req.socket.destroy();
    else if (answer) answer(req, res);
    else res.writeHead(404).end();
  });
  const host: DocumentHost = {
    port: server.port,
    ca: certificate.ca,
    down: false,
    now: () => new Date(),
    fetch: (url, options) => guarded(withPort(url, names, server.port), options),
    serve(url, answer, headers = {}) {
      answers.set(url, typeof answer === 'function' ? answer : json(answer, headers));
    },
    hits: (url) => asked.filter((one) => url === undefined || one === url).length,
    close: () => server.close(),
  };
  const guarded = createGuardedFetch({
    allowPrivateAddresses: true,
    timeoutMs: 3000,
    failureFloorMs: 0,
    ca: certificate.ca,
    resolve: async () => ['127.0.0.1'],
    now: () => host.now(),
    limits: { burstPerHost: 1000, perSecondAndHost: 1000 },
  });
  return host;
}

/** Tests cannot listen on 443: only the connection goes to our port, the client_id has none. */
function withPort(url: string, names: readonly string[], port: number): string {
  const name = names.find((one) => url.startsWith(`https://${one}/`));
  return name ? url.replace(`https://${name}/`, `https://${name}:${port}/`) : url;
}

function json(body: Document, headers: Record<string, string>): RequestListener {
  return (_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json', ...headers });
    res.end(JSON.stringify(body));
  };
}
