// What a user of Romancy's storage on SQLite imports.
export {};
