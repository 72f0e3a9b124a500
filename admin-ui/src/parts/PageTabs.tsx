import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';

export interface PageTab {
  id: string;
  label: string;
  content: () => ReactNode;
}

/** Tabs of a detail page. The open one stands in the address; the filters of its list leave with it. */
export function PageTabs({ tabs, label }: { tabs: readonly PageTab[]; label: string }) {
  const [params, setParams] = useSearchParams();
  const first = tabs[0]?.id ?? '';
  const open = tabs.find(({ id }) => id === params.get('tab'))?.id ?? first;
  return (
    <Tabs
      value={open}
      onChange={(id) => setParams(id === null || id === first ? {} : { tab: id })}
      keepMounted={false}
    >
      <Tabs.List aria-label={label} mb="md">
        {tabs.map(({ id, label: name }) => (
          <Tabs.Tab key={id} value={id}>
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ id, content }) => (
        <Tabs.Panel key={id} value={id}>
          {id === open && content()}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
