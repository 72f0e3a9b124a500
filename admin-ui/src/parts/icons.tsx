import type { ReactNode } from 'react';

function icon(paths: ReactNode) {
  return function Icon({ size = 16 }: { size?: number }) {
    return (
      <svg
        viewBox="0 0 20 20"
        width={size}
        height={size}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {paths}
      </svg>
    );
  };
}

export const TickIcon = icon(<path d="M4 10.5l4 4 8-9" />);
export const CareIcon = icon(<path d="M10 3l8 14H2zM10 8v4M10 14.6v.1" />);
export const CrossIcon = icon(<path d="M5 5l10 10M15 5L5 15" />);
export const CopyIcon = icon(<path d="M7 7h9v9H7zM13 7V4H4v9h3" />);
export const SearchIcon = icon(
  <path d="M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13 13l4 4" />,
);
export const MenuIcon = icon(<path d="M3 6h14M3 10h14M3 14h14" />);
export const PlusIcon = icon(<path d="M10 4v12M4 10h12" />);
export const MoreIcon = icon(<path d="M4.5 10h.1M10 10h.1M15.5 10h.1" strokeWidth="2.6" />);
export const SortIcon = icon(<path d="M10 4v12M6 12l4 4 4-4" />);
export const ColumnsIcon = icon(<path d="M3 4h14v12H3zM8 4v12M12.5 4v12" />);
