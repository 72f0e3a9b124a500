import { cpSync, globSync } from 'node:fs';

/** The compiler copies no stylesheets, icons and page scripts: `npm run build` puts them beside its output. */
for (const directory of globSync('src/*/assets')) {
  cpSync(directory, `dist/${directory}`, { recursive: true });
}
