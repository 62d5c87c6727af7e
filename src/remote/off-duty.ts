import { type ReturnReason, returnReasons } from '../domain/slice-returns.ts';
import { kindHeaders } from '../exchange/wire.ts';
import { onceAtATime } from '../lib/batches.ts';
import { utcNow } from '../lib/time.ts';
import { shortDigests } from '../lib/words.ts';
import type { OffDuty } from '../messages/telemetry.ts';

/**
 * How many kinds of slices to exclude at the broker, per reason: a header must not grow longer than a broker
 * accepts.
 */
const maxUnwanted = 6;

/** Maximum number of kinds that a heartbeat lists, and of characters kept from each reason. */
const maxListed = 100;
const keptSentence = 400;

/** How often, in milliseconds, to check whether an agent can do a kind of work again. */
const lookMilliseconds = 30_000;

export interface Kind extends OffDuty {
  reason: ReturnReason;
  /** Whether the agent can do this kind of work again. */
  isMended: () => boolean | Promise<boolean>;
  /** Whether this kind of work will never be requested again. */
  isOver?: () => boolean;
}

export type OffDutyList = ReturnType<typeof createOffDutyList>;

/** The kinds of work that an agent cannot do for the time being; each is reported once. */
export function createOffDutyList(warn: (message: string) => void, onChange: () => void) {
  const kinds = new Map<string, Kind & { sentence: string; since: string }>();
  let onKinds = () => {};
  const look = onceAtATime(async () => {
    for (const [key, kind] of kinds) {
      const isOver = kind.isOver?.() === true;
      if (!isOver && !(await isMended(kind))) continue;
      kinds.delete(key);
      if (!isOver) warn(`on duty again for ${kind.reason} ${shortDigests(kind.name)}`);
      onChange();
      onKinds();
    }
  });
  const timer = setInterval(() => void look(), lookMilliseconds);
  return {
    /** @param sentence why the work cannot be done, and what to do about that */
    add(kind: Kind, sentence: string) {
      const key = keyOf(kind);
      if (kinds.has(key)) return;
      kinds.set(key, { ...kind, sentence, since: utcNow() });
      warn(`off duty for ${kind.reason} ${shortDigests(kind.name)}: ${shortDigests(sentence)}`);
      onChange();
      onKinds();
    },
    /** Why a kind of work cannot be done now; undefined if no obstacle is known. */
    whyNot: (kind: OffDuty) => kinds.get(keyOf(kind))?.sentence,
    /** Calls back when other kinds of work become impossible, or possible again. */
    onKinds(callback: () => void) {
      onKinds = callback;
    },
    /** The kinds of slices that cannot be processed here, as header names with their values. */
    unwanted() {
      const named = (reason: ReturnReason) =>
        [...kinds.values()].filter((kind) => kind.reason === reason).map(({ name }) => name);
      return Object.fromEntries(
        returnReasons.map((reason) => [kindHeaders[reason], named(reason).slice(-maxUnwanted)]),
      );
    },
    list() {
      const listed = [...kinds.values()].slice(0, maxListed);
      return listed.map(({ reason, name, since, sentence }) => {
        return { reason, name, since, detail: sentence.slice(0, keptSentence) };
      });
    },
    close: () => clearInterval(timer),
  };
}

const keyOf = ({ reason, name }: OffDuty) => `${reason} ${name}`;

async function isMended(kind: Kind) {
  try {
    return await kind.isMended();
  } catch {
    return false;
  }
}
