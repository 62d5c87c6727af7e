import { onceFor } from '../../lib/once-for.ts';
import type { ExecutionParams } from '../params.ts';
import type { Plan } from './plan.ts';
import { planV1 } from './v1.ts';

/** The versions of the plan, each in its own file. */
const plans: Readonly<Record<ExecutionParams['plan_version'], (params: ExecutionParams) => Plan>> = { 1: planV1 };

/** The plan of an execution, in the version with which the execution began. */
export const planOf = onceFor((params: ExecutionParams) => plans[params.plan_version](params));
