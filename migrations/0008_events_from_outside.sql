CREATE TABLE "devflow"."budget_pools" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"scope" text NOT NULL,
	"persona" text NOT NULL,
	"day" date NOT NULL,
	"limit_micro_usd" numeric,
	"limit_tokens" bigint,
	"on_exceeded" text NOT NULL,
	"allow_unpriced" boolean NOT NULL,
	"crossed" boolean DEFAULT false NOT NULL,
	"used_micro_usd" numeric NOT NULL,
	"used_tokens" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "devflow"."budget_slices" (
	"pool" bigint NOT NULL,
	"process" text NOT NULL,
	"drawn_micro_usd" numeric NOT NULL,
	"drawn_tokens" bigint NOT NULL,
	"used_micro_usd" numeric NOT NULL,
	"used_tokens" bigint NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "budget_slices_pool_process_pk" PRIMARY KEY("pool","process")
);
--> statement-breakpoint
CREATE TABLE "devflow"."budgets" (
	"tenant" text NOT NULL,
	"scope" text NOT NULL,
	"persona" text DEFAULT '' NOT NULL,
	"position" integer NOT NULL,
	"limit_micro_usd" numeric,
	"limit_tokens" bigint,
	"on_exceeded" text NOT NULL,
	"allow_unpriced" boolean DEFAULT false NOT NULL,
	"actor" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "budgets_tenant_scope_persona_pk" PRIMARY KEY("tenant","scope","persona")
);
--> statement-breakpoint
CREATE TABLE "devflow"."event_waits" (
	"run_id" uuid NOT NULL,
	"phase" text NOT NULL,
	"attempt" integer NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"pattern" text NOT NULL,
	"filter" jsonb,
	"is_open" boolean NOT NULL,
	"taken" bigint,
	CONSTRAINT "event_waits_run_id_phase_attempt_pk" PRIMARY KEY("run_id","phase","attempt")
);
--> statement-breakpoint
CREATE TABLE "devflow"."submissions" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"source" text NOT NULL,
	"key" text NOT NULL,
	"submit" jsonb NOT NULL,
	"match" text,
	"event" jsonb,
	"status" text NOT NULL,
	"attempts" integer NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"run_id" uuid,
	"error" jsonb,
	"created_at" timestamp with time zone NOT NULL,
	"settled_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "devflow"."topic_events" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"topic" text NOT NULL,
	"id" text NOT NULL,
	"data" jsonb NOT NULL,
	"actor" text NOT NULL,
	"at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "devflow"."triggers" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"id" text NOT NULL,
	"pattern" text NOT NULL,
	"match" text,
	"submit" jsonb NOT NULL,
	"is_enabled" boolean NOT NULL,
	"actor" text NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "triggers_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "budget" jsonb;--> statement-breakpoint
ALTER TABLE "devflow"."run_budgets" ADD COLUMN "on_exceeded" text;--> statement-breakpoint
ALTER TABLE "devflow"."run_budgets" ADD COLUMN "allow_unpriced" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."run_budgets" ADD COLUMN "passes" jsonb;--> statement-breakpoint
ALTER TABLE "devflow"."run_heads" ADD COLUMN "pooled" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."run_heads" ADD COLUMN "root" uuid;--> statement-breakpoint
CREATE UNIQUE INDEX "budget_pools_by_day" ON "devflow"."budget_pools" USING btree ("day","scope","tenant","persona");--> statement-breakpoint
CREATE INDEX "event_waits_open" ON "devflow"."event_waits" USING btree ("tenant") WHERE is_open;--> statement-breakpoint
CREATE UNIQUE INDEX "submissions_once" ON "devflow"."submissions" USING btree ("tenant","source","key");--> statement-breakpoint
CREATE INDEX "submissions_due" ON "devflow"."submissions" USING btree ("due_at") WHERE status = 'waiting';--> statement-breakpoint
CREATE UNIQUE INDEX "topic_events_once" ON "devflow"."topic_events" USING btree ("tenant","topic","id");--> statement-breakpoint
CREATE INDEX "topic_events_by_age" ON "devflow"."topic_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "model_calls_by_time" ON "devflow"."model_calls" USING brin ("at");