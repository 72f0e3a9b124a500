import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { contract } from '../../src/admin/contract/index.ts';

const name = 'virtual:contract-routes';
const directory = fileURLToPath(new URL('../../src/admin/contract', import.meta.url));

/**
 * Gives the browser the method, path and least role of every route of the contract, and whether admins of a
 * workspace may call it too, without the schemas: the types are checked at compile time, and zod stays out of the bundle.
 */
export function contractRoutes(): Plugin {
  return {
    name: 'contract-routes',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return;
      this.addWatchFile(directory);
      return `export const routes = ${JSON.stringify(table())};`;
    },
  };
}

type Entry = [method: string, path: string, permission: string, workspaceAdmin: boolean];

function table(): Record<string, Entry> {
  const all = Object.entries(contract).flatMap(([noun, verbs]) =>
    Object.entries(verbs).map(([verb, { method, path, permission, workspaceAdmin = false }]) => {
      const entry: Entry = [method, path, permission, workspaceAdmin];
      return [`${noun}.${verb}`, entry] as const;
    }),
  );
  return Object.fromEntries(all);
}
