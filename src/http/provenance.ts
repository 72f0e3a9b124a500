import { careIcon, tickIcon } from './icons.ts';
import { foreign, type Html, html } from './safe-html.ts';

/** How this server knows a client; shown wherever one is named. */
export type Provenance =
  | { kind: 'preregistered' }
  | { kind: 'cimd'; host: string }
  | { kind: 'dcr' };

/** The chip that says how a client is known. Its name proves nothing: anyone may take any name. */
export function provenanceChip(known: Provenance): Html {
  switch (known.kind) {
    case 'preregistered':
      return html`<span class="chip good">${tickIcon()}<span>Registered by an operator</span></span>`;
    case 'cimd':
      return html`<span class="chip good">${tickIcon()}<span>Verified host: ${foreign(known.host, 260)}</span></span>`;
    case 'dcr':
      return html`<span class="chip warn">${careIcon()}<span>Self-registered, unverified</span></span>`;
  }
}
