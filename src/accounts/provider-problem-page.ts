import { foreign, type Html, html, type Page } from '../http/index.ts';
import type { ProviderFailure } from './federation-problems.ts';

/** What the page shows of a sign-in at a provider that failed. */
export interface ProviderProblemView {
  failure: ProviderFailure;
  /** Text of the provider's button, where one was chosen. */
  providerName?: string | undefined;
  traceId: string;
  /** The sign-in page that it began on. */
  backUrl: string;
}

/** Status of the answer. What a person or a provider did is no fault of this server. */
export function providerProblemStatus(failure: ProviderFailure): number {
  if (failure === 'unreachable') return 503;
  return failure === 'gone' ? 404 : 403;
}

/** The page for a sign-in at a provider that failed, with the way back. Nothing of what the provider said is on it. */
export function providerProblemPage(view: ProviderProblemView): Page {
  const name = foreign(view.providerName ?? 'the identity provider', 40);
  const body = html`<section>
<h1>You are not signed in</h1>
<p>${sentence(view.failure, name)}</p>
<p class="sub">If it happens again, give the trace below to whoever runs this server.</p>
<dl class="facts"><dt>Error</dt><dd><code>${view.failure}</code></dd><dt>Trace</dt><dd><code>${view.traceId}</code></dd></dl>
</section>
<div class="actions"><a class="button" href="${view.backUrl}">Back to the sign-in page</a></div>`;
  return { title: 'You are not signed in', body };
}

function sentence(failure: ProviderFailure, name: Html): Html {
  switch (failure) {
    case 'gone':
      return html`Signing in with ${name} is not possible here any more.`;
    case 'state':
      return html`This sign-in was finished already, or was not begun here. Sign in again.`;
    case 'browser':
      return html`This sign-in was begun in another browser, or this browser does not keep cookies for this site. Sign in again here.`;
    case 'expired':
      return html`This sign-in took longer than ten minutes. Sign in again.`;
    case 'swapped':
      return html`The answer did not come from the identity provider that you chose. Sign in again; if you did not choose another one yourself, somebody may be trying to take your sign-in.`;
    case 'cancelled':
      return html`You did not sign in at ${name}, or did not agree there.`;
    case 'refused_there':
      return html`${name} refused this sign-in. Whoever runs this server finds its reason in the log.`;
    case 'unreachable':
      return html`${name} does not answer right now. Try again in a moment.`;
    case 'not_accepted':
      return html`What ${name} answered does not prove who you are. Sign in again.`;
    case 'unknown':
      return html`${name} knows you, but you have no account here. Ask whoever runs this server for one.`;
    case 'disabled':
      return html`Your account here is disabled. Ask whoever runs this server.`;
    case 'no_role':
      return html`Your account has no part in the administration. Ask an owner of this server for a role.`;
  }
}
