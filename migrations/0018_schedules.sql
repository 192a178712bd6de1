CREATE TABLE "devflow"."schedules" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"id" text NOT NULL,
	"spec" jsonb NOT NULL,
	"submit" jsonb NOT NULL,
	"overlap" text NOT NULL,
	"jitter" text,
	"catch_up" text NOT NULL,
	"remaining" integer,
	"is_paused" boolean DEFAULT false NOT NULL,
	"paused_because" text,
	"active_since" timestamp with time zone NOT NULL,
	"caught_up_to" timestamp with time zone DEFAULT now() NOT NULL,
	"version" bigint DEFAULT 1 NOT NULL,
	"mirrored_version" bigint DEFAULT 0 NOT NULL,
	"mirror_error" text,
	"last_run" uuid,
	"actor" text NOT NULL,
	"updated_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "schedules_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
ALTER TABLE "devflow"."submissions" ADD COLUMN "at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "devflow"."submissions" ADD COLUMN "overlap" text;--> statement-breakpoint
ALTER TABLE "devflow"."submissions" ADD COLUMN "is_manual" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."submissions" ADD COLUMN "reason" text;--> statement-breakpoint
CREATE INDEX "schedules_to_mirror" ON "devflow"."schedules" USING btree ("updated_at") WHERE mirrored_version <> version;--> statement-breakpoint
CREATE INDEX "submissions_waiting" ON "devflow"."submissions" USING btree ("tenant","source","at") WHERE status = 'waiting';--> statement-breakpoint
CREATE INDEX "submissions_by_source" ON "devflow"."submissions" USING btree ("tenant","source","id");