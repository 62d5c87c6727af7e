// A payload in a few lines: counts the byte values of a slice's Time Frames in 16 bins and writes them as JSON.
// It is started as: node frame-histogram.js TF_PATH START END OUTPUT_DIR, with START and END inclusive.
// A Time Frame has a header of four little-endian 32-bit words (magic, index, length of the content, CRC-32) and its content.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [tfPath, start, end, outputDir] = process.argv.slice(2);
const file = readFileSync(tfPath);
const histogram = { start: Number(start), end: Number(end), frames: 0, bytes: 0, bins: Array(16).fill(0) };

for (let at = 0, next; at < file.length; at = next) {
  const index = file.readUInt32LE(at + 4);
  next = at + 16 + file.readUInt32LE(at + 8);
  if (index < histogram.start || index > histogram.end) continue;
  histogram.frames += 1;
  histogram.bytes += next - at - 16;
  for (const byte of file.subarray(at + 16, next)) histogram.bins[byte >> 4] += 1;
}

writeFileSync(join(outputDir, 'histogram.json'), `${JSON.stringify(histogram)}\n`);
console.log(`${histogram.frames} frames`);
