import { crc32 } from 'node:zlib';

/**
 * STF and TF files: consecutive Time Frames, all of the same length within a file.
 *
 * A frame consists of a header of four little-endian 32-bit words (magic, index of the frame in its STF,
 * length of the content in bytes, CRC-32 of index, length and content), followed by the content. A TF file
 * holds a range of an STF's frames unchanged.
 */
const magic = 0x46_54_57_53; // "SWTF"

const headerBytes = 16;

const checksum = (frame: Buffer) => crc32(frame.subarray(headerBytes), crc32(frame.subarray(4, 12)));

/** Frames `first`…`first + count - 1` of an STF. The content depends only on run, sequence and index. */
export function encodeFrames(
  stf: { run: number; sequence: number },
  first: number,
  count: number,
  frameBytes: number,
): Buffer {
  const buffer = Buffer.alloc(count * frameBytes);
  for (let frame = 0; frame < count; frame += 1) {
    const start = frame * frameBytes;
    const end = start + frameBytes;
    const index = first + frame;
    // A cheap generator (xorshift) is enough: the content stands in for detector data and only has to be the
    // same each time.
    let state =
      Math.imul(stf.run, 0x9e_37_79_b1) ^ Math.imul(stf.sequence, 0x85_eb_ca_6b) ^ Math.imul(index, 0xc2_b2_ae_35) || 1;
    for (let at = start + headerBytes; at < end; at += 1) {
      if (at % 4 === 0) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
      }
      buffer[at] = state >>> (8 * (at % 4));
    }
    buffer.writeUInt32LE(magic, start);
    buffer.writeUInt32LE(index, start + 4);
    buffer.writeUInt32LE(frameBytes - headerBytes, start + 8);
    buffer.writeUInt32LE(checksum(buffer.subarray(start, end)), start + 12);
  }
  return buffer;
}

/** The index of an undamaged frame, or a sentence that says how the frame is damaged. */
function inspect(frame: Buffer, frameBytes: number) {
  if (frame.length < frameBytes || frame.readUInt32LE(0) !== magic) return 'is not a Time Frame';
  const bytes = headerBytes + frame.readUInt32LE(8);
  if (bytes !== frameBytes) return `has a length of ${bytes} bytes, not ${frameBytes}`;
  if (checksum(frame) !== frame.readUInt32LE(12)) return 'does not match its checksum';
  return frame.readUInt32LE(4);
}

/** The index of a frame in its STF, or undefined if the frame is damaged. */
export function indexOfFrame(frame: Buffer, frameBytes: number) {
  const found = inspect(frame, frameBytes);
  return typeof found === 'number' ? found : undefined;
}

/**
 * Checks that `buffer` contains exactly the consecutive frames that begin with frame `first`, each with its
 * index and checksum. Throws an `Error` that names the faulty frame.
 */
export function verifyFrames(buffer: Buffer, first: number, frameBytes: number) {
  for (let start = 0; start < buffer.length; start += frameBytes) {
    const expected = first + start / frameBytes;
    const found = inspect(buffer.subarray(start, start + frameBytes), frameBytes);
    if (typeof found === 'string') throw new Error(`frame ${expected} ${found}`);
    if (found !== expected) throw new Error(`frame ${expected} has the index ${found}`);
  }
}
