// Replaces what SDK 2.x imports for Node, leaving out its validator, which is set up but never used.
export const { process, Object: DefaultJsonSchemaValidator } = globalThis;
