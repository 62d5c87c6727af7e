import * as z from 'zod';

import { envelopeShape } from '../../src/messages/fields.ts';
import { telemetrySchemas, type TelemetryType } from '../../src/messages/telemetry.ts';
import { isLogbookType, type MessageType, messageTypes, vocabulary } from '../../src/messages/vocabulary.ts';
import { table } from './keys-table.ts';
import { fieldWords, messageWords, ownWords } from './message-words.ts';
import { telemetryWords } from './telemetry-words.ts';

/** The tables of telemetry as Markdown. */
export const telemetryTables = (): string => telemetryTypes.map(telemetrySection).join('\n\n');

const telemetryTypes = Object.keys(telemetrySchemas) as TelemetryType[];

function telemetrySection(type: TelemetryType): string {
  const { about, from, to, fields } = telemetryWords[type];
  const { msg_type: _, ...shape } = telemetrySchemas[type].shape;
  return [
    `### ${type}`,
    about,
    `From ${from}, to ${to}, on \`telemetry\`.`,
    fieldsTable(shape, (name) => fields[name as keyof typeof fields]),
  ].join('\n\n');
}

/**
 * The tables of `docs/messages.md` as Markdown: every message type with its fields, generated from the vocabulary.
 */
export const messageTables = (): string =>
  [
    '### Envelope',
    fieldsTable({ msg_type: z.string(), ...envelopeShape }, wordsOf('envelope')),
    ...messageTypes.map(messageSection),
  ].join('\n\n');

function messageSection(type: MessageType): string {
  const { about, from, to } = messageWords[type];
  const { destination, fields } = vocabulary[type];
  const key = keyOf(type);
  const isLogbook = isLogbookType(type);
  const id = isLogbook ? key : [...(type === 'run_workflow' ? [] : ['{execution_id}']), type, key].join('/');
  const way = isLogbook ? 'never over a broker' : `on \`${destination}\``;
  return [
    `### ${type}`,
    about,
    `From ${from}, to ${to}, ${way}. Its id is \`${id.replace(/\/$/, '')}\`.`,
    fieldsTable(fields().shape, wordsOf(type)),
  ].join('\n\n');
}

/**
 * The natural key as a pattern of field names. The key function is called with a message in which each
 * field's value is its name.
 */
function keyOf(type: MessageType): string {
  const named = new Proxy({}, { get: (_, field) => `{${String(field)}}` });
  return (vocabulary[type].key as (message: object) => string)(named);
}

const wordsOf =
  (of: string) =>
  (name: string): string =>
    ownWords[`${of}.${name}`] ?? fieldWords[name as keyof typeof fieldWords];

const fieldsTable = (shape: Readonly<Record<string, z.ZodType>>, words: (name: string) => string): string =>
  Object.keys(shape).length === 0
    ? 'It has no fields of its own.'
    : table(
        ['field', 'type', 'meaning'],
        Object.entries(shape).map(([name, schema]) => [
          `\`${name}\`${schema.safeParse(undefined).success ? '' : ' *'}`,
          typeOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })).replaceAll('|', String.raw`\|`),
          words(name),
        ]),
      );

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A JSON schema in a few words. */
function typeOf(schema: JsonSchema): string {
  const { type, enum: values, const: value, anyOf, items, properties, minimum = 0, maxLength } = schema;
  if (value !== undefined) return `\`${String(value)}\``;
  if (values !== undefined) return values.map((one) => `\`${String(one)}\``).join(', ');
  if (anyOf !== undefined) return anyOf.map((one) => typeOf(one)).join(' or ');
  if (type === 'array') return `array of ${typeOf(items as JsonSchema).replace(/^(?:string|object)/, '$&s')}`;
  if (type === 'object' && properties !== undefined && Object.keys(properties).length <= 3)
    return `object with ${Object.keys(properties).join(', ')}`;
  if (type === 'integer') return minimum > 0 ? 'integer from 1' : 'integer';
  if (type === 'string' && maxLength !== undefined) return `string, at most ${maxLength} characters`;
  return typeof type === 'string' ? type : 'any';
}
