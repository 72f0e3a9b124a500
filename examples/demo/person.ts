import { request } from 'undici';
import { createCookieJar } from './cookie-jar.ts';
import { type Form, readForms, readText } from './html-forms.ts';

export type Choices = {
  decision?: 'approve' | 'deny';
  /** Scopes whose box the person unticks before deciding. */
  untick?: readonly string[];
  /** The workspace to choose, by the value of its radio button; otherwise the one that is chosen already. */
  workspace?: string;
};

/** One thing that happened in the person's browser, for whoever wants to show it. */
export type Visit = {
  kind: 'sign-in' | 'consent';
  page: URL;
  text: string;
  /** What the person sent; the password is left out. */
  sent: Record<string, string[]>;
  status: number;
  location?: string;
};

export type Person = {
  /**
   * Opens an authorization URL, signs in where asked, decides on consent, and answers the redirect
   * that goes back to the client (with `code` or `error`, `state` and `iss`).
   * Throws with the words of the page when the server shows anything else.
   */
  authorize(url: URL | string, choices?: Choices): Promise<URL>;
};

type Dependencies = {
  /** Pages of this server are followed; a redirect to anywhere else ends the visit. */
  issuer: string;
  email: string;
  password: string;
  onVisit?: (visit: Visit) => void;
};

type Answer = { status: number; location?: string; html: string };

const maxHops = 15;

/**
 * Somebody with a browser that only knows pages, forms and cookies: no JavaScript. Keeps the
 * sign-in session from one authorization to the next.
 */
export function createPerson({ issuer, email, password, onVisit }: Dependencies): Person {
  const jar = createCookieJar();
  const home = new URL(issuer).origin;

  async function send(url: URL, form?: URLSearchParams): Promise<Answer> {
    const cookie = jar.header(url);
    const response = await request(url, {
      method: form ? 'POST' : 'GET',
      body: form?.toString() ?? null,
      headers: {
        accept: 'text/html',
        'user-agent': 'demo-person/1.0',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-site': form ? 'same-origin' : 'none',
        ...(cookie && { cookie }),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin }),
      },
    });
    jar.store(url, [response.headers['set-cookie'] ?? []].flat());
    const location = [response.headers.location ?? []].flat()[0];
    return { status: response.statusCode, location, html: await response.body.text() };
  }

  async function authorize(start: URL | string, choices: Choices = {}): Promise<URL> {
    let page = new URL(start);
    let answer = await send(page);
    for (let hop = 0; hop < maxHops; hop += 1) {
      if (answer.location !== undefined) {
        page = new URL(answer.location, page);
        if (page.origin !== home) return page;
        answer = await send(page);
        continue;
      }
      const { form, kind } = findForm(answer, page);
      const sent = kind === 'sign-in' ? signIn(form, email, password) : decide(form, choices);
      const shown = { kind, page, text: readText(answer.html), sent: withoutPassword(sent) };
      answer = await send(form.action, sent);
      page = form.action;
      onVisit?.({ ...shown, status: answer.status, location: answer.location });
      refuseSamePage(kind, shown.text, answer);
    }
    throw new Error(`The sign-in went round in circles; last at ${page.href}`);
  }

  return { authorize };
}

function findForm(answer: Answer, page: URL): { form: Form; kind: Visit['kind'] } {
  const forms = readForms(answer.html, page);
  const signInForm = forms.find((form) => form.controls.some(({ name }) => name === 'username'));
  if (answer.status === 200 && signInForm) return { form: signInForm, kind: 'sign-in' };
  const consentForm = forms.find((form) => form.controls.some(({ name }) => name === 'decision'));
  if (answer.status === 200 && consentForm) return { form: consentForm, kind: 'consent' };
  throw new Error(
    `Expected a sign-in or consent page at ${page.href}, got ${answer.status}: ${readText(answer.html).slice(0, 600)}`,
  );
}

function signIn(form: Form, email: string, password: string): URLSearchParams {
  const sent = hiddenFields(form);
  sent.set('username', email);
  sent.set('password', password);
  return sent;
}

function decide(
  form: Form,
  { decision = 'approve', untick = [], workspace }: Choices,
): URLSearchParams {
  const sent = hiddenFields(form);
  for (const { kind, name, value, checked } of form.controls) {
    const isChoice = name === 'workspace' && workspace !== undefined;
    const wanted = isChoice ? value === workspace : checked;
    const chosen = (kind === 'checkbox' || kind === 'radio') && wanted;
    if (chosen && !(name === 'scope' && untick.includes(value))) sent.append(name, value);
  }
  sent.append('decision', decision);
  return sent;
}

function hiddenFields(form: Form): URLSearchParams {
  const hidden = form.controls.filter(({ kind, name }) => kind === 'hidden' && name !== '');
  return new URLSearchParams(hidden.map(({ name, value }): [string, string] => [name, value]));
}

function withoutPassword(sent: URLSearchParams): Record<string, string[]> {
  const names = [...new Set(sent.keys())].filter((name) => name !== 'password');
  return Object.fromEntries(names.map((name) => [name, sent.getAll(name)]));
}

/** A refused password or an empty consent shows the form again; nobody should try for ever. */
function refuseSamePage(kind: Visit['kind'], before: string, answer: Answer): void {
  if (answer.location !== undefined) return;
  throw new Error(
    `The ${kind} form was not accepted (${answer.status}): ${readText(answer.html).slice(0, 600) || before}`,
  );
}
