import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import { BrowserRouter } from 'react-router';
import { createApi } from '../api/client.ts';
import { SessionGate } from '../api/context.tsx';
import { createQueryClient } from '../api/query.ts';
import { theme } from '../theme.ts';
import { Pages } from './Pages.tsx';

/** The console. */
export function App() {
  const [api] = useState(() => createApi());
  const [cache] = useState(createQueryClient);
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <Notifications position="bottom-right" />
      <QueryClientProvider client={cache}>
        <SessionGate api={api}>
          <BrowserRouter basename="/admin/ui">
            <Pages />
          </BrowserRouter>
        </SessionGate>
      </QueryClientProvider>
    </MantineProvider>
  );
}
