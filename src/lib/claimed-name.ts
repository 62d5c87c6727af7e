/** The name of a person as it is told: nobody has checked one that another claims. */
export const claimedName = (name: string, sentBy: string | null | undefined): string =>
  sentBy === null || sentBy === undefined ? name : `${name} (as ${sentBy} claims)`;
