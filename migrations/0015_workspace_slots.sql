-- Bundles are compressed already.
ALTER TABLE devflow.blob_parts ALTER COLUMN content SET STORAGE EXTERNAL;
--> statement-breakpoint
-- Takes the slot of a run's repository and base where its workspace is exclusive. Answers the run that holds it, null when
-- it is this run's. A run that is over holds nothing, so that no end, however it came, has to free anything.
CREATE FUNCTION devflow.take_slot(run uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE r devflow.runs; holder uuid;
BEGIN
  SELECT * INTO r FROM devflow.runs WHERE id = run;
  IF r.workspace->>'exclusive' IS DISTINCT FROM 'true' THEN RETURN NULL; END IF;
  INSERT INTO devflow.workspace_slots (tenant, repo, base, run_id) VALUES (r.tenant, r.workspace->>'repo', coalesce(r.workspace->>'base', 'HEAD'), run) ON CONFLICT DO NOTHING;
  SELECT s.run_id INTO holder FROM devflow.workspace_slots s
    WHERE s.tenant = r.tenant AND s.repo = r.workspace->>'repo' AND s.base = coalesce(r.workspace->>'base', 'HEAD') FOR UPDATE;
  IF holder = run THEN RETURN NULL; END IF;
  IF EXISTS (SELECT 1 FROM devflow.run_heads h WHERE h.run_id = holder AND h.control <> 'over') THEN RETURN holder; END IF;
  UPDATE devflow.workspace_slots s SET run_id = run, taken_at = clock_timestamp()
    WHERE s.tenant = r.tenant AND s.repo = r.workspace->>'repo' AND s.base = coalesce(r.workspace->>'base', 'HEAD');
  RETURN NULL;
END $$;
