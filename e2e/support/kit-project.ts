import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../../examples/demo/ports.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What an author of an MCP server has: an empty project into which the packed package was installed. */
export type KitProject = {
  directory: string;
  write(file: string, text: string): Promise<void>;
  /** Runs a program to its end. @returns what it printed, and its exit code */
  node(args: readonly string[]): Promise<{ output: string; code: number }>;
  /** @returns what the compiler complained of, '' for nothing */
  typeCheck(options: Record<string, unknown>, files: readonly string[]): Promise<string>;
  /** Starts a server that listens on port 8080 in its text, on a free port. @returns the origin */
  serve(file: string, env?: Record<string, string>): Promise<string>;
  remove(): Promise<void>;
};

/** Packages of the examples that an author installs himself; here they are linked. */
const authorsPackages = [
  '@hono/node-server',
  '@modelcontextprotocol/sdk',
  '@modelcontextprotocol/server',
  'express',
  '@types/express',
  '@types/koa',
  '@types/node',
];

/** Compiles and packs the kit, and installs the tarball with exactly the locked dependencies, from npm's cache where it has them. */
export async function createKitProject(): Promise<KitProject> {
  const parent = await mkdtemp(join(tmpdir(), 'authserver-kit-'));
  const directory = join(parent, 'project');
  await mkdir(directory);
  await install(directory, await pack(parent));
  for (const name of authorsPackages) await link(directory, name);

  const write = (file: string, text: string) => writeFile(join(directory, file), text);
  const stops: (() => void)[] = [];

  async function node(args: readonly string[]) {
    try {
      const { stdout, stderr } = await run(process.execPath, args, { cwd: directory });
      return { output: stdout + stderr, code: 0 };
    } catch (error) {
      const { stdout = '', stderr = '', code = 1 } = Object(error);
      return { output: `${stdout}${stderr}`, code: Number(code) };
    }
  }

  return {
    directory,
    write,
    node,
    async typeCheck(options, files) {
      const compilerOptions = { target: 'es2024', strict: true, noEmit: true, ...options };
      await write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
      const { output } = await node([join(repository, 'node_modules/typescript/bin/tsc')]);
      return output;
    },
    async serve(file, env = {}) {
      const port = await freePort();
      const started = `${port}-${file}`;
      const text = await readFile(join(directory, file), 'utf8');
      await write(started, text.replace('8080', String(port)));
      const child = spawn(process.execPath, [started], {
        cwd: directory,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      stops.push(() => child.kill('SIGKILL'));
      let complaints = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaints += text;
      });
      const origin = `http://localhost:${port}`;
      if (!(await answersSoon(origin))) throw new Error(`${file} does not listen:\n${complaints}`);
      return origin;
    },
    async remove() {
      for (const stop of stops) stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** As `npm run build` and `npm pack` do it, of the kit alone. @returns the tarball */
async function pack(parent: string): Promise<string> {
  const source = join(parent, 'package');
  await mkdir(source);
  await writeFile(
    join(parent, 'tsconfig.json'),
    JSON.stringify({
      extends: join(repository, 'tsconfig.build.json'),
      compilerOptions: {
        outDir: join(source, 'dist'),
        rootDir: repository,
        typeRoots: [join(repository, 'node_modules/@types')],
      },
      include: [],
      files: [join(repository, 'src/resource-server/index.ts')],
    }),
  );
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', join(parent, 'tsconfig.json')]);
  await copyFile(join(repository, 'package.json'), join(source, 'package.json'));
  const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', parent];
  const { stdout } = await run('npm', args, { cwd: source });
  return stdout.trim();
}

/** `npm ci` by a lock that has the packed package, and its dependencies as this repository locks them. */
async function install(directory: string, tarball: string): Promise<void> {
  const root = {
    name: 'project',
    type: 'module',
    dependencies: { authserver: `file:../${tarball}` },
  };
  const { version, dependencies } = await readJson(join(repository, 'package.json'));
  const { packages: locked } = await readJson(join(repository, 'package-lock.json'));
  const needed = Object.entries(locked).filter(
    ([path, entry]) => path !== '' && Object(entry).dev !== true,
  );
  const packages = {
    '': root,
    'node_modules/authserver': { version, resolved: root.dependencies.authserver, dependencies },
    ...Object.fromEntries(needed),
  };
  await writeFile(join(directory, 'package.json'), JSON.stringify(root));
  await writeFile(
    join(directory, 'package-lock.json'),
    JSON.stringify({ name: 'project', lockfileVersion: 3, requires: true, packages }),
  );
  const flags = [
    '--prefer-offline',
    '--omit=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ];
  await run('npm', ['ci', ...flags], { cwd: directory });
}

const readJson = async (file: string) => JSON.parse(await readFile(file, 'utf8'));

async function link(directory: string, name: string): Promise<void> {
  const target = join(directory, 'node_modules', name);
  if (existsSync(target)) return;
  await mkdir(dirname(target), { recursive: true });
  await symlink(join(repository, 'node_modules', name), target);
}

async function answersSoon(origin: string): Promise<boolean> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const answers = await fetch(origin).then(
      () => true,
      () => false,
    );
    if (answers) return true;
    await wait(100);
  }
  return false;
}
