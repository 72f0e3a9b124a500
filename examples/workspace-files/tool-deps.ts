import type { OpenDirectory } from './directory.ts';
import type { Limits } from './limits.ts';
import type { ReconnectLink } from './reconnect.ts';
import type { Uploads } from './uploads.ts';
import type { Workspace } from './workspace.ts';

/** What the tools of one session work with. */
export type ToolDeps = {
  workspace: Workspace;
  /** Who the session is for. */
  sub: string;
  uploads: Uploads;
  /** Where the bytes of uploads go. */
  uploadUrl: string;
  limits: Limits;
  openDirectory: OpenDirectory;
  reconnectLink: ReconnectLink;
  now: () => Date;
  onError?: (error: unknown) => void;
};
