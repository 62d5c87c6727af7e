// Stands for what SDK 2.x takes from Node, without its validator, which is never used.
export const { process } = globalThis;
export const DefaultJsonSchemaValidator = undefined;
