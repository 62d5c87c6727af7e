/** Stands for a message in `TIME@MESSAGE_ID`, where there was none yet. */
export const noMessage = 'none';
