import { Modal, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type KeyboardEvent, useId, useState } from 'react';
import { useNavigate } from 'react-router';
import { plainText, shorten } from '../parts/foreign.ts';
import { useSections } from './Navigation.tsx';
import styles from './shell.module.css';
import { type Hit, useFound } from './useFound.ts';

/** Goes anywhere by typing: pages, clients, people, resources, and what an id names. */
export function CommandPalette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Go to" size="lg">
      {opened && <Palette onClose={onClose} />}
    </Modal>
  );
}

function Palette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const listId = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const [wanted] = useDebouncedValue(text.trim(), 200);
  const hits = [...usePages(text.trim()), ...useFound(wanted)].slice(0, 40);
  const chosen = Math.min(active, hits.length - 1);

  function follow(hit: Hit | undefined) {
    if (!hit) return;
    onClose();
    void navigate(hit.path);
  }

  function onKey(event: KeyboardEvent) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) setActive(Math.max(0, Math.min(chosen + by, hits.length - 1)));
    else if (event.key === 'Enter') follow(hits[chosen]);
    else return;
    event.preventDefault();
  }

  return (
    <>
      <TextInput
        data-autofocus
        role="combobox"
        aria-label="Go to"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={hits.length > 0 ? `${listId}-${chosen}` : undefined}
        placeholder="A page, client, person, resource, id or trace"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKey}
      />
      <div id={listId} role="listbox" aria-label="Found" className={styles.palette}>
        {hits.map((hit, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the box above has the keys
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the box above
          <div
            key={hit.path}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={styles.hit}
            onClick={() => follow(hit)}
            onMouseMove={() => setActive(index)}
          >
            <bdi>{shorten(plainText(hit.label), 60)}</bdi>
            <small>{hit.kind}</small>
          </div>
        ))}
        {hits.length === 0 && <p className="muted">Nothing begins like this.</p>}
      </div>
    </>
  );
}

function usePages(text: string): Hit[] {
  const words = text.toLowerCase();
  const places = useSections().flatMap(({ places }) => places);
  return places
    .filter(({ label, also = '' }) => `${label} ${also}`.toLowerCase().includes(words))
    .map(({ label, path }) => ({ label, path, kind: 'page' }));
}
