-- Positions in queues come in thousands, so that one statement can number as many runs as it starts, beside others. Changes a sequence:
-- waits for open transactions that have started runs in queues, and other starts in queues wait behind it for as long.

alter sequence {schema}.queue_positions increment by 1000;
