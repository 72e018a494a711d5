-- The same key with another message can be refused. Adds a column without a default, which rewrites nothing: locks messages for a moment.

alter table {schema}.messages add column fingerprint text;

comment on column {schema}.messages.fingerprint is 'Digest of what was asked for, given with the key: the same key with another one is refused.';
