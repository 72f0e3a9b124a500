import { Component, type ReactNode } from 'react';
import { ErrorState } from '../parts/ErrorState.tsx';

/** A page that breaks says so; the navigation stays. */
export class PageBoundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return <ErrorState page error={error} retry={() => location.reload()} />;
  }
}
