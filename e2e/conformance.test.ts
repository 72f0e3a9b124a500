import { expect, test } from 'vitest';
import { freePort } from '../examples/demo/ports.ts';
import { createClientHome } from './support/command-line-client.ts';
import { runConformance } from './support/conformance.ts';
import { openStage } from './support/stage.ts';

const clientId = 'conformance-suite';

/** Every check of the suite must succeed: a warning or a skipped check is no 100 %. */
test.each([
  ['a root issuer', ''],
  ['an issuer with a path', '/tenants/one'],
])('the official conformance suite passes 100 % with %s', async (_title, issuerPath) => {
  const port = await freePort();
  const redirect = `http://127.0.0.1:${port}/callback`;
  const stage = await openStage({ issuerPath, clients: [registration(redirect)] });
  const home = await createClientHome();
  try {
    const result = await runConformance(home, {
      issuer: stage.issuer,
      clientId,
      port,
      resource: stage.mcpUrl,
      visit: (url) => stage.person().authorize(url),
    });

    const verdicts = result.checks.map(({ id, status }) => `${id}: ${status}`).sort();
    expect(verdicts, result.output).toEqual([
      'authorization-code-grant: SUCCESS',
      'authorization-server-metadata-cimd: SUCCESS',
      'authorization-server-metadata: SUCCESS',
    ]);
    expect(result.exitCode).toBe(0);
  } finally {
    await home.remove();
    await stage.close();
  }
});

function registration(redirect: string): Record<string, unknown> {
  return {
    client_id: clientId,
    client_name: 'Conformance suite',
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirect],
    grant_types: ['authorization_code', 'refresh_token'],
  };
}
