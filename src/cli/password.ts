import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { wrongCall } from './failure.ts';

/** How a password is given: never as an argument, which every process on the computer can read. */
export interface PasswordOption {
  passwordStdin?: boolean;
}

export const passwordFlag = [
  '--password-stdin',
  'read the password from standard input instead of asking for it',
] as const;

const longest = 4096;

/** Asks for a password on the terminal, or reads it. @throws CommanderError where neither can be done */
export async function readPassword({ passwordStdin }: PasswordOption): Promise<string> {
  if (passwordStdin) return firstLine();
  if (!process.stdin.isTTY) {
    throw wrongCall('there is no terminal to ask for the password: give it with --password-stdin');
  }
  const [password = '', again] = await ask(['Password: ', 'Again: ']);
  if (password !== again) throw wrongCall('the passwords differ: try again');
  return password;
}

/** Without the line end that `echo` adds. */
async function firstLine(): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size > longest) throw wrongCall('standard input is too long for a password');
  }
  const text = Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (text === '') throw wrongCall('standard input has no password');
  if (text.includes('\n'))
    throw wrongCall('standard input has more than the one line of a password');
  return text;
}

/** What is typed is not shown. */
async function ask(questions: readonly string[]): Promise<string[]> {
  const silent = new Writable({ write: (_part, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined); // closing it at the end is no failure
  terminal.once('close', () => stopped.reject(wrongCall('no password was typed')));
  const answers: string[] = [];
  try {
    for (const question of questions) {
      process.stderr.write(question);
      answers.push(await Promise.race([terminal.question(''), stopped.promise]));
      process.stderr.write('\n');
    }
    return answers;
  } finally {
    terminal.close();
  }
}
