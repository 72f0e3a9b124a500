import type { CallToolResult } from '@modelcontextprotocol/server';
import { FileProblem } from './problem.ts';

/** Who is told about what was not foreseen. */
export type Answering = { onError?: (error: unknown) => void };

/** An answer as JSON text. */
export const answer = (value: object): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(value, null, 2) }],
});

/** Runs a tool: a problem is told to the agent, anything unforeseen to the operator only. */
export async function answering(
  { onError }: Answering,
  work: () => Promise<CallToolResult>,
): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FileProblem) return failure(error.message);
    onError?.(error);
    return failure('The server could not do this; it has told its operator why');
  }
}

const failure = (text: string): CallToolResult => ({
  content: [{ type: 'text', text }],
  isError: true,
});
