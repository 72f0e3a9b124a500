import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const name = 'virtual:design-tokens.css';
const file = fileURLToPath(new URL('../../src/http/assets/tokens.css', import.meta.url));
const darkBlock = /@media \(prefers-color-scheme: dark\) \{\s*:root \{([^}]*)\}\s*\}/;

/**
 * The design tokens of the server's own pages, for the console too. There people may choose the colour
 * scheme: until the choice is known the system's counts, then the attribute that Mantine sets.
 *
 * @throws Error when tokens.css no longer has one dark block
 */
export function designTokens(): Plugin {
  return {
    name: 'design-tokens',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return;
      this.addWatchFile(file);
      return withChoice(readFileSync(file, 'utf8'));
    },
  };
}

function withChoice(css: string): string {
  const [whole, dark] = darkBlock.exec(css) ?? [];
  if (whole === undefined || dark === undefined) throw new Error('tokens.css has no dark block');
  const light = css.replace(whole, '');
  return `${light}
@media (prefers-color-scheme: dark) { :root:not([data-mantine-color-scheme='light']) {${dark}} }
:root[data-mantine-color-scheme='dark'] {${dark}}
:root[data-mantine-color-scheme='light'] { color-scheme: light; }
:root[data-mantine-color-scheme='dark'] { color-scheme: dark; }`;
}
