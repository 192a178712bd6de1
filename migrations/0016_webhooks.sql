CREATE TABLE "devflow"."webhook_deliveries" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"webhook" text NOT NULL,
	"run_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"type" text NOT NULL,
	"status" text NOT NULL,
	"attempts" integer NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"answered" integer,
	"error" text,
	"created_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "devflow"."webhooks" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"id" text NOT NULL,
	"url" text NOT NULL,
	"events" text[] NOT NULL,
	"template" text,
	"labels" jsonb NOT NULL,
	"is_enabled" boolean NOT NULL,
	"off_because" text,
	"secret" text NOT NULL,
	"old_secret" text,
	"old_secret_until" timestamp with time zone,
	"actor" text NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "webhooks_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "devflow"."webhook_deliveries" USING btree ("due_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_by_webhook" ON "devflow"."webhook_deliveries" USING btree ("tenant","webhook","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_ended" ON "devflow"."webhook_deliveries" USING btree ("ended_at");