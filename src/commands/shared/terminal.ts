/** A terminal that text is painted on. Sizes are asked anew each time: a window may be resized. */
export interface Terminal {
  columns(): number;
  rows(): number;
  /** Bits of colour; 1 means no colour. */
  colorDepth: number;
  write(text: string): void;
}

export const showCursor = '\u001B[?25h';
