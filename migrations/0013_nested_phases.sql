ALTER TABLE "devflow"."phases" ALTER COLUMN "position" SET DATA TYPE integer[] USING ARRAY["position"];--> statement-breakpoint
ALTER TABLE "devflow"."phases" ADD COLUMN "generation" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."phases" ADD COLUMN "opened" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."phases" ADD COLUMN "total" integer;--> statement-breakpoint
ALTER TABLE "devflow"."phases" ADD COLUMN "items" text;--> statement-breakpoint
ALTER TABLE "devflow"."phases" ADD COLUMN "continues" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."phases" ADD COLUMN "child" uuid;--> statement-breakpoint
CREATE INDEX "phases_in_view" ON "devflow"."phases" USING btree ("run_id","position") WHERE cardinality(position) = 1 or status in ('pending', 'running', 'waiting', 'failed');--> statement-breakpoint
CREATE INDEX "runs_by_parent" ON "devflow"."runs" USING btree ("parent") WHERE parent is not null;--> statement-breakpoint
-- A run and all that it has started, and those have: what is spent by them is spent by it.
CREATE FUNCTION devflow.family(run uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
  WITH RECURSIVE f(id) AS (SELECT run UNION SELECT c.id FROM f JOIN devflow.runs c ON c.parent = f.id) SELECT array_agg(id) FROM f
$$;
