/** How much one workspace or one call may use. */
export type Limits = {
  /** Largest file that the tools read into memory or write, bytes. */
  fileBytes: number;
  /** Most bytes that one workspace holds, without uploads under way. */
  workspaceBytes: number;
  /** Most bytes of content in one answer. */
  answerBytes: number;
  /** Most entries and matches in one answer. */
  listed: number;
  /** Most entries that one call looks at. */
  visited: number;
  /** Most bytes that one search reads. */
  searchedBytes: number;
  /** Longest that one search takes, milliseconds. */
  searchTime: number;
  /** Largest file of an upload, and largest piece in one request, bytes. */
  uploadBytes: number;
  chunkBytes: number;
  /** Open uploads per workspace. */
  uploads: number;
  /** How long an upload may take, milliseconds. */
  uploadTime: number;
};

const MiB = 1024 * 1024;

export const defaultLimits: Limits = {
  fileBytes: 10 * MiB,
  workspaceBytes: 10 * 1024 * MiB,
  answerBytes: MiB,
  listed: 1000,
  visited: 20_000,
  searchedBytes: 64 * MiB,
  searchTime: 5000,
  uploadBytes: 512 * MiB,
  chunkBytes: 64 * MiB,
  uploads: 20,
  uploadTime: 24 * 60 * 60 * 1000,
};
