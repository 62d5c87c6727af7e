/** The meanings of colours, most of them named after states. */
export type Shade = 'completed' | 'processing' | 'queued' | 'failed' | 'warning' | 'idle';

/** Paints text in the colour of a state. A word or a glyph must say the same, since not everyone sees colours. */
export type Paint = (shade: Shade, text: string) => string;

/**
 * The testbed monitor's own colours, as backgrounds under black text, which is readable on dark and on light
 * terminals: each as a 24-bit value, and as the nearest of 256 and of 16 colours.
 */
const shades: Readonly<Record<Shade, { rgb: string; of256: number; of16: number }>> = {
  completed: { rgb: '150;202;105', of256: 113, of16: 42 },
  processing: { rgb: '199;233;169', of256: 193, of16: 46 },
  queued: { rgb: '230;240;246', of256: 255, of16: 47 },
  failed: { rgb: '255;171;162', of256: 217, of16: 41 },
  warning: { rgb: '255;203;47', of256: 220, of16: 43 },
  idle: { rgb: '189;189;189', of256: 250, of16: 47 },
};

const black = '\u001B[30m';
const reset = '\u001B[0m';

/**
 * @param depth bits of colour, as Node's `getColorDepth` returns it: 1 (none, also if `NO_COLOR` is set), 4, 8
 * or 24
 */
export function createPaint(depth = 1): Paint {
  if (depth < 4) return (_, text) => text;
  return (shade, text) => {
    const { rgb, of256, of16 } = shades[shade];
    const background = depth >= 24 ? `48;2;${rgb}` : depth >= 8 ? `48;5;${of256}` : String(of16);
    return text === '' ? '' : `\u001B[${background}m${black}${text}${reset}`;
  };
}

/** The colours of the words for states. Words for normal states have no entry and are not painted. */
export const stateShades: Readonly<Record<string, Shade>> = {
  failed: 'failed',
  stalled: 'failed',
  error: 'failed',
  rejected: 'failed',
  conflict: 'failed',
  bad: 'failed',
  terminated: 'idle',
  slow: 'warning',
  paused: 'idle',
  stale: 'warning',
  raised: 'warning',
  warning: 'warning',
  critical: 'failed',
};

/**
 * Paints a line about an execution: in an indented line, its label; in any other, the status and health of the
 * verdict.
 */
export const paintingStates = (paint: Paint) => (line: string) =>
  line.replaceAll(line.startsWith(' ') ? /(?<=^ {2})[a-z]+/g : /(?<=: |, health )[a-z]+/g, (word) => {
    const shade = stateShades[word];
    return shade === undefined ? word : paint(shade, word);
  });
