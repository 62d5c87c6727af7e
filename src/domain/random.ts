import { sha256 } from '../lib/sha256.ts';

/**
 * A number in [0, 1) that depends on its arguments alone, so that an interruption changes nothing.
 * @param purpose what the number is for; two purposes give independent numbers
 */
export function random(run: number, sequence: number, purpose: string): number {
  const digest = sha256().update(`${run}/${sequence}/${purpose}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48;
}
