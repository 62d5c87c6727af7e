import type { RecordingFile } from './recording-file.ts';
import { type WaitingLine, WaitingLines, type WaitingLinesOptions } from './waiting-lines.ts';

/** Most characters to add to a file at a time. */
const maxPiece = 2 * 1024 * 1024;

interface RecordingWriterOptions extends Pick<WaitingLinesOptions, 'say' | 'now'> {
  /** The file for a line of this time; a different one than before if a new file is started. */
  fileAt: (time: string) => Promise<RecordingFile>;
}

export type RecordingWriter = ReturnType<typeof createRecordingWriter>;

/** Writes lines into recordings, shortly after they come. */
export function createRecordingWriter({ fileAt, ...options }: RecordingWriterOptions) {
  let file: RecordingFile | undefined;
  const write = async (waiting: readonly WaitingLine[]): Promise<number> => {
    const time = waiting[0]?.time ?? '';
    file = await fileAt(time);
    const piece = nextPiece(waiting, time);
    await file.add(piece.map(({ text }) => text));
    return piece.length;
  };
  const lines = new WaitingLines({ ...options, name: 'the recording', write });
  return {
    lines,
    /** Writes the rest and the time when listening ended, and closes. */
    async close(heardUntil?: number): Promise<void> {
      await lines.close(heardUntil);
      await file?.close();
    },
  };
}

/** Lines of one day, as many as one piece holds, and at least one. */
function nextPiece(lines: readonly WaitingLine[], time: string): readonly WaitingLine[] {
  const day = time.slice(0, 10);
  let size = 0;
  const end = lines.findIndex((line, at) => {
    size += line.text.length;
    return at > 0 && (size > maxPiece || !line.time.startsWith(day));
  });
  return end === -1 ? lines.slice() : lines.slice(0, end);
}
