import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { argumentInvalid, dataUnavailable, messageOf, SwfError } from '../lib/errors.ts';
import { isRecording, wholePart } from './recording-end.ts';

const compressed = promisify(gzip);

/**
 * A recording on disk that lines are appended to. A file whose name ends with `.gz` consists of compressed pieces, one per append, so that a killed
 * process leaves whole pieces behind.
 */
export class RecordingFile {
  readonly path: string;
  readonly #handle: FileHandle;
  /** Bytes written completely. */
  #size: number;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
  }

  /**
   * Opens a recording, or starts one. Cuts off a torn end.
   * @returns the file with its last line, if any
   * Throws `DATA_UNAVAILABLE` if it cannot be written, and `ARGUMENT_INVALID` for a file that is not a recording, which stays unchanged.
   */
  static async open(path: string): Promise<{ file: RecordingFile; last: string | undefined }> {
    const handle = await openTo(path, constants.O_RDWR | constants.O_CREAT);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw notOurs(path, 'is not a file');
      if (stats.size === 0) return { file: new RecordingFile(path, handle, 0), last: undefined };
      const whole = (await isRecording(handle, isCompressed(path)))
        ? await wholePart(handle, stats.size, isCompressed(path))
        : undefined;
      if (whole === undefined) throw notOurs(path, 'exists already, and is not a recording that can be continued');
      if (whole.size < stats.size) await handle.truncate(whole.size);
      return { file: new RecordingFile(path, handle, whole.size), last: whole.last };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Starts a recording in a new file. Throws as `open` does. */
  static async create(path: string): Promise<RecordingFile> {
    return new RecordingFile(path, await openTo(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL), 0);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds lines, all of them or none. Rejects with the system's error. */
  async add(lines: readonly string[]): Promise<void> {
    const text = Buffer.from(`${lines.join('\n')}\n`);
    const bytes = isCompressed(this.path) ? await compressed(text) : text;
    try {
      let written = 0;
      while (written < bytes.length) {
        const step = await this.#handle.write(bytes, written, bytes.length - written, this.#size + written);
        written += step.bytesWritten;
      }
      this.#size += bytes.length;
    } catch (error) {
      await this.#handle.truncate(this.#size).catch(() => {});
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

const isCompressed = (path: string): boolean => path.endsWith('.gz');

async function openTo(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw notOurs(path, 'exists already');
    throw dataUnavailable(`${path} cannot be written: ${messageOf(error)}; name another file`, { cause: error });
  }
}

const notOurs = (path: string, what: string): SwfError => argumentInvalid(`${path} ${what}; name another file`);
