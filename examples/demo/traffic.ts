/** One HTTP request of a client and its answer. */
export type Exchange = {
  method: string;
  url: URL;
  requestHeaders: Headers;
  /** Form or JSON text; empty without a body. */
  requestBody: string;
  status: number;
  responseHeaders: Headers;
  /** Only JSON is kept; an event stream is left to its reader. */
  responseBody: string;
};

export type Traffic = {
  fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** What was exchanged since the last call of `take`, oldest first. */
  take(): Exchange[];
};

/** A `fetch` that remembers what went over the wire, so that it can be shown. */
export function recordTraffic(): Traffic {
  let exchanges: Exchange[] = [];

  async function recordingFetch(url: string | URL, init?: RequestInit): Promise<Response> {
    const response = await fetch(url, init);
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    exchanges.push({
      method: (init?.method ?? 'GET').toUpperCase(),
      url: new URL(url),
      requestHeaders: new Headers(init?.headers),
      requestBody: bodyText(init?.body),
      status: response.status,
      responseHeaders: response.headers,
      responseBody: isJson ? await response.clone().text() : '',
    });
    return response;
  }

  function take(): Exchange[] {
    const taken = exchanges;
    exchanges = [];
    return taken;
  }

  return { fetch: recordingFetch, take };
}

function bodyText(body: RequestInit['body']): string {
  if (typeof body === 'string') return body;
  return body instanceof URLSearchParams ? body.toString() : '';
}
