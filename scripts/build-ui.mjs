// Builds the admin console into dist/admin-ui. Runs after `npm ci`, so that `npm start` serves it.
const started = performance.now();
const vite = await import('vite').catch(() => undefined);
if (!vite) {
  // An installation without development dependencies brings the built console along.
  console.log('admin console: vite is not installed, nothing is built');
} else {
  await vite.build({ configFile: 'admin-ui/vite.config.ts', logLevel: 'warn' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`admin console: built into dist/admin-ui in ${seconds} s`);
}
