import { request } from 'undici';
import { createCookieJar } from '../../examples/demo/cookie-jar.ts';
import { type Form, readForms, readText } from '../../examples/demo/html-forms.ts';

type Account = { issuer: string; email: string; password: string };

/** Somebody with a browser without JavaScript who opens pages of the server, and signs in where it asks. */
export function createVisitor({ issuer, email, password }: Account) {
  const jar = createCookieJar();
  let page = new URL(issuer);
  let html = '';

  async function send(url: URL, form?: URLSearchParams): Promise<void> {
    let [next, body] = [url, form];
    for (let hop = 0; hop < 15; hop += 1) {
      const cookie = jar.header(next);
      const response = await request(next, {
        method: body ? 'POST' : 'GET',
        body: body?.toString() ?? null,
        headers: {
          accept: 'text/html',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
          'sec-fetch-site': body ? 'same-origin' : 'none',
          ...(cookie && { cookie }),
          ...(body && {
            'content-type': 'application/x-www-form-urlencoded',
            origin: next.origin,
          }),
        },
      });
      jar.store(next, [response.headers['set-cookie'] ?? []].flat());
      html = await response.body.text();
      page = next;
      const [location] = [response.headers.location ?? []].flat();
      if (location === undefined) return;
      [next, body] = [new URL(location, next), undefined];
    }
    throw new Error(`Round in circles at ${page.href}`);
  }

  const formWith = (name: string): Form | undefined =>
    readForms(html, page).find(({ controls }) => controls.some((one) => one.name === name));

  /** Sends the form that has these controls, with its hidden ones. @returns the page that follows */
  async function submit(values: Record<string, string>): Promise<string> {
    const form = formWith(Object.keys(values)[0] ?? '');
    if (!form) throw new Error(`No such form at ${page.href}: ${readText(html).slice(0, 400)}`);
    const hidden = form.controls.filter(({ kind }) => kind === 'hidden');
    const sent = new URLSearchParams(
      hidden.map(({ name, value }): [string, string] => [name, value]),
    );
    for (const [name, value] of Object.entries(values)) sent.set(name, value);
    await send(form.action, sent);
    return html;
  }

  return {
    submit,
    async open(url: string): Promise<void> {
      await send(new URL(url));
      if (formWith('username')) await submit({ username: email, password });
    },
    text: () => readText(html),
  };
}
