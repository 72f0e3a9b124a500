import type { Answer, Sent } from './admin.testing.ts';
import { signInPath } from './sign-in.ts';

type Send = (path: string, sent?: Sent) => Promise<Answer>;

export interface Credentials {
  email: string;
  password: string;
}

/** What a browser has after signing in to the administration. */
export interface SignedInBrowser {
  /** `name=value` */
  cookie: string;
  /** What goes with every call that is not a GET. */
  csrf: string;
}

/** Every cookie that an answer sets, as a browser would send it back. */
export function cookiesOf({ headers }: Pick<Answer, 'headers'>): string {
  return [headers['set-cookie'] ?? []]
    .flat()
    .map((line) => line.split(';')[0] ?? '')
    .join('; ');
}

/** Shows the sign-in page. @returns the cookie of the browser and the hidden value of the form */
export async function openSignIn(send: Send, cookie = '', query = '') {
  const page = await send(signInPath + query, { headers: { cookie } });
  const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
  const action = /<form method="post" action="([^"]*)"/.exec(page.body)?.[1] ?? '';
  return { page, csrf, action: action.replaceAll('&amp;', '&'), cookie: cookiesOf(page) || cookie };
}

/** Fills the form in and sends it. */
export async function submitSignIn(
  send: Send,
  { email, password }: Credentials,
  { cookie = '', query = '' } = {},
): Promise<Answer> {
  const form = await openSignIn(send, cookie, query);
  return send(form.action, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      cookie: [cookie, form.cookie].filter(Boolean).join('; '),
    },
    body: new URLSearchParams({ csrf: form.csrf, username: email, password }).toString(),
  });
}

/** Signs somebody in. @throws Error when they do not get in */
export async function signInAs(send: Send, person: Credentials): Promise<SignedInBrowser> {
  const answer = await submitSignIn(send, person);
  const cookie = cookiesOf(answer);
  if (answer.status !== 303) throw new Error(`sign-in answered ${answer.status}`);
  const session = await send('/admin/api/session', { headers: { cookie } });
  return { cookie, csrf: JSON.parse(session.body).csrf };
}
