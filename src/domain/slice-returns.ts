import { isElsewhere } from './file-address.ts';

/**
 * Why a worker returns a slice: it cannot reach the file, has another payload, or finds a different file than
 * announced.
 */
export const returnReasons = ['NO_FILE', 'NO_PAYLOAD', 'WRONG_FILE'] as const;

export type ReturnReason = (typeof returnReasons)[number];

/** A payload program by its name, and the digest of its command if known. */
export interface PayloadName {
  name: string;
  digest?: string | undefined;
}

/** The facts about a slice that decide whether a worker can do it. */
export interface SliceNeeds {
  tf_filename: string;
  file_url?: string | undefined;
  /** The placeholder if left out. */
  payload?: PayloadName | undefined;
}

/** How much of a kind's name to keep, to distinguish it. */
const maxName = 300;

/** A slice's kind of work, for a reason why an agent cannot do it. */
export const workKind = (needs: SliceNeeds, reason: ReturnReason) => wholeKind(needs, reason).slice(0, maxName);

function wholeKind({ tf_filename, file_url, payload }: SliceNeeds, reason: ReturnReason): string {
  switch (reason) {
    case 'NO_FILE':
      return placeOfFile(file_url ?? '');
    case 'NO_PAYLOAD':
      return payload === undefined ? 'placeholder' : [payload.name, payload.digest ?? []].flat().join(' ');
    case 'WRONG_FILE':
      // Recreated on another host, it is a different file.
      return file_url !== undefined && isElsewhere(file_url) ? `${tf_filename} ${placeOfFile(file_url)}` : tf_filename;
  }
}

/**
 * All kinds of work of a slice: an agent is on duty for it if it can do all of them. Other programs name a
 * wrong file without its place.
 */
export const workKinds = (needs: SliceNeeds): { reason: ReturnReason; name: string }[] => [
  ...returnReasons.map((reason) => ({ reason, name: workKind(needs, reason) })),
  { reason: 'WRONG_FILE', name: needs.tf_filename },
];

/** Where files like this are: its URL without the execution's folder and the name. */
export const placeOfFile = (url: string) => url.split('/').slice(0, -2).join('/').slice(0, maxName);
