/** A person's name as shown: nobody has checked a name that another claims. */
export const claimedName = (name: string, sentBy: string | null | undefined): string =>
  sentBy === null || sentBy === undefined ? name : `${name} (as ${sentBy} claims)`;
