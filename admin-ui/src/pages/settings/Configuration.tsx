import { Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useAnswer } from '../../api/query.ts';
import type { Answer } from '../../api/types.ts';
import { Card } from '../../parts/Card.tsx';
import { Chip } from '../../parts/Chip.tsx';
import { plainText, shorten } from '../../parts/foreign.ts';
import { Loaded } from '../../parts/Loaded.tsx';
import { Rows, SimpleTable } from '../../parts/layout.tsx';
import { Note } from '../../parts/Note.tsx';
import { Prose } from '../../parts/Prose.tsx';
import { RelativeTime } from '../../parts/RelativeTime.tsx';
import styles from './settings.module.css';

type List = Answer<'settings', 'list'>;
type Setting = List['items'][number];

/** What is in effect and where each value comes from. It is changed in the file, not here. */
export function Configuration() {
  const query = useAnswer('settings', 'list');
  return <Loaded query={query}>{(list) => <Content list={list} />}</Loaded>;
}

function Content({ list }: { list: List }) {
  const [text, setText] = useState('');
  const [changedOnly, setChangedOnly] = useState(false);
  const wanted = text.trim().toLowerCase();
  const shown = list.items.filter(
    ({ id, description, source }) =>
      `${id} ${description}`.toLowerCase().includes(wanted) &&
      (!changedOnly || source !== 'default'),
  );
  return (
    <Rows>
      {list.restart_needed && (
        <Note tone="warn">The file has changed since this server read it. Restart it.</Note>
      )}
      <div className={styles.filters}>
        <TextInput
          aria-label="Find a setting"
          placeholder="Find a setting"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Switch
          label="Only what differs from the default"
          checked={changedOnly}
          onChange={(event) => setChangedOnly(event.currentTarget.checked)}
        />
        <span className="dim">
          {list.file ? <code>{list.file}</code> : 'no file'}, read{' '}
          <RelativeTime time={list.loaded_at} />
        </span>
      </div>
      {[...Map.groupBy(shown, ({ section }) => section)].map(([section, settings]) => (
        <Card key={section} title={section}>
          <SimpleTable stack label={section} head={['Setting', 'Value', 'From']}>
            {settings.map((setting) => (
              <SettingRow key={setting.id} setting={setting} file={list.file} />
            ))}
          </SimpleTable>
        </Card>
      ))}
      {shown.length === 0 && <p className="muted">No setting is called like this.</p>}
    </Rows>
  );
}

/** The line alone, where the file is named above. */
const place = (where: string, file: string | null) =>
  file !== null && where.startsWith(`${file}:`) ? `line ${where.slice(file.length + 1)}` : where;

function SettingRow({ setting, file }: { setting: Setting; file: string | null }) {
  const { id, value, description, source, where, secret } = setting;
  return (
    <tr>
      <td style={{ width: '58%' }}>
        <code>{id}</code>
        <p className="dim">
          <Prose text={description} />
        </p>
      </td>
      <td style={{ width: '24%' }}>
        <code>{secret ? '***' : shorten(plainText(written(value)), 300)}</code>
        {source !== 'default' && !secret && setting.default !== null && (
          <p className="dim">default {shorten(plainText(written(setting.default)), 80)}</p>
        )}
      </td>
      <td>
        <Chip tone={source === 'default' ? 'plain' : 'accent'}>{source}</Chip>
        {where && <p className="dim mono">{shorten(plainText(place(where, file)), 60)}</p>}
      </td>
    </tr>
  );
}

const written = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
