// What a row of an answer is: its columns as text, in the order in which they were asked for.

/** A row as the database wrote it: text or null, column by column. */
export type Row = readonly (string | null)[];
