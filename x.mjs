import D from 'better-sqlite3';
const d = new D('/tmp/prof/s.db');
for (const n of d.prepare("select name from sqlite_schema where type='trigger'").pluck().all())
  d.exec('DROP TRIGGER ' + n);
d.close();
