import type { RecordedFile } from '../../db/reports/recorded-files.ts';
import type { ExecutionParams } from '../../domain/params.ts';

/** The state of a file, compared with its record. */
export interface FileState {
  state: 'fine' | 'missing' | 'changed' | 'unreachable';
  found_bytes?: number;
  found_checksum?: string;
  problem?: string;
}

/** Where the data files of an execution are. */
export interface FilePlace {
  execution_id: string;
  /** The folder of all executions' files. */
  dir: string;
  frameBytes: number;
  /** Where that folder is published; undefined if it is not. */
  url: string | undefined;
}

/** The machine beside the store, as far as tools need it. The implementation is injected. */
export interface Services {
  /** Reads a file and compares it with its record. Does not throw for a file that is not as it should be. */
  compareFile(file: RecordedFile, place: FilePlace): Promise<FileState>;
  /** The parameters that a run would have: of a configuration by its bare name, or of the default. Throws `CONFIG_…`. */
  plannedParams(config: string | undefined): ExecutionParams;
}
