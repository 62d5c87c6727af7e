import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import type { Zone } from '../shared/format.ts';
import type { World } from '../transport/call.ts';

/** The moment that "now" means here: that of a report is when it was made. Milliseconds since 1970. */
export const momentOf = ({ report }: World): number => (report === undefined ? Date.now() : Date.parse(report.madeAt));

interface Surroundings {
  world: World;
  zone: Zone;
}

export const Around = createContext<Surroundings | undefined>(undefined);

/** The environment of the page, and the zone of its times. */
export function useAround(): Surroundings {
  const around = useContext(Around);
  if (around === undefined) throw new Error('there is nothing around');
  return around;
}
