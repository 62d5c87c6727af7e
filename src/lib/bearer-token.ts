/** A token that a header can hold: one that is written into an error because no header takes it would be no secret any more. */
export const bearerTokenPattern = /^[\x21-\x7E]+$/;
