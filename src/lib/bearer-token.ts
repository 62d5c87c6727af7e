/** A token that a header can hold: quoting a token in an error because no header takes it would leak it. */
export const bearerTokenPattern = /^[\x21-\x7E]+$/;

/** A shorter token can be guessed by somebody who may try it: on addresses that others can reach it is refused. Characters. */
export const minTokenLength = 16;
