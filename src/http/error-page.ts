import { checkRedirectUri } from '../oauth/index.ts';
import { careIcon } from './icons.ts';
import type { Page } from './page.ts';
import { foreign, type Html, html } from './safe-html.ts';

/** Where a person came from, when the error stopped a client's authorization before sign-in. */
export type ErrorOrigin = {
  /** the redirect URI with `error`, `state` and `iss`, checked against the client's registration */
  url: string;
  /** `redirectHost` of the redirect URI */
  host: string;
  clientName?: string;
};

export type ErrorPageView = {
  status: number;
  error: string;
  description: string;
  traceId: string;
  back?: ErrorOrigin;
};

/**
 * The page for every error. With `back` it names the host and waits for the person to go there:
 * registration is open, so a silent redirect would make this server an open redirector (RFC 9700 §4.11.2).
 */
export function errorPage(view: ErrorPageView): Page {
  const title = titleOf(view);
  const body = html`<section>
<h1>${title}</h1>
<p>${view.description}</p>
${view.back ? whereFrom(view.back) : advice(view.status)}
<dl class="facts">
<dt>Error</dt><dd><code>${view.error}</code></dd>
<dt>Trace</dt><dd><code>${view.traceId}</code></dd>
</dl>
</section>
${view.back && wayBack(view.back)}`;
  return { title, body };
}

const titles = new Map([
  [401, 'You are not signed in'],
  [403, 'This is not allowed'],
  [404, 'Nothing is here'],
  [405, 'This page cannot be opened that way'],
  [408, 'That took too long'],
  [413, 'That is too large'],
  [429, 'Too many requests'],
  [503, 'The server cannot answer right now'],
]);

function titleOf({ status, back }: ErrorPageView): string {
  if (back) return 'The app asked for something that does not work';
  return titles.get(status) ?? (status >= 500 ? 'Something failed here' : 'This cannot go on');
}

function advice(status: number): Html {
  if (status === 404 || status === 405) return html``;
  if (status === 429 || status === 503)
    return html`<p class="sub">Reload this page in a moment.</p>`;
  return html`<p class="sub">Go back to the app and start again. If it happens again, give the trace below to whoever runs this server.</p>`;
}

function whereFrom({ host, clientName }: ErrorOrigin): Html {
  const who = clientName ? foreign(clientName) : 'An app that registered itself';
  return html`<p class="sub">${who} sent you here and wants you back at this address. This server has not checked who is behind it.</p>
<h2 class="label">It leads to</h2>
<div class="return"><p class="host">${foreign(host, 260)}</p>
<p class="note warn" role="note">${careIcon()}<span>Go back only if you know this address and came from there yourself. Otherwise close this window.</span></p></div>`;
}

function wayBack({ url, host }: ErrorOrigin): Html {
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase();
  // The redirect URI was matched before; what the answer adds to it is not its own any more.
  const [redirectUri = ''] = url.split(/[?#]/);
  if (!checkRedirectUri(redirectUri, [scheme]).ok) return html``;
  return html`<div class="actions"><a class="button" href="${url}" rel="noreferrer">Go back to ${foreign(host, 40)}</a></div>`;
}
