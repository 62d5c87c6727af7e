import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { type Bar, type Colours, paintBars, paintCells, pixelOf } from '../draw/paint.ts';
import type { Timeline } from '../shared/answers.ts';
import { useMedia } from './hooks.ts';

/** A picture to paint. Sizes are in pixels, and the span of time is in milliseconds. */
interface Painting {
  timeline: Timeline;
  bars: readonly Bar[];
  width: number;
  height: number;
  rowHeight: number;
  span: number;
  theme: string;
}

/**
 * Paints attempts when data, size or colours have changed, never in a loop. Returns the canvas to paint on.
 */
export function usePainting({ timeline, bars, width, height, rowHeight, span, theme }: Painting) {
  const ref = useRef<HTMLCanvasElement>(null);
  const isDark = useMedia('(prefers-color-scheme: dark)');
  const isPaper = useMedia('print');
  const [isReady, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  useLayoutEffect(() => {
    const context = ref.current?.getContext('2d');
    if (context === null || context === undefined) return;
    const image = context.createImageData(width, height);
    const ground = { pixels: new Uint32Array(image.data.buffer), width, height, rowHeight };
    const colours = coloursOf(ref.current as HTMLElement);
    if (timeline.spans === undefined) paintCells(ground, timeline.cells ?? [], colours);
    else paintBars(ground, bars, span, colours);
    context.putImageData(image, 0, 0);
  }, [timeline, bars, width, height, rowHeight, span, theme, isDark, isPaper, isReady]);
  return ref;
}

function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const colour = (name: string) => {
    // Set the colour on the canvas element, which shows no text, and read it back, since the CSS variable holds
    // the colours of both themes.
    element.style.color = `var(${name})`;
    return pixelOf(style.color);
  };
  return {
    completed: colour('--completed'),
    alternate: colour('--completed-2'),
    failed: colour('--failed'),
    processing: colour('--processing'),
    lost: colour('--queued'),
    ground: colour('--ground'),
  };
}
