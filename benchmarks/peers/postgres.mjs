// Postgres itself, for the limits.

export const version = undefined;
export const offers = [];
