import { type Html, html } from './safe-html.ts';
import { assetUrl, type Site } from './site.ts';

/** A page before the layout: what `sendPage` takes. `title` is ours, never a stranger's text. */
export type Page = {
  title: string;
  body: Html;
  width?: 'narrow' | 'wide';
  /** The one script of ours that may run on it; without it nothing runs. */
  script?: 'one-time-link.js';
};

/** The whole document: head, the card with the page's body, the footer that names server and trace. */
export function page(
  layout: { site: Site; traceId: string },
  { title, body, width, script }: Page,
): string {
  const { site, traceId } = layout;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title} · ${site.host}</title>
<link rel="stylesheet" href="${assetUrl(site, 'pages.css')}">
<link rel="icon" href="${assetUrl(site, 'icon.svg')}">${
    script !== undefined && html`\n<script src="${assetUrl(site, script)}" defer></script>`
  }
</head>
<body>
<main class="${width === 'wide' ? 'card wide' : 'card'}">
${body}
<footer><span>${site.host}</span><span>trace <code>${traceId}</code></span></footer>
</main>
</body>
</html>
`;
  return document.toString();
}
