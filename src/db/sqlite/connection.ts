import type Database from 'better-sqlite3';

/** An open SQLite file, which `using` closes. */
export type Connection = Database.Database & Disposable;
