/** Facts about a file that is there. A checksum is `sha256:` and 64 hex digits. */
export interface FileFacts {
  size_bytes: number;
  checksum?: string;
  file_url?: string;
}

/** Frames by their indices in the STF, both inclusive, and the length of each in bytes. */
export interface FramesOfFile {
  first: number;
  last: number;
  frameBytes: number;
}

export interface StfToWrite {
  filename: string;
  run: number;
  sequence: number;
  tf_count: number;
  frameBytes: number;
}

/** A file that is written and has no name yet. */
export interface PreparedFile {
  /** Gives it its name. */
  publish(): Promise<FileFacts>;
  /** Removes it. */
  discard(): Promise<void>;
}

/**
 * The data files of one execution. Every method may be called again for the same file with the same result. All of them throw
 * `DATA_UNAVAILABLE` where the disk or the folder is at fault, and an `Error` where a file is.
 */
export interface DataFiles {
  /** Makes the folder of an execution that has written nothing yet. A folder that goes away later is not made again. */
  prepare(): void;
  /** Writes an STF's file aside: nobody sees it before it is published. */
  prepareStf(stf: StfToWrite): Promise<PreparedFile>;
  /** Size and checksum of a file. `expected` stands for the size where nothing is written. */
  measure(filename: string, expected: { tf_count: number; frameBytes: number }): Promise<FileFacts>;
  /** Writes frames `first` to `last` of one file as another. */
  copyFrames(from: string, to: string, range: FramesOfFile): Promise<FileFacts>;
  /** Reads frames `first` to `last` and checks index and checksum of each. Throws an `Error` that names the frame. */
  verify(filename: string, range: FramesOfFile): Promise<void>;
  /** Removes what a killed process left half written. Only for the one process that writes here. */
  tidy(): Promise<void>;
}

/** For `write_files = false`: nothing is written, sizes are those that files would have, and there is no checksum. */
export const noDataFiles: DataFiles = {
  prepare: () => {},
  prepareStf: ({ tf_count, frameBytes }) =>
    Promise.resolve({
      publish: () => Promise.resolve({ size_bytes: tf_count * frameBytes }),
      discard: () => Promise.resolve(),
    }),
  measure: (_, { tf_count, frameBytes }) => Promise.resolve({ size_bytes: tf_count * frameBytes }),
  copyFrames: (_, __, { first, last, frameBytes }) => Promise.resolve({ size_bytes: (last + 1 - first) * frameBytes }),
  verify: () => Promise.resolve(),
  tidy: () => Promise.resolve(),
};
