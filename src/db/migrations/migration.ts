/** A step that changes the schema of a released version. */
export interface Migration {
  name: string;
  sql: string;
}

/** The schema as a base and the steps since. Each step raises the version by one. */
export interface SchemaHistory {
  /** The `user_version` of a store that the base makes. */
  baseVersion: number;
  base: string;
  steps: readonly Migration[];
}
