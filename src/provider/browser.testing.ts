/** A person at a browser: keeps cookies, follows redirects on the issuer, fills in forms. */
export function createBrowser(issuer: string) {
  const origin = new URL(issuer).origin;
  const jar = new Map<string, string>();

  async function send(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (jar.size > 0)
      headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    if (!headers.has('accept')) headers.set('accept', 'text/html');
    const response = await fetch(new URL(url, origin), { ...init, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) keep(cookie);
    return response;
  }

  function keep(cookie: string): void {
    const [pair = ''] = cookie.split(';');
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(cookie)) jar.delete(name);
    else jar.set(name, value);
  }

  /** Follows redirects as long as they stay on the issuer. */
  async function follow(
    response: Response,
  ): Promise<{ response: Response; url: string; html: string }> {
    let current = response;
    let url = current.url;
    for (let hop = 0; hop < 10; hop += 1) {
      const location = current.headers.get('location');
      if (!location) return { response: current, url, html: await current.text() };
      url = new URL(location, url || origin).href;
      if (!url.startsWith(origin)) return { response: current, url, html: '' };
      current = await send(url);
    }
    throw new Error('too many redirects');
  }

  return {
    jar,
    send,
    open: async (url: string, init?: RequestInit) => follow(await send(url, init)),
    submit: async (
      action: string,
      fields: [string, string][],
      headers: Record<string, string> = {},
    ) =>
      follow(
        await send(action, {
          method: 'POST',
          body: new URLSearchParams(fields),
          headers: { origin, 'sec-fetch-site': 'same-origin', ...headers },
        }),
      ),
  };
}

export type Browser = ReturnType<typeof createBrowser>;

/** The inputs of the page's first form: action, hidden fields, ticked boxes. */
export function readForm(html: string): { action: string; fields: [string, string][] } {
  const form = /<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(
    html.slice(html.lastIndexOf('<form')),
  );
  const inputs = [...(form?.[2] ?? '').matchAll(/<input([^>]*)>/g)].map(([, attributes = '']) => ({
    name: attribute(attributes, 'name'),
    value: attribute(attributes, 'value'),
    sends: /type="hidden"/.test(attributes) || /\schecked/.test(attributes),
  }));
  const fields = inputs
    .filter(({ sends }) => sends)
    .map(({ name, value }): [string, string] => [name, value]);
  return { action: form?.[1] ?? '', fields };
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
  return value.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&#39;', "'");
}
