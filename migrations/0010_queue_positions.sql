-- Positions in queues come in thousands, so that one statement can number as many runs as it starts, beside others. Changes a sequence; locks
-- nothing that is read or written for longer than that takes.

alter sequence {schema}.queue_positions increment by 1000;
