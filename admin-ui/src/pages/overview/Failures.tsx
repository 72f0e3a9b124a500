import { Link } from 'react-router';
import type { Answer } from '../../api/types.ts';
import { SimpleTable } from '../../parts/layout.tsx';

type Metric = Answer<'stats', 'overview'>['failures'];

const sentences: Readonly<Record<string, string>> = {
  invalid_target: 'Resource not registered',
  invalid_grant: 'Code or refresh token no longer good',
  invalid_client: 'Client unknown or not authenticated',
  invalid_request: 'Request not understood',
  invalid_redirect_uri: 'Redirect not registered',
  invalid_scope: 'Scope not allowed',
  access_denied: 'Access refused',
  denied: 'Consent denied',
  unauthorized_client: 'Grant not allowed for the client',
  use_dpop_nonce: 'DPoP nonce asked for',
  invalid_dpop_proof: 'DPoP proof not valid',
  authorization_pending: 'Device not approved yet',
  slow_down: 'Device asks too often',
};

/** Reasons in words, most frequent first, with the protocol's word small. */
export function Failures({ metric }: { metric: Metric }) {
  if (metric.total === 0) return <p className="muted">Nothing was refused.</p>;
  return (
    <>
      <SimpleTable label="Why requests were refused">
        {metric.series.slice(0, 7).map(({ label, total }) => (
          <tr key={label}>
            <td>
              {sentences[label.split(' ').at(-1) ?? ''] ?? 'Refused'}
              <br />
              <code className="dim">{label}</code>
            </td>
            <td className="num">{total.toLocaleString('en')}</td>
          </tr>
        ))}
      </SimpleTable>
      <Link to="/flows?status=failed">Failed flows</Link>
    </>
  );
}
