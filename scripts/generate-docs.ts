import { writeFileSync } from 'node:fs';
import { openApiReference } from '../src/admin/index.ts';
import { auditReference, metricsReference } from '../src/audit/index.ts';
import { cliReference } from '../src/cli/index.ts';
import { compatibilityReference } from '../src/clients/index.ts';
import { renderJsonSchema, renderReference } from '../src/config/index.ts';
import { debuggingReference } from '../src/doctor/index.ts';
import { errorReference } from '../src/oauth/index.ts';
import { grantReference } from '../src/provider/index.ts';
import { claimsReference } from '../src/tokens/index.ts';

/** Every generated file of docs/. A test beside each generator fails when its file is stale. */
const generators: readonly { file: string; render: () => string }[] = [
  { file: 'configuration.md', render: renderReference },
  { file: 'config.schema.json', render: renderJsonSchema },
  { file: 'audit-events.md', render: auditReference },
  { file: 'cli.md', render: cliReference },
  { file: 'metrics.md', render: metricsReference },
  { file: 'claims.md', render: claimsReference },
  { file: 'errors.md', render: errorReference },
  { file: 'grants.md', render: grantReference },
  { file: 'compatibility.md', render: compatibilityReference },
  { file: 'debugging.md', render: debuggingReference },
  { file: 'openapi.json', render: openApiReference },
];

for (const { file, render } of generators) {
  writeFileSync(new URL(`../docs/${file}`, import.meta.url), render());
  console.log(`docs/${file}`);
}
