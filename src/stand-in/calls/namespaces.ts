import { nextNumber } from '../../db/stand-in/numbers.ts';
import { objectNamed, putObject } from '../../db/stand-in/objects.ts';
import { textOf, without } from '../objects/fields.ts';
import type { Call } from './call.ts';

/** A namespace exists as soon as somebody names it; its first owner stays its owner. */
export const ensureNamespace: Call = {
  method: 'POST',
  path: 'namespaces/ensure',
  answer(tx, { body }) {
    const name = textOf(body['name']);
    if (name === undefined || name === '') return without('name');
    const known = objectNamed(tx.sql, 'namespaces', name);
    const document = known?.document ?? {
      name,
      owner: textOf(body['owner']) ?? '',
      description: textOf(body['description']) ?? '',
    };
    if (known === undefined)
      putObject(tx, { kind: 'namespaces', object_id: String(nextNumber(tx, 'namespaces')), name, document });
    return { status: 200, body: { status: 'success', created: known === undefined, ...document } };
  },
};
