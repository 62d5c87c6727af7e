import { type ReturnReason, returnReasons } from '../domain/slice-returns.ts';
import { kindHeaders } from '../exchange/wire.ts';
import { utcNow } from '../lib/time.ts';
import { shortDigests } from '../lib/words.ts';
import type { OffDuty } from '../messages/telemetry.ts';

/** The most kinds per reason to exclude at the broker: a header must not grow longer than a broker reads. */
const maxUnwanted = 6;

/** The most kinds that a heartbeat lists, and characters of the sentence that says why. */
const maxListed = 100;
const keptSentence = 400;

/** How often to check whether an agent can do a kind of work again, in milliseconds. */
const lookMilliseconds = 30_000;

export interface Kind extends OffDuty {
  reason: ReturnReason;
  /** Whether the agent can do it again. */
  isMended: () => boolean | Promise<boolean>;
  /** Whether it will never be requested again. */
  isOver?: () => boolean;
}

export type OffDutyList = ReturnType<typeof createOffDutyList>;

/** The kinds of work that an agent cannot do until further notice, each reported once. */
export function createOffDutyList(warn: (message: string) => void, onChange: () => void) {
  const kinds = new Map<string, Kind & { sentence: string; since: string }>();
  let onKinds = () => {};
  let isLooking = false;

  async function look() {
    if (isLooking) return;
    isLooking = true;
    try {
      for (const [key, kind] of kinds) {
        const isOver = kind.isOver?.() === true;
        if (!isOver && !(await isMended(kind))) continue;
        kinds.delete(key);
        if (!isOver) warn(`on duty again for ${kind.reason} ${shortDigests(kind.name)}`);
        onChange();
        onKinds();
      }
    } finally {
      isLooking = false;
    }
  }

  const timer = setInterval(() => void look(), lookMilliseconds);
  return {
    /** @param sentence why, and what to do about it */
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
    /** Calls back when the kinds that cannot be done change. */
    onKinds(callback: () => void) {
      onKinds = callback;
    },
    /** Slices that cannot be done, by header and values. */
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
