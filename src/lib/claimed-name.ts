/** A person's name as shown, with its sender if the name is only claimed. */
export const claimedName = (name: string, sentBy: string | null | undefined): string =>
  sentBy === null || sentBy === undefined ? name : `${name} (as ${sentBy} claims)`;
