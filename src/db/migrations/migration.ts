/** A step of the store's schema. */
export interface Migration {
  name: string;
  sql: string;
}
