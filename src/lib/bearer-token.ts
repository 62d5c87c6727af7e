/** A token that a header can hold: quoting a token in an error because no header takes it would leak it. */
export const bearerTokenPattern = /^[\x21-\x7E]+$/;
