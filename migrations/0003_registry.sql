CREATE TABLE "devflow"."registry_changes" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"id" text NOT NULL,
	"version" integer NOT NULL,
	"position" integer NOT NULL,
	"op" text NOT NULL,
	"kind" text NOT NULL,
	"hash" text NOT NULL,
	"body" jsonb,
	CONSTRAINT "registry_changes_tenant_id_version_pk" PRIMARY KEY("tenant","id","version")
);
--> statement-breakpoint
CREATE TABLE "devflow"."registry_pins" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"id" text NOT NULL,
	"hash" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "registry_pins_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "devflow"."registry_versions" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"version" integer NOT NULL,
	"actor" text NOT NULL,
	"restored_from" integer,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "registry_versions_tenant_version_pk" PRIMARY KEY("tenant","version")
);
--> statement-breakpoint
ALTER TABLE "devflow"."idempotency_keys" ALTER COLUMN "run_id" DROP NOT NULL;--> statement-breakpoint
CREATE INDEX "registry_changes_by_version" ON "devflow"."registry_changes" USING btree ("tenant","version","position");