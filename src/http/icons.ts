import { type Html, html } from './safe-html.ts';

/** A tick: something is known to be so. Decoration: the words beside it say the same. */
export function tickIcon(): Html {
  return html`<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true"><path d="M3 8.5l3.2 3L13 4.5"/></svg>`;
}

/** A triangle: be careful. Decoration: the words beside it say the same. */
export function careIcon(): Html {
  return html`<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" aria-hidden="true"><path d="M10 3l8 14H2z"/><path d="M10 8v4M10 14.6v.1"/></svg>`;
}

/** What went wrong with the form just sent; read out at once by screen readers. */
export function problemNote(id: string, text: string): Html {
  return html`<p class="note bad" role="alert" id="${id}">${careIcon()}<span>${text}</span></p>`;
}
