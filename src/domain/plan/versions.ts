import { onceFor } from '../../lib/once-for.ts';
import type { ExecutionParams } from '../params.ts';
import type { Plan } from './plan.ts';
import { planV1 } from './v1.ts';

/** The versions of the plan, each as its own file. */
const plans: Readonly<Record<ExecutionParams['plan_version'], (params: ExecutionParams) => Plan>> = { 1: planV1 };

/** The plan of an execution, by the version that it began with. */
export const planOf = onceFor((params: ExecutionParams): Plan => plans[params.plan_version](params));
