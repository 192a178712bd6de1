CREATE SCHEMA "devflow";
--> statement-breakpoint
CREATE TABLE "devflow"."artifacts" (
	"run_id" uuid NOT NULL,
	"name" text NOT NULL,
	"version" integer NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"sha256" text NOT NULL,
	"media_type" text NOT NULL,
	"bytes" integer NOT NULL,
	"phase" text,
	"attempt" integer,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "artifacts_run_id_name_version_pk" PRIMARY KEY("run_id","name","version")
);
--> statement-breakpoint
CREATE TABLE "devflow"."blobs" (
	"run_id" uuid NOT NULL,
	"sha256" text NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"content" "bytea" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "blobs_run_id_sha256_pk" PRIMARY KEY("run_id","sha256")
);
--> statement-breakpoint
CREATE TABLE "devflow"."definitions" (
	"hash" text PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"format" integer NOT NULL,
	"body" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "devflow"."gate_decisions" (
	"run_id" uuid NOT NULL,
	"gate" text NOT NULL,
	"attempt" integer NOT NULL,
	"principal" text NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"decision" text NOT NULL,
	"comment" text,
	"subject_hash" text NOT NULL,
	"implied" boolean NOT NULL,
	"via" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "gate_decisions_run_id_gate_attempt_principal_pk" PRIMARY KEY("run_id","gate","attempt","principal")
);
--> statement-breakpoint
CREATE TABLE "devflow"."gates" (
	"run_id" uuid NOT NULL,
	"id" text NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"phase" text NOT NULL,
	"attempt" integer NOT NULL,
	"status" text NOT NULL,
	"title" text NOT NULL,
	"subject" jsonb NOT NULL,
	"subject_hash" text NOT NULL,
	"quorum" integer NOT NULL,
	"reject_quorum" integer NOT NULL,
	"approvers" text[],
	"require_subject_hash" boolean NOT NULL,
	"on_reject" text NOT NULL,
	"on_deadline" jsonb,
	"escalated_at" timestamp with time zone,
	"deadline" timestamp with time zone,
	"opened_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "gates_run_id_id_pk" PRIMARY KEY("run_id","id")
);
--> statement-breakpoint
CREATE TABLE "devflow"."idempotency_keys" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"key" text NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"body_hash" text NOT NULL,
	"run_id" uuid NOT NULL,
	"status" integer NOT NULL,
	"answer" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_key_pk" PRIMARY KEY("tenant","key")
);
--> statement-breakpoint
CREATE TABLE "devflow"."model_calls" (
	"run_id" uuid NOT NULL,
	"phase" text NOT NULL,
	"attempt" integer NOT NULL,
	"turn" integer NOT NULL,
	"call" integer NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"persona" text NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"model_used" text,
	"status" text NOT NULL,
	"reserved_micro_usd" numeric NOT NULL,
	"reserved_tokens" bigint NOT NULL,
	"cost_micro_usd" numeric,
	"cost_source" text,
	"input_tokens" bigint,
	"output_tokens" bigint,
	"cached_tokens" bigint,
	"reasoning_tokens" bigint,
	"generation_id" text,
	"latency_ms" bigint,
	"at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "model_calls_run_id_phase_attempt_turn_call_pk" PRIMARY KEY("run_id","phase","attempt","turn","call")
);
--> statement-breakpoint
CREATE TABLE "devflow"."outbox" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "devflow"."phases" (
	"run_id" uuid NOT NULL,
	"id" text NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"position" integer NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"attempt" integer NOT NULL,
	"round_attempt" integer NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"retry_at" timestamp with time zone,
	"deadline" timestamp with time zone,
	"error" jsonb,
	"output" jsonb,
	CONSTRAINT "phases_run_id_id_pk" PRIMARY KEY("run_id","id")
);
--> statement-breakpoint
CREATE TABLE "devflow"."run_budgets" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"limit_micro_usd" numeric,
	"limit_tokens" bigint,
	"reserved_micro_usd" numeric NOT NULL,
	"settled_micro_usd" numeric NOT NULL,
	"reserved_tokens" bigint NOT NULL,
	"settled_tokens" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "devflow"."run_heads" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"seq" bigint NOT NULL,
	"last_at" timestamp with time zone NOT NULL,
	"control" text NOT NULL,
	"commands" integer NOT NULL,
	"execution_epoch" integer NOT NULL,
	"execution" text
);
--> statement-breakpoint
CREATE TABLE "devflow"."runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"template" text NOT NULL,
	"definition_hash" text NOT NULL,
	"status" text NOT NULL,
	"input" jsonb,
	"labels" jsonb NOT NULL,
	"budget" jsonb NOT NULL,
	"workspace" jsonb,
	"actor" text NOT NULL,
	"parent" uuid,
	"forked_from" uuid,
	"attempt" integer NOT NULL,
	"output" jsonb,
	"error" jsonb,
	"created_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "devflow"."sessions" (
	"run_id" uuid NOT NULL,
	"session" text NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"epoch" integer NOT NULL,
	"taken_at" timestamp with time zone NOT NULL,
	CONSTRAINT "sessions_run_id_session_pk" PRIMARY KEY("run_id","session")
);
--> statement-breakpoint
CREATE TABLE "devflow"."signals" (
	"run_id" uuid NOT NULL,
	"name" text NOT NULL,
	"id" text NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"seq" bigint NOT NULL,
	"data" jsonb,
	"taken_by" text,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "signals_run_id_name_id_pk" PRIMARY KEY("run_id","name","id")
);
--> statement-breakpoint
CREATE TABLE "devflow"."tombstones" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"actor" text NOT NULL,
	"deleted_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "gates_by_status" ON "devflow"."gates" USING btree ("tenant","status","opened_at");--> statement-breakpoint
CREATE INDEX "idempotency_by_run" ON "devflow"."idempotency_keys" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "model_calls_open" ON "devflow"."model_calls" USING btree ("status","ended_at");--> statement-breakpoint
CREATE INDEX "outbox_due" ON "devflow"."outbox" USING btree ("due_at");--> statement-breakpoint
CREATE INDEX "outbox_by_run" ON "devflow"."outbox" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "runs_by_status" ON "devflow"."runs" USING btree ("tenant","status","id");--> statement-breakpoint
CREATE INDEX "runs_by_template" ON "devflow"."runs" USING btree ("tenant","template","id");--> statement-breakpoint
CREATE INDEX "runs_by_label" ON "devflow"."runs" USING gin ("labels");