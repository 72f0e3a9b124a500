import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../examples/demo/ports.ts';
import {
  createWorkspaceFilesServer,
  type WorkspaceFilesOptions,
} from '../../examples/workspace-files/server.ts';
import { createTokenDesk } from './token-desk.ts';

/** Two workspaces of two people. */
export const ours = '0d3b5c1e-7f2a-4a66-9d58-1f2e3d4c5b6a';
export const theirs = 'f0e1d2c3-7f2a-4a66-9d58-1f2e3d4c5b6a';

/** The example server workspace-files with a token desk in place of an authorization server. */
export async function startFilesServer(more: Partial<WorkspaceFilesOptions> = {}) {
  const root = await mkdtemp(join(tmpdir(), 'workspace-files-'));
  const port = await freePort();
  const resource = `http://localhost:${port}/mcp`;
  const client = { clientId: 'workspace-files', clientSecret: 'secret-of-the-server' };
  const desk = createTokenDesk(resource, client);
  const errors: unknown[] = [];
  const options: WorkspaceFilesOptions = {
    issuer: desk.issuer,
    resource,
    root,
    client,
    fetch: desk.fetch,
    onError: (error) => errors.push(error),
    ...more,
  };
  let server = createWorkspaceFilesServer(options);
  await server.listen(port);
  return {
    root,
    resource,
    desk,
    errors,
    /** Ends the server and starts another one on the same directory. */
    async restart() {
      await server.close();
      server = createWorkspaceFilesServer(options);
      await server.listen(port);
    },
    sweep: () => server.sweep(),
    async close() {
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export type FilesServer = Awaited<ReturnType<typeof startFilesServer>>;
