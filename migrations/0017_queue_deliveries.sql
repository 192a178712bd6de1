-- Puts what webhooks are to be told of in their queue; called by `append` with what it has just written, where there are webhooks.
CREATE FUNCTION devflow.queue_deliveries(evs devflow.log_event[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO devflow.webhook_deliveries (tenant, webhook, run_id, seq, type, status, attempts, due_at, created_at)
  SELECT e.tenant, w.id, e.run_id, e.seq, e.type, 'pending', 0, clock_timestamp(), clock_timestamp()
  FROM unnest(evs) e
  JOIN devflow.runs r ON r.id = e.run_id
  JOIN devflow.webhooks w ON w.tenant = e.tenant AND w.is_enabled
    AND (w.template IS NULL OR w.template = r.template OR w.template = split_part(r.template, '@', 1)) AND r.labels @> w.labels
    AND EXISTS (SELECT 1 FROM unnest(w.events) p WHERE devflow.topic_matches(e.type, p))
  -- What a fork takes over was told of where it happened.
  WHERE e.type NOT LIKE 'call.%' AND NOT e.data ? 'reused'
  ORDER BY e.run_id, e.seq
$$;
--> statement-breakpoint
-- Takes deliveries that are due, for `lease` seconds: one whose process dies is taken by another. It reads the event as it is in the log.
CREATE FUNCTION devflow.claim_deliveries(most integer, lease integer) RETURNS TABLE (
  id bigint, tenant text, webhook text, url text, secret text, old_secret text, type text, attempts integer, created_at timestamptz, run jsonb, event jsonb
) LANGUAGE sql AS $$
  WITH claimed AS (
    UPDATE devflow.webhook_deliveries d SET attempts = d.attempts + 1, due_at = clock_timestamp() + make_interval(secs => lease)
    WHERE d.id IN (
      SELECT x.id FROM devflow.webhook_deliveries x JOIN devflow.webhooks w ON w.tenant = x.tenant AND w.id = x.webhook AND w.is_enabled
      WHERE x.status = 'pending' AND x.due_at <= clock_timestamp() ORDER BY x.due_at, x.id LIMIT most FOR UPDATE OF x SKIP LOCKED)
    RETURNING d.*
  )
  SELECT c.id, c.tenant, c.webhook, w.url, w.secret, CASE WHEN w.old_secret_until > clock_timestamp() THEN w.old_secret END, c.type, c.attempts, c.created_at,
    jsonb_build_object('id', r.id, 'template', r.template, 'status', r.status, 'labels', r.labels),
    CASE WHEN e.run_id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object('runId', e.run_id, 'seq', e.seq, 'type', e.type,
      'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'phase', e.phase, 'attempt', e.attempt, 'turn', e.turn, 'key', e.key)) || jsonb_build_object('data', e.data) END
  FROM claimed c JOIN devflow.webhooks w ON w.tenant = c.tenant AND w.id = c.webhook
  LEFT JOIN devflow.runs r ON r.id = c.run_id LEFT JOIN devflow.run_events e ON e.run_id = c.run_id AND e.seq = c.seq
$$;
