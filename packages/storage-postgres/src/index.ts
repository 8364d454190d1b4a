// What a user of Romancy's storage on PostgreSQL imports.
export {};
