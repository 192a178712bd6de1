CREATE TABLE "devflow"."event_looks" (
	"run_id" uuid NOT NULL,
	"phase" text NOT NULL,
	"attempt" integer NOT NULL,
	"seq" bigint NOT NULL,
	CONSTRAINT "event_looks_run_id_phase_attempt_pk" PRIMARY KEY("run_id","phase","attempt")
);
--> statement-breakpoint
CREATE INDEX "topic_events_by_topic" ON "devflow"."topic_events" USING btree ("tenant","topic","seq");