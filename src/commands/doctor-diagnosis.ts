import { messageOf, SwfError } from '../lib/errors.ts';

/** The result of one look: all is well, or what to do. */
export interface Diagnosis {
  state: 'ok' | 'warn' | 'fail';
  what: string;
}

export const ok = (what: string): Diagnosis => ({ state: 'ok', what });

/** Looks at one thing. An error that can be mended becomes the diagnosis in its own words; anything else is a bug and is thrown. */
export async function attempt(look: () => Promise<Diagnosis> | Diagnosis): Promise<Diagnosis> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof SwfError) return { state: 'fail', what: error.line };
    if (error instanceof Error && 'code' in error) return { state: 'fail', what: messageOf(error) };
    throw error;
  }
}
