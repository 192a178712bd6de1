-- Events from outside: published once, waking the runs that wait for them and starting those that triggers ask for.

-- Whether a topic is of a pattern: `*` is one word, `**` at the end all that follow.
CREATE FUNCTION devflow.topic_matches(topic text, pattern text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT topic = pattern OR topic ~ ('^' || replace(replace(replace(replace(pattern, '.', '\.'), '**', '#'), '*', '[^.]+'), '#', '.+') || '$')
$$;
--> statement-breakpoint
-- Publishers of a tenant go one after the other, so that seq is the order of commits: who has read up to a seq has missed
-- nothing before it. A wait that opens meanwhile looks under the same lock (`events_for_wait`), so one of the two sees the other.
CREATE FUNCTION devflow.lock_topics(of_tenant text, alone boolean) RETURNS void LANGUAGE sql AS $$
  SELECT CASE WHEN alone THEN pg_advisory_xact_lock(hashtextextended('devflow.topics/' || of_tenant, 0))
    ELSE pg_advisory_xact_lock_shared(hashtextextended('devflow.topics/' || of_tenant, 0)) END
$$;
--> statement-breakpoint
CREATE FUNCTION devflow.publish(event_tenant text, event_topic text, event_id text, event_data jsonb, publisher text, OUT event_seq bigint, OUT is_new boolean) LANGUAGE plpgsql AS $$
DECLARE said jsonb := jsonb_build_object('topic', event_topic, 'id', event_id, 'data', event_data); e devflow.topic_events;
BEGIN
  PERFORM devflow.lock_topics(event_tenant, true);
  SELECT t.seq INTO event_seq FROM devflow.topic_events t WHERE t.tenant = event_tenant AND t.topic = event_topic AND t.id = event_id;
  is_new := NOT FOUND;
  IF NOT is_new THEN RETURN; END IF;
  INSERT INTO devflow.topic_events (tenant, topic, id, data, actor, at) VALUES (event_tenant, event_topic, event_id, event_data, publisher, clock_timestamp()) RETURNING * INTO e;
  event_seq := e.seq;
  INSERT INTO devflow.outbox (run_id, tenant)
    SELECT DISTINCT w.run_id, w.tenant FROM devflow.event_waits w
    WHERE w.tenant = event_tenant AND w.is_open AND devflow.topic_matches(event_topic, w.pattern) AND (w.filter IS NULL OR said @> w.filter);
  INSERT INTO devflow.submissions (tenant, source, key, submit, match, event, status, attempts, due_at, created_at)
    SELECT t.tenant, 'trigger/' || t.id, 'event/' || e.seq, t.submit, t.match,
      said || jsonb_build_object('seq', e.seq, 'actor', publisher, 'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')), 'waiting', 0, e.at, e.at
    FROM devflow.triggers t WHERE t.tenant = event_tenant AND t.is_enabled AND devflow.topic_matches(event_topic, t.pattern);
END $$;
--> statement-breakpoint
-- The next events an open wait has to look at, in order: published since its run was submitted, not looked at before, and not
-- taken by another wait of the run.
CREATE FUNCTION devflow.events_for_wait(run uuid, wait_phase text, wait_attempt integer, most integer) RETURNS SETOF devflow.topic_events LANGUAGE plpgsql AS $$
DECLARE w devflow.event_waits; after bigint;
BEGIN
  SELECT * INTO w FROM devflow.event_waits x WHERE x.run_id = run AND x.phase = wait_phase AND x.attempt = wait_attempt AND x.is_open;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM devflow.lock_topics(w.tenant, false);
  after := greatest(
    (SELECT l.seq FROM devflow.event_looks l WHERE l.run_id = run AND l.phase = wait_phase AND l.attempt = wait_attempt),
    (SELECT t.seq FROM devflow.topic_events t WHERE t.tenant = w.tenant AND t.at < (SELECT r.created_at FROM devflow.runs r WHERE r.id = run) ORDER BY t.at DESC LIMIT 1),
    0);
  RETURN QUERY SELECT t.* FROM devflow.topic_events t
    WHERE t.tenant = w.tenant AND t.seq > after AND (CASE WHEN w.pattern LIKE '%*%' THEN devflow.topic_matches(t.topic, w.pattern) ELSE t.topic = w.pattern END)
      AND (w.filter IS NULL OR jsonb_build_object('topic', t.topic, 'id', t.id, 'data', t.data) @> w.filter)
      AND NOT EXISTS (SELECT 1 FROM devflow.event_waits x WHERE x.run_id = run AND x.taken = t.seq)
    ORDER BY t.seq LIMIT most;
END $$;
