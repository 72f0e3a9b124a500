import { PageHeader } from '../../parts/PageHeader.tsx';
import { PageTabs } from '../../parts/PageTabs.tsx';
import { Configuration } from './Configuration.tsx';
import { Health } from './Health.tsx';

export default function Settings() {
  return (
    <>
      <PageHeader title="Settings and health" />
      <PageTabs
        label="Settings and health"
        tabs={[
          { id: 'health', label: 'Health', content: () => <Health /> },
          { id: 'configuration', label: 'Configuration', content: () => <Configuration /> },
        ]}
      />
    </>
  );
}
