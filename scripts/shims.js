// Stands for what SDK 2.x takes from Node, without its validator, which is set up and never used.
export const { process, Object: DefaultJsonSchemaValidator } = globalThis;
