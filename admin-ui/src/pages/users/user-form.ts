import type { Answer } from '../../api/types.ts';

export type UserDetail = Answer<'users', 'get'>;
export type Role = NonNullable<UserDetail['role']>;

export const roles = [
  { value: '', label: 'None: an account for connecting apps' },
  { value: 'viewer', label: 'Viewer: sees everything, changes nothing' },
  { value: 'operator', label: 'Operator: clients, grants, tokens, resources, people' },
  { value: 'owner', label: 'Owner: roles, keys and settings too' },
];

export const isRole = (value: string): value is Role =>
  value === 'viewer' || value === 'operator' || value === 'owner';

/** A list written with commas. */
export const groupsOf = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((group) => group.trim())
      .filter(Boolean),
  ),
];
