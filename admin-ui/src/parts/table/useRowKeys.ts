import { type RefObject, useEffect } from 'react';

const typing = 'input, textarea, select, [contenteditable], [role=menu], [role=dialog]';

/** j and k go from row to row, x selects, Enter follows the row's link as links do. */
export function useRowKeys(table: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || !table.current) return;
      if (event.target instanceof Element && event.target.closest(typing)) return;
      if (event.key === 'j' || event.key === 'k') move(table.current, event.key === 'j' ? 1 : -1);
      else if (event.key === 'x') rowOf(document.activeElement)?.querySelector('input')?.click();
      else return;
      event.preventDefault();
    }
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [table]);
}

const rowOf = (element: Element | null) => element?.closest('tr') ?? null;

function move(table: HTMLElement, by: number): void {
  const links = [...table.querySelectorAll<HTMLElement>('[data-row-link]')];
  const now = links.findIndex((link) => rowOf(link) === rowOf(document.activeElement));
  const next = links[now < 0 ? 0 : Math.min(Math.max(now + by, 0), links.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
