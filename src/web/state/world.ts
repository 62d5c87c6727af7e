import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

import type { Zone } from '../shared/format.ts';
import type { World } from '../transport/call.ts';

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
