import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compressed } from './build/compressed.ts';
import { contractRoutes } from './build/contract-routes.ts';
import { designTokens } from './build/design-tokens.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Where the packages of one chunk live, so that a change of a page leaves their file in the browser's cache. */
const vendor =
  /node_modules\/(react|react-dom|react-router|scheduler|@tanstack|@mantine|@floating-ui)\//;

export default defineConfig({
  root: here,
  base: '/admin/ui/',
  plugins: [react(), designTokens(), contractRoutes(), compressed()],
  build: {
    outDir: '../dist/admin-ui',
    emptyOutDir: true,
    target: 'es2023',
    // Nothing is inlined: a data: URL would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      output: { manualChunks: (id) => (vendor.test(id) ? 'vendor' : undefined) },
    },
  },
});
