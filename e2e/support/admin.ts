import { z } from 'zod';

const rows = z.looseObject({ items: z.array(z.looseObject({ id: z.string() })) });

/** The admin API of a running server, as a program with its key uses it. */
export function adminOf(adminUrl: string, apiKey: string) {
  async function admin(method: string, path: string, body?: unknown) {
    const response = await fetch(`${adminUrl}/admin/api${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    const answer: Record<string, unknown> = text === '' ? {} : JSON.parse(text);
    return answer;
  }

  /** Of the first row of a list. @throws when there is none */
  async function idOf(path: string): Promise<string> {
    const [first] = rows.parse(await admin('GET', path)).items;
    if (!first) throw new Error(`There is nothing at ${path}.`);
    return first.id;
  }

  return { admin, idOf };
}
