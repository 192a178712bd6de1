-- What an attempt of a phase has on record beside its turns, however long the log is. Turns are not in it: they are most of the
-- log, and pay for no third index.
CREATE INDEX run_events_of_attempts ON devflow.run_events (run_id, phase, attempt) WHERE turn IS NULL AND phase IS NOT NULL;
