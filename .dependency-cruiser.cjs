// The house rules of docs/architecture.md: levels, doors, no cycles, thin seams.
const levels = [
  ['oauth', 'config', 'resource-server'],
  ['db'],
  ['http', 'audit', 'scheduler'],
  ['keys'],
  ['accounts', 'clients', 'resources'],
  ['consent', 'tokens', 'upstream', 'flows', 'doctor'],
  ['provider', 'admin', 'api'],
];
const levelOf = (room) => levels.findIndex((rooms) => rooms.includes(room));
const rooms = levels.flat();
const test = '\\.(test|testing)\\.ts$';

// Exceptions that the table of rooms names: level 0 rooms know nothing, db and http know only these.
const mayImport = {
  oauth: [],
  config: [],
  'resource-server': [],
  db: ['config'],
  http: ['oauth', 'db'],
  audit: ['db'],
  scheduler: ['db'],
  keys: ['db', 'audit'],
};
const allowed = (room) =>
  mayImport[room] ?? rooms.filter((other) => levelOf(other) < levelOf(room));

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...rooms.map((room) => ({
      name: `level-of-${room}`,
      comment: `${room}/ may import only: ${allowed(room).join(', ') || 'nothing'}`,
      severity: 'error',
      from: { path: `^src/${room}/`, pathNot: test },
      to: {
        path: '^src/',
        pathNot: [`^src/${room}/`, ...allowed(room).map((other) => `^src/${other}/`)],
      },
    })),
    ...rooms.map((room) => ({
      name: `door-of-${room}`,
      comment: `import ${room}/ through its index.ts`,
      severity: 'error',
      from: { path: '^(src|e2e|examples|bench)/', pathNot: [`^src/${room}/`, test] },
      to: {
        path: `^src/${room}/`,
        pathNot: [`^src/${room}/index\\.ts$`, '^src/admin/contract/', '\\.testing\\.ts$'],
      },
    })),
    {
      name: 'contract-is-for-browsers',
      comment: 'admin/contract is shared with the browser: zod and nothing else',
      severity: 'error',
      from: { path: '^src/admin/contract/' },
      to: { pathNot: ['^src/admin/contract/', '^node_modules/zod/'] },
    },
    {
      name: 'oidc-provider-only-in-provider',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/provider/' },
      to: { path: 'node_modules/oidc-provider' },
    },
    {
      name: 'oidc-provider-internals-in-one-file',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/provider/internals\\.ts$' },
      to: { path: 'node_modules/oidc-provider/lib/(?!index\\.js)' },
    },
    {
      name: 'policy-is-pure',
      severity: 'error',
      from: { path: 'policy\\.ts$' },
      to: {
        path: 'node_modules/(koa|@koa|kysely|pg)(/|$)|^(node:|fs$|http$|crypto$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'app-only-from-cli-and-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(cli/|main\\.ts|app\\.ts)', test] },
      to: { path: '^src/(app|main)\\.ts$' },
    },
    {
      name: 'black-box-tests',
      comment:
        'e2e, examples and migrations never import src (but for the published resource-server kit)',
      severity: 'error',
      from: { path: '^(e2e|migrations)/' },
      to: { path: '^src/', pathNot: '^src/resource-server/index\\.ts$' },
    },
    {
      name: 'console-knows-the-contract-only',
      comment:
        'admin-ui shares the contract and the design tokens with the server, and nothing else',
      severity: 'error',
      from: { path: '^admin-ui/' },
      to: { path: '^src/', pathNot: '^src/admin/contract/' },
    },
    {
      name: 'examples-use-the-kit',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^src/', pathNot: '^src/resource-server/index\\.ts$' },
    },
    {
      name: 'not-to-dev-dependency',
      severity: 'error',
      from: { path: '^src/', pathNot: test },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    exclude: { path: 'dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
};
