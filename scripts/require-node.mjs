// Plain JavaScript, since an older Node cannot read the TypeScript that it guards.
const oldest = 24;
if (Number.parseInt(process.versions.node, 10) < oldest) {
  process.stderr.write(
    `authserver needs Node ${oldest} or newer; this is ${process.versions.node}. ` +
      'The package brings its own for the npm scripts: install it with npm ci, without --ignore-scripts.\n',
  );
  process.exit(1);
}

// npm runs scripts in a shell, which does not pass signals on: it would end, and leave the server behind.
if (process.env.npm_lifecycle_event) {
  const shell = process.ppid;
  setInterval(() => {
    if (process.ppid !== shell) process.kill(process.pid, 'SIGTERM');
  }, 500).unref();
}
