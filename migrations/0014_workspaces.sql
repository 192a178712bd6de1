CREATE TABLE "devflow"."blob_parts" (
	"run_id" uuid NOT NULL,
	"sha256" text NOT NULL,
	"part" integer NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"content" "bytea" NOT NULL,
	CONSTRAINT "blob_parts_run_id_sha256_part_pk" PRIMARY KEY("run_id","sha256","part")
);
--> statement-breakpoint
CREATE TABLE "devflow"."workspace_slots" (
	"tenant" text DEFAULT 'default' NOT NULL,
	"repo" text NOT NULL,
	"base" text NOT NULL,
	"run_id" uuid NOT NULL,
	"taken_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workspace_slots_tenant_repo_base_pk" PRIMARY KEY("tenant","repo","base")
);
--> statement-breakpoint
CREATE TABLE "devflow"."workspace_snapshots" (
	"run_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"line" text NOT NULL,
	"phase" text NOT NULL,
	"attempt" integer NOT NULL,
	"sha256" text NOT NULL,
	"bytes" bigint NOT NULL,
	"commit" text NOT NULL,
	"base" text NOT NULL,
	"links" integer NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "workspace_snapshots_run_id_seq_pk" PRIMARY KEY("run_id","seq")
);
