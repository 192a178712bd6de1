DROP INDEX "devflow"."model_calls_open";--> statement-breakpoint
-- Each call is written twice, the second time in place: no index looks at what its end changes, and pages keep room.
ALTER TABLE devflow.model_calls SET (fillfactor = 70);