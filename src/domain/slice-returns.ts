import { isElsewhere } from './file-address.ts';

/**
 * Why a worker returns a slice: it cannot reach the file, it has a different payload, or the file differs from
 * the announced one.
 */
export const returnReasons = ['NO_FILE', 'NO_PAYLOAD', 'WRONG_FILE'] as const;

export type ReturnReason = (typeof returnReasons)[number];

/** The name of a payload program, and the digest of its command if known. */
export interface PayloadName {
  name: string;
  digest?: string | undefined;
}

/** The facts about a slice that determine whether a worker can process it. */
export interface SliceNeeds {
  tf_filename: string;
  file_url?: string | undefined;
  /** The required payload; if undefined, the placeholder. */
  payload?: PayloadName | undefined;
}

/** Maximum length of a kind's name, enough to distinguish kinds. */
const maxName = 300;

/** The kind of work that an agent declares itself unable to do by returning this slice for this reason. */
export const workKind = (needs: SliceNeeds, reason: ReturnReason) => wholeKind(needs, reason).slice(0, maxName);

function wholeKind({ tf_filename, file_url, payload }: SliceNeeds, reason: ReturnReason) {
  switch (reason) {
    case 'NO_FILE':
      return placeOfFile(file_url ?? '');
    case 'NO_PAYLOAD':
      return payload === undefined ? 'placeholder' : [payload.name, payload.digest ?? []].flat().join(' ');
    case 'WRONG_FILE':
      // If the file is created again on another host, it counts as a different file.
      return file_url !== undefined && isElsewhere(file_url) ? `${tf_filename} ${placeOfFile(file_url)}` : tf_filename;
  }
}

/**
 * All kinds of work that a slice involves. An agent may take the slice if it can do all of them. Other programs
 * report a wrong file only by its name, without its place.
 */
export const workKinds = (needs: SliceNeeds): { reason: ReturnReason; name: string }[] => [
  ...returnReasons.map((reason) => ({ reason, name: workKind(needs, reason) })),
  { reason: 'WRONG_FILE', name: needs.tf_filename },
];

/** The place from which a file is served: its URL without the execution's folder and the file's name. */
export const placeOfFile = (url: string) => url.split('/').slice(0, -2).join('/').slice(0, maxName);
