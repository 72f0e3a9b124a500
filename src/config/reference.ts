import { type ConfigKey, configKeys, variableOf } from './keys.ts';
import { keyAliases } from './schema.ts';

/** docs/configuration.md: every key with its type, default, variable and meaning. */
export function renderReference(): string {
  const keys = configKeys();
  const sections = keys.filter(({ name }) => !/[.[]/.test(name));
  return `${[introduction, ...sections.map((section) => renderSection(section, keys)), renderAliases()].join('\n\n')}\n`;
}

const introduction = `# Configuration

<!-- Generated from src/config by \`npm run docs\`. Do not edit. -->

Settings come from a YAML file (\`authserver serve --config FILE\`), and \`AUTHPLANE_*\` variables override it.
[config.example.yaml](../config.example.yaml) is a commented start; its first line gives editors
[the schema](config.schema.json).

- **Check** it with \`authserver config check\`: every problem is printed with its line and the fix, and the
  exit code is 78. \`authserver config show\` prints what is in effect and where each value comes from.
- **Durations** have units: \`30s\`, \`15m\`, \`168h\`, \`90d\`, \`1h30m\`.
- **Secrets**: \`\${file:PATH}\` is the content of a file without its last line break (a relative path starts at
  the configuration file), \`\${env:NAME}\` a variable. Both work inside any value, in variables too. Any other
  \`\${\` is refused.
- **Variables** are named after section and key: \`oauth.require_scope\` is \`AUTHPLANE_OAUTH_REQUIRE_SCOPE\`. Lists
  are comma-separated; an empty variable counts as not set, except for a list. Lists of mappings
  (\`clients\`, \`resources\`, …) are declared in the file only.
- **Declared rows** are reconciled at start: a changed row is updated, a removed one is reported, and what was
  made in the admin UI is left alone.`;

function renderSection(section: ConfigKey, keys: readonly ConfigKey[]): string {
  const isRows = section.kind === 'rows';
  const inside = keys.filter(({ name }) =>
    name.startsWith(`${section.name}${isRows ? '[]' : ''}.`),
  );
  const leaves = inside.filter(({ kind }) => kind !== 'section');
  const header = isRows
    ? ['| Key | Type | Default | Meaning |', '| --- | --- | --- | --- |']
    : ['| Key | Type | Default | Variable | Meaning |', '| --- | --- | --- | --- | --- |'];
  const rows = leaves.map((key) => (isRows ? renderRowKey(key) : renderKey(key)));
  return [`## ${section.name}`, '', section.description, '', ...header, ...rows].join('\n');
}

function renderKey(key: ConfigKey): string {
  return tableRow([
    code(key.name),
    renderType(key),
    renderDefault(key),
    key.variable ? code(key.variable) : '',
    key.description,
  ]);
}

function renderRowKey(key: ConfigKey): string {
  return tableRow([code(key.name), renderType(key), renderDefault(key), key.description]);
}

function tableRow(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function renderType({ kind, values, secret }: ConfigKey): string {
  const choices = values?.map(code).join(', ');
  if (choices && kind === 'string') return choices;
  const type = kind === 'rows' ? 'list of mappings' : kind === 'object' ? 'mapping' : kind;
  return `${type}${choices ? `: ${choices}` : ''}${secret ? ' (secret)' : ''}`;
}

function renderDefault(key: ConfigKey): string {
  if (key.required) return 'required';
  if (key.default === undefined) return '–';
  if (Array.isArray(key.default)) {
    return key.default.map((item) => code(shown(item))).join(', ') || 'none';
  }
  return shown(key.default) === '{}' ? 'none' : code(shown(key.default));
}

/** A value as it is written in the file. */
function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function renderAliases(): string {
  const lines = Object.entries(keyAliases).map(
    ([alias, name]) => `- \`${alias}\` (\`${variableOf(alias)}\`) means \`${name}\``,
  );
  return [
    '## Other names',
    '',
    'Accepted for compatibility; give only one of the two.',
    '',
    ...lines,
  ].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}
