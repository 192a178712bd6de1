-- Forks: a new run that takes over what another has done before one of its phases.

-- The events a fork takes over from `source`: of the top-level phases before `before`, in order, with the keys they have (I3).
-- What they cost was paid there: of a call only that it was made, and how it ended, at no cost. Budgets and the gates that asked
-- about them stay behind, for the fork has a budget of its own.
CREATE FUNCTION devflow.reused_lines(source uuid, before integer) RETURNS TABLE (ord bigint, line jsonb) LANGUAGE sql STABLE AS $$
  WITH RECURSIVE taken AS MATERIALIZED (
    SELECT p.id, p.kind FROM devflow.phases p WHERE p.run_id = source AND p.position[1] < before
  ), said AS (
    -- The id of an agent that was asked for help goes on behind its phase's with `~`.
    SELECT e.* FROM devflow.run_events e WHERE e.run_id = source AND (split_part(e.phase, '~', 1) IN (SELECT id FROM taken) OR e.type = 'workspace.pinned'
      OR e.type = 'signal.received' AND EXISTS (SELECT 1 FROM devflow.signals s JOIN taken t ON t.id = regexp_replace(s.taken_by, '/\d+$', '') WHERE s.run_id = source AND s.seq = e.seq))
  ), chain AS (
    -- A phase that was done again may build on files of phases after it: what leads to its snapshots comes along.
    SELECT s.seq, s.base, s.links, s.phase AS of_phase, true AS own FROM devflow.workspace_snapshots s WHERE s.run_id = source AND split_part(s.phase, '~', 1) IN (SELECT id FROM taken)
    UNION
    SELECT b.seq, b.base, b.links, c.of_phase, split_part(b.phase, '~', 1) IN (SELECT id FROM taken) FROM chain c CROSS JOIN LATERAL (
      SELECT s.* FROM devflow.workspace_snapshots s WHERE s.run_id = source AND s.commit = c.base AND s.seq < c.seq ORDER BY s.seq DESC LIMIT 1) b WHERE c.links > 1
  ), calls AS (
    SELECT coalesce(n.seq, r.seq) AS seq, m.phase, m.attempt, m.turn, coalesce(n.at, r.at) AS at, jsonb_strip_nulls(jsonb_build_object(
        'call', m.call, 'status', CASE WHEN m.status IN ('settled', 'failed') THEN m.status ELSE 'aborted' END, 'costMicroUsd', 0, 'costSource', 'reused',
        'modelUsed', m.model_used, 'generationId', m.generation_id, 'latencyMs', m.latency_ms,
        -- A fork of a fork says what it cost in the first place.
        'paid', CASE WHEN m.cost_source = 'reused' THEN n.data->'paid' ELSE jsonb_build_object('costMicroUsd', m.cost_micro_usd, 'inputTokens', m.input_tokens, 'outputTokens', m.output_tokens) END)) AS data
    FROM devflow.model_calls m
    CROSS JOIN LATERAL (SELECT e.seq, e.at FROM said e WHERE e.type = 'call.reserved' AND e.phase = m.phase AND e.attempt = m.attempt AND e.turn = m.turn AND (e.data->>'call')::int = m.call) r
    LEFT JOIN LATERAL (SELECT e.seq, e.at, e.data FROM said e WHERE e.type IN ('call.settled', 'call.lost') AND e.phase = m.phase AND e.attempt = m.attempt AND e.turn = m.turn AND (e.data->>'call')::int = m.call
      ORDER BY e.seq LIMIT 1) n ON true
    WHERE m.run_id = source AND split_part(m.phase, '~', 1) IN (SELECT id FROM taken)
  ), lines AS (
    SELECT e.seq, 1 AS nth, e.type, e.key, e.phase, e.attempt, e.turn, e.at, e.data || CASE WHEN e.type = 'call.reserved' THEN '{"reservedMicroUsd": 0, "reservedTokens": 0}' ELSE '{}' END::jsonb AS data
    FROM said e
    WHERE e.type NOT IN ('call.started', 'call.settled', 'call.lost', 'call.reconciled', 'budget.exceeded', 'budget.warned', 'budget.raised', 'child.waiting', 'child.resumed')
      AND e.type NOT LIKE 'compensation.%'
      AND NOT (e.type LIKE 'gate.%' AND EXISTS (SELECT 1 FROM devflow.gates g WHERE g.run_id = source AND g.id = e.data->>'gate' AND g.budget IS NOT NULL))
    UNION ALL
    SELECT c.seq, 2, 'call.settled', format('%s/%s/%s/call-%s/end', c.phase, c.attempt, c.turn, c.data->>'call'), c.phase, c.attempt, c.turn, c.at, c.data FROM calls c
    UNION ALL
    -- Nothing begins at these: they belong to no attempt.
    SELECT e.seq, 1, e.type, 'reused/snapshot/' || e.seq, min(c.of_phase), 0, NULL, e.at, e.data FROM chain c JOIN devflow.run_events e ON e.run_id = source AND e.seq = c.seq
    WHERE NOT c.own GROUP BY e.seq, e.type, e.at, e.data
  )
  SELECT row_number() OVER (ORDER BY l.seq, l.nth), jsonb_build_object('type', l.type, 'key', l.key, 'phase', l.phase, 'attempt', l.attempt, 'turn', l.turn,
    'data', l.data || jsonb_build_object('reused', true, 'firstAt', coalesce(l.data->>'firstAt', to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))))
  FROM lines l
$$;
--> statement-breakpoint
-- Keeps for a fork what the lines it has taken over speak of: bodies, artifacts, lists, snapshots.
CREATE FUNCTION devflow.reuse_blobs(source uuid, run uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE named text[]; inner_named text[];
BEGIN
  SELECT array_agg(DISTINCT m[1]) INTO named FROM devflow.run_events e, regexp_matches(e.data::text, '\m[0-9a-f]{64}\M', 'g') m WHERE e.run_id = run;
  -- Of an event whose body is stored apart, what that speaks of.
  SELECT array_agg(DISTINCT m[1]) INTO inner_named
    FROM (SELECT DISTINCT e.data->>'$blob' AS hash FROM devflow.run_events e WHERE e.run_id = run AND e.data ? '$blob') x
    JOIN devflow.blobs b ON b.run_id = source AND b.sha256 = x.hash, regexp_matches(convert_from(b.content, 'UTF8'), '\m[0-9a-f]{64}\M', 'g') m;
  named := named || inner_named;
  INSERT INTO devflow.blobs (run_id, sha256, tenant, content) SELECT run, b.sha256, b.tenant, b.content FROM devflow.blobs b WHERE b.run_id = source AND b.sha256 = ANY (named) ON CONFLICT DO NOTHING;
  INSERT INTO devflow.blob_parts (run_id, sha256, part, tenant, content) SELECT run, b.sha256, b.part, b.tenant, b.content FROM devflow.blob_parts b WHERE b.run_id = source AND b.sha256 = ANY (named) ON CONFLICT DO NOTHING;
END $$;
--> statement-breakpoint
-- Makes a run that goes on from `from_phase` of `source` with what that has done before it, in one transaction: `run.submitted`, the
-- events it takes over, the wake. It begins earlier where what `source` had done was undone, for that is to be done again.
-- The source may go on meanwhile: what lies before a phase that is to begin does not change under its head's lock.
-- Answers {answer: done, phase: where it begins} or not_found, unknown_phase, compensating, not_reached (phase: what is not done).
CREATE FUNCTION devflow.fork_run(source uuid, from_phase text, run uuid, hash text, definition jsonb, submitted jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE h devflow.run_heads; before integer; first text; missing text; pinned jsonb; steps jsonb; page jsonb;
BEGIN
  SELECT * INTO h FROM devflow.run_heads WHERE run_id = source FOR SHARE;
  IF NOT FOUND THEN RETURN jsonb_build_object('answer', 'not_found'); END IF;
  SELECT p.position[1] INTO before FROM devflow.phases p WHERE p.run_id = source AND p.id = from_phase AND cardinality(p.position) = 1;
  IF NOT FOUND THEN RETURN jsonb_build_object('answer', 'unknown_phase'); END IF;
  IF h.control <> 'over' AND EXISTS (SELECT 1 FROM devflow.run_events e WHERE e.run_id = source AND e.type = 'compensation.started') THEN RETURN jsonb_build_object('answer', 'compensating'); END IF;
  SELECT least(before, min(p.position[1])) INTO before FROM devflow.phases p
    WHERE p.run_id = source AND EXISTS (SELECT 1 FROM devflow.run_events e WHERE e.run_id = source AND e.type = 'compensation.started' AND e.phase = p.id);
  SELECT d.body->'phases' INTO steps FROM devflow.runs r JOIN devflow.definitions d ON d.hash = r.definition_hash WHERE r.id = source;
  SELECT p.id INTO missing FROM devflow.phases p
    WHERE p.run_id = source AND cardinality(p.position) = 1 AND p.position[1] < before AND (CASE p.status
      WHEN 'skipped' THEN true
      -- A rejection that ends the run well ends it there, however deep the gate is.
      WHEN 'completed' THEN NOT EXISTS (SELECT 1 FROM devflow.gates g JOIN devflow.phases i ON i.run_id = g.run_id AND i.id = g.phase
        WHERE g.run_id = source AND i.position[1] = p.position[1] AND g.status = 'rejected' AND g.on_reject = 'end')
      WHEN 'failed' THEN steps->(p.position[1] - 1)->>'onError' = 'continue'
        AND NOT EXISTS (SELECT 1 FROM devflow.gates g WHERE g.run_id = source AND g.phase = p.id AND g.attempt = p.attempt AND g.budget IS NOT NULL AND g.status = 'rejected')
      ELSE false END) IS NOT TRUE
    ORDER BY p.position LIMIT 1;
  IF missing IS NOT NULL THEN RETURN jsonb_build_object('answer', 'not_reached', 'phase', missing); END IF;
  SELECT p.id INTO first FROM devflow.phases p WHERE p.run_id = source AND p.position = ARRAY[before];

  PERFORM devflow.submit(run, h.tenant, hash, definition, submitted || jsonb_build_object('forkedFrom', source, 'fromPhase', first));
  FOR page IN SELECT jsonb_agg(l.line ORDER BY l.ord) FROM devflow.reused_lines(source, before) l GROUP BY (l.ord - 1) / 500 ORDER BY min(l.ord) LOOP
    PERFORM devflow.record(run, page);
  END LOOP;
  -- Whoever begins works on the commit that the source worked on, though the branch may have moved since.
  SELECT e.data->'workspace' INTO pinned FROM devflow.run_events e
    WHERE e.run_id = source AND e.type IN ('phase.started', 'workspace.pinned') AND e.data->'workspace' ? 'commit' ORDER BY e.seq LIMIT 1;
  IF pinned IS NOT NULL THEN
    PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'workspace.pinned', 'key', 'workspace/pinned', 'data', jsonb_build_object('workspace', pinned, 'reused', true))));
  END IF;
  PERFORM devflow.reuse_blobs(source, run);
  RETURN jsonb_build_object('answer', 'done', 'phase', first);
END $$;
