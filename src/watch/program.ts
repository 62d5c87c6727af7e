import { printable } from '../lib/printable.ts';
import { runProgram } from '../lib/run-program.ts';
import { withoutSecrets } from '../lib/secrets.ts';
import type { Receiver } from './receiver.ts';
import { digestOf } from './webhook.ts';

/** A receiver that is a program, run with the change in environment variables. @param path as `requireProgram` gives it */
export const programReceiver = (path: string, env: NodeJS.ProcessEnv): Receiver => ({
  name: path,
  key: digestOf(`program ${path}`),
  async tell({ id, text, code, subject, change, severity, count, execution_id = '' }) {
    const problem = await runProgram(path, {
      ...withoutSecrets(env),
      SWF_EVENT: `alarm_${change}`,
      SWF_ID: printable(id),
      SWF_TEXT: printable(text),
      SWF_CODE: code,
      SWF_SUBJECT: printable(subject),
      SWF_CHANGE: change,
      SWF_SEVERITY: severity,
      SWF_COUNT: String(count),
      SWF_EXECUTION_ID: printable(execution_id),
    });
    if (problem !== undefined) throw new Error(`it ${problem}`);
  },
});
