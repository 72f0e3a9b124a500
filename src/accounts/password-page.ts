import { html, type Page, problemNote } from '../http/index.ts';
import { field } from './page.ts';

/** What the page behind an invitation or reset link shows. */
export type PasswordView = {
  action: string;
  csrf: string;
  /** the one-time token; without it the page asks for it, for browsers that cannot read a fragment */
  token?: string | undefined;
  /** a sentence: what was wrong with the form just sent */
  problem?: string;
  /** characters a password must have */
  minPasswordLength: number;
};

/** Sets a password: one form with `password`, `token` and `csrf`. Does NOT say whose it is. */
export function passwordPage(view: PasswordView): Page {
  const { token, minPasswordLength: least } = view;
  const body = html`<form method="post" action="${view.action}">
<input type="hidden" name="csrf" value="${view.csrf}">
${token !== undefined && html`<input type="hidden" name="token" value="${token}">`}
<section>
<h1>Choose a password</h1>
<p class="sub">You sign in with it from now on. Whoever is signed in to your account elsewhere is signed out.</p>
${view.problem && problemNote('problem', view.problem)}
${token === undefined && field({ name: 'token', label: 'Link', autocomplete: 'off', hint: 'Paste the whole link that you were given.' })}
${field({
  name: 'password',
  label: 'New password',
  type: 'password',
  autocomplete: 'new-password',
  hint: `${least} characters or more; a sentence is easiest to remember.`,
})}
</section>
<div class="actions"><button class="primary">Set password</button></div>
</form>`;
  return { title: 'Choose a password', body, script: 'one-time-link.js' };
}

/** After the password was set. */
export function passwordSetPage({ signInUrl }: { signInUrl: string }): Page {
  const body = html`<section>
<h1>Your password is set</h1>
<p>The link that set it does not work any more.</p>
</section>
<div class="actions"><a class="button primary" href="${signInUrl}">Sign in</a></div>`;
  return { title: 'Password set', body };
}
