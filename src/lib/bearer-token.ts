/** A token that a header can hold: quoting a token in an error because no header takes it would leak it. */
export const bearerTokenPattern = /^[\x21-\x7E]+$/;

const minLength = 16;

/** Why a token is too weak for an address that others can reach, where they can try tokens; undefined if it is long enough. */
export const weaknessOf = (token: string): string | undefined =>
  token.length >= minLength
    ? undefined
    : `has ${token.length} characters and can be guessed; on an address that others can reach give one of at least ${minLength}`;
