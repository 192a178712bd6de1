CREATE TABLE "devflow"."call_lookups" (
	"run_id" uuid NOT NULL,
	"phase" text NOT NULL,
	"attempt" integer NOT NULL,
	"turn" integer NOT NULL,
	"call" integer NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"looks" integer NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	CONSTRAINT "call_lookups_run_id_phase_attempt_turn_call_pk" PRIMARY KEY("run_id","phase","attempt","turn","call")
);
--> statement-breakpoint
CREATE TABLE "devflow"."model_pricing" (
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"source" text NOT NULL,
	"input_micro_usd" numeric NOT NULL,
	"output_micro_usd" numeric NOT NULL,
	"cache_read_micro_usd" numeric,
	"cache_write_micro_usd" numeric,
	"reasoning_micro_usd" numeric,
	"request_micro_usd" numeric,
	"tiers" jsonb,
	"fetched_at" timestamp with time zone NOT NULL,
	CONSTRAINT "model_pricing_provider_model_source_pk" PRIMARY KEY("provider","model","source")
);
--> statement-breakpoint
CREATE TABLE "devflow"."price_lists" (
	"provider" text PRIMARY KEY NOT NULL,
	"requested_at" timestamp with time zone,
	"attempted_at" timestamp with time zone,
	"refreshed_at" timestamp with time zone,
	"failures" integer DEFAULT 0 NOT NULL,
	"models" integer,
	"left_out" jsonb,
	"error" text
);
--> statement-breakpoint
CREATE INDEX "call_lookups_due" ON "devflow"."call_lookups" USING btree ("due_at");