ALTER TABLE "devflow"."tombstones" ADD COLUMN "template" text;--> statement-breakpoint
ALTER TABLE "devflow"."tombstones" ADD COLUMN "labels" jsonb;