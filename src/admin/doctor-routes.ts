import type { Doctor } from '../doctor/index.ts';
import { doctor as contract } from './contract/index.ts';
import { fulfil, type ServedRoute } from './served-route.ts';

export interface DoctorDeps {
  doctor: Doctor;
}

/** The doctor: asks as clients would ask. It changes nothing, so nothing of it is audited. */
export function doctorRoutes({ doctor }: DoctorDeps): ServedRoute[] {
  return [
    fulfil(contract.examine, async ({ body: { url } }, by) => {
      // Who has the local key sits on this computer and could ask by themselves.
      const reach = by.kind === 'local_key' ? 'everywhere' : 'configured';
      const { checkedAt, took, ...diagnosis } = await doctor.examine(url, reach);
      return { ...diagnosis, checked_at: checkedAt.toISOString(), duration_ms: took };
    }),
  ];
}
