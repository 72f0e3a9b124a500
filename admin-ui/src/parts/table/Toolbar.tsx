import { ActionIcon, Button, Menu, NativeSelect, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { ListNoun } from '../../api/types.ts';
import { plainText, shorten } from '../foreign.ts';
import { ColumnsIcon, CrossIcon, SearchIcon } from '../icons.tsx';
import styles from './table.module.css';
import type { Column, Filter } from './types.ts';
import type { ListState } from './useListState.ts';

interface ToolbarProps<N extends ListNoun, R> {
  state: ListState;
  /** What can be searched; absent: there is no search. */
  search: string | undefined;
  filters: readonly Filter<N>[];
  columns: readonly Column<R>[];
  visible: Readonly<Record<string, boolean>>;
  onVisible: (id: string, shown: boolean) => void;
  children?: ReactNode;
}

/** Search, filters and columns of a list. */
export function Toolbar<N extends ListNoun, R>(props: ToolbarProps<N, R>) {
  const { state, search, filters, children } = props;
  // A value that is none of the options, such as several types at once, can only be taken away.
  const offers = (filter: Filter<N>) => isOffered(filter, state.get(filter.name));
  const chosen = filters.filter((filter) => filter.options && offers(filter));
  const exact = filters.filter((filter) => state.get(filter.name) && !offers(filter));
  return (
    <search className={styles.toolbar}>
      {search && <SearchBox state={state} hint={search} />}
      {chosen.map((filter) => (
        <NativeSelect
          key={filter.name}
          aria-label={filter.label}
          value={state.get(filter.name)}
          onChange={(event) => state.set(filter.name, event.currentTarget.value)}
          data={[{ value: '', label: `${filter.label}: all` }, ...(filter.options ?? [])]}
        />
      ))}
      {exact.map(({ name, label }) => (
        <Button
          key={name}
          variant="light"
          rightSection={<CrossIcon size={12} />}
          aria-label={`Remove the filter ${label}`}
          onClick={() => state.set(name, undefined)}
        >
          {label}: {shorten(plainText(state.get(name)), 28)}
        </Button>
      ))}
      <div className={styles.toolbarEnd}>
        {children}
        <ColumnMenu {...props} />
      </div>
    </search>
  );
}

function isOffered<N extends ListNoun>({ options = [] }: Filter<N>, value: string): boolean {
  if (!value) return true;
  return options.some((one) =>
    'group' in one ? one.items.some((item) => item.value === value) : one.value === value,
  );
}

function SearchBox({ state, hint }: { state: ListState; hint: string }) {
  const now = state.get('q');
  const [text, setText] = useState(now);
  const sent = useRef(now);
  const input = useRef<HTMLInputElement>(null);
  const search = useDebouncedCallback((value: string) => {
    sent.current = value;
    state.set('q', value);
  }, 250);

  useEffect(() => {
    if (now === sent.current) return;
    sent.current = now;
    setText(now);
  }, [now]);

  return (
    <TextInput
      ref={input}
      className={styles.search}
      type="search"
      aria-label={`Search: beginning of ${hint}`}
      placeholder={hint}
      leftSection={<SearchIcon size={14} />}
      value={text}
      data-list-search
      maxLength={200}
      onChange={(event) => {
        setText(event.currentTarget.value);
        search(event.currentTarget.value.trim());
      }}
    />
  );
}

function ColumnMenu<N extends ListNoun, R>({ columns, visible, onVisible }: ToolbarProps<N, R>) {
  return (
    <Menu position="bottom-end" closeOnItemClick={false}>
      <Menu.Target>
        <Tooltip label="Columns">
          <ActionIcon variant="default" size={36} aria-label="Columns">
            <ColumnsIcon />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {columns.slice(1).map(({ id, header }) => (
          <Menu.CheckboxItem
            key={id}
            checked={visible[id] !== false}
            onChange={(shown) => onVisible(id, shown)}
          >
            {header}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
