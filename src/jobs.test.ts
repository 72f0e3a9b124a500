import { expect, test } from 'vitest';
import { runAll } from './jobs.ts';

test('a job that fails is logged and MUST NOT stop the others', async () => {
  const done: string[] = [];
  const logged: object[] = [];
  const log = { error: (line: object) => logged.push(line) };
  await runAll({ log }, [
    ['first', async () => done.push('first')],
    ['second', async () => Promise.reject(new Error('no'))],
    ['third', async () => done.push('third')],
  ]);
  expect(done).toEqual(['first', 'third']);
  expect(logged).toMatchObject([{ job: 'second' }]);
});
