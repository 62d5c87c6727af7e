import { type Call, CallError, type World } from './call.ts';

/** The answers that a report was made with. */
interface ReportData {
  execution_id: string;
  made_at: string;
  status: string;
  answers: { tool: string; args: Record<string, unknown>; answer: unknown }[];
}

/** The file that the page is in: it has the answers with it, and asks nobody. */
export async function reportWorld(): Promise<World> {
  const text = document.getElementById('data')?.textContent ?? '{}';
  const data = JSON.parse(text) as ReportData;
  const call: Call = <T>(tool: string): Promise<T> => {
    const found = data.answers.find((one) => one.tool === tool);
    return found === undefined
      ? Promise.reject(new CallError('refused', `this report has no answer of ${tool}`))
      : Promise.resolve(found.answer as T);
  };
  return {
    kind: 'report',
    call,
    report: { execution_id: data.execution_id, madeAt: data.made_at, isRunning: data.status === 'running' },
  };
}
