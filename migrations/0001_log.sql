-- The run log: what is said here is for ever (I1, I2). Events and chunks share one sequence per run.
-- Partitioned by range of run id: ids are UUIDv7, so a range is a month, unique (run, key) holds inside one
-- partition, and an old month can be archived and dropped whole.
CREATE TABLE devflow.run_events (
  run_id uuid NOT NULL,
  seq bigint NOT NULL,
  tenant text NOT NULL DEFAULT 'default',
  type text NOT NULL,
  phase text,
  attempt integer,
  turn integer,
  key text NOT NULL,
  data jsonb NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (run_id, seq),
  UNIQUE (run_id, key)
) PARTITION BY RANGE (run_id);
--> statement-breakpoint
CREATE TABLE devflow.run_chunks (
  run_id uuid NOT NULL,
  seq bigint NOT NULL,
  tenant text NOT NULL DEFAULT 'default',
  phase text NOT NULL,
  attempt integer NOT NULL,
  turn integer NOT NULL,
  delivery integer NOT NULL,
  kind text NOT NULL,
  text text,
  key text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (run_id, seq),
  UNIQUE (run_id, key)
) PARTITION BY RANGE (run_id);
--> statement-breakpoint
-- Rows of months nobody made a partition for: late clocks and early ones must not stop a run.
CREATE TABLE devflow.run_events_other PARTITION OF devflow.run_events DEFAULT;
--> statement-breakpoint
CREATE TABLE devflow.run_chunks_other PARTITION OF devflow.run_chunks DEFAULT;
--> statement-breakpoint
-- The smallest UUIDv7 of an instant (RFC 9562: the first 48 bits are milliseconds since 1970).
CREATE FUNCTION devflow.first_run_id(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;
--> statement-breakpoint
-- Makes the partitions of this month and the coming ones. Called at every migration and once a day.
CREATE FUNCTION devflow.make_partitions(months integer DEFAULT 6) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first timestamptz := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
  lower_id uuid; upper_id uuid; name text; parent text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('devflow.make_partitions'));
  FOR i IN 0..months LOOP
    lower_id := devflow.first_run_id((first AT TIME ZONE 'UTC' + make_interval(months => i)) AT TIME ZONE 'UTC');
    upper_id := devflow.first_run_id((first AT TIME ZONE 'UTC' + make_interval(months => i + 1)) AT TIME ZONE 'UTC');
    FOREACH parent IN ARRAY ARRAY['run_events', 'run_chunks'] LOOP
      name := parent || '_' || to_char(first AT TIME ZONE 'UTC' + make_interval(months => i), 'YYYY_MM');
      CONTINUE WHEN to_regclass('devflow.' || name) IS NOT NULL;
      BEGIN
        EXECUTE format('CREATE TABLE devflow.%I PARTITION OF devflow.%I FOR VALUES FROM (%L) TO (%L)', name, parent, lower_id, upper_id);
      EXCEPTION WHEN check_violation THEN
        -- Runs of that month already lie in the default partition; they stay there, and so do their peers.
        RAISE NOTICE 'partition % is not made: its month has rows in the default partition', name;
      END;
    END LOOP;
  END LOOP;
END $$;
--> statement-breakpoint
SELECT devflow.make_partitions();
--> statement-breakpoint
-- The log is immutable. Erasing a deleted run and pruning old chunks say so for their transaction.
CREATE FUNCTION devflow.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('devflow.erasing', true) = 'yes' THEN RETURN OLD; END IF;
  RAISE EXCEPTION 'the run log is immutable: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON devflow.run_events FOR EACH ROW EXECUTE FUNCTION devflow.refuse_change();
--> statement-breakpoint
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON devflow.run_chunks FOR EACH ROW EXECUTE FUNCTION devflow.refuse_change();
--> statement-breakpoint
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON devflow.run_events FOR EACH STATEMENT EXECUTE FUNCTION devflow.refuse_change();
--> statement-breakpoint
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON devflow.run_chunks FOR EACH STATEMENT EXECUTE FUNCTION devflow.refuse_change();
--> statement-breakpoint
-- Where what is inside a phase ends: everything of it stands behind the phase's own position and before this.
CREATE FUNCTION devflow.end_of(place integer[]) RETURNS integer[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT place[1:cardinality(place) - 1] || (place[cardinality(place)] + 1)
$$;
--> statement-breakpoint
-- What the projector reads of an event. A type of its own: the table may get columns more.
CREATE TYPE devflow.log_event AS (run_id uuid, seq bigint, tenant text, type text, phase text, attempt integer, turn integer, key text, data jsonb, at timestamptz);
--> statement-breakpoint
-- The one projector (I2). `append` feeds it what it has just inserted; a rebuild feeds it the whole log of a run. Answers whether
-- anything but calls was among it.
-- Table names are unqualified on purpose: a check points the search path at empty temporary tables and compares.
CREATE FUNCTION devflow.project(evs devflow.log_event[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  e devflow.log_event;
  d jsonb;
  has_rare boolean; has_reserved boolean; has_started boolean; has_lost boolean; has_settled boolean; has_reconciled boolean;
  c devflow.model_calls;
BEGIN
  SELECT bool_or(u.type NOT LIKE 'call.%' AND devflow.is_projected(u.type)), bool_or(u.type = 'call.reserved'), bool_or(u.type = 'call.started'),
      bool_or(u.type = 'call.lost'), bool_or(u.type = 'call.settled'), bool_or(u.type = 'call.reconciled')
    INTO has_rare, has_reserved, has_started, has_lost, has_settled, has_reconciled FROM unnest(evs) u;
  -- Rare events one by one, in order: each moves a status that the next may move on.
  IF has_rare THEN
  FOR e IN SELECT * FROM unnest(evs) u WHERE u.type NOT LIKE 'call.%' AND devflow.is_projected(u.type) ORDER BY u.run_id, u.seq LOOP
    d := e.data;
    CASE e.type
    WHEN 'run.submitted' THEN
      INSERT INTO runs (id, tenant, template, definition_hash, status, input, labels, budget, workspace, actor, parent, forked_from, attempt, created_at)
      VALUES (e.run_id, e.tenant, d->>'template', d->>'definitionHash', 'queued', d->'input', d->'labels', d->'budget', d->'workspace', d->>'actor', (d->>'parent')::uuid, (d->>'forkedFrom')::uuid, 1, e.at);
      INSERT INTO run_budgets (run_id, tenant, limit_micro_usd, limit_tokens, on_exceeded, allow_unpriced, reserved_micro_usd, settled_micro_usd, reserved_tokens, settled_tokens)
      VALUES (e.run_id, e.tenant, (d->'budget'->>'limitMicroUsd')::numeric, (d->'budget'->>'limitTokens')::bigint, d->'budget'->>'onExceeded',
        coalesce((d->'budget'->>'allowUnpriced')::boolean, false), 0, 0, 0, 0);
      INSERT INTO phases (run_id, id, tenant, position, kind, status, attempt, round_attempt)
      SELECT e.run_id, p->>'id', e.tenant, ARRAY[o::int], p->>'kind', 'pending', 1, 1 FROM jsonb_array_elements(d->'phases') WITH ORDINALITY x(p, o);
    WHEN 'run.started' THEN
      UPDATE runs SET status = CASE WHEN status = 'paused' THEN status ELSE 'running' END, started_at = coalesce(started_at, e.at) WHERE id = e.run_id;
    WHEN 'run.waiting' THEN
      UPDATE runs SET status = 'waiting' WHERE id = e.run_id AND status <> 'paused';
    WHEN 'run.pausing', 'run.paused' THEN
      UPDATE runs SET status = 'paused' WHERE id = e.run_id;
      UPDATE run_heads SET control = 'paused' WHERE run_id = e.run_id AND control = 'go';
    WHEN 'run.resumed' THEN
      UPDATE runs r SET status = CASE WHEN r.started_at IS NULL THEN 'queued'
        WHEN EXISTS (SELECT 1 FROM phases p WHERE p.run_id = r.id AND p.status = 'waiting') AND NOT EXISTS (SELECT 1 FROM phases p WHERE p.run_id = r.id AND p.status = 'running' AND p.kind IN ('agent', 'function')) THEN 'waiting' ELSE 'running' END WHERE id = e.run_id;
      UPDATE run_heads SET control = 'go' WHERE run_id = e.run_id AND control = 'paused';
    WHEN 'run.canceling' THEN
      UPDATE run_heads SET control = 'canceled' WHERE run_id = e.run_id;
    WHEN 'run.completed', 'run.failed', 'run.canceled' THEN
      UPDATE runs SET status = substr(e.type, 5), output = d->'output', error = d->'error', ended_at = e.at WHERE id = e.run_id;
      UPDATE run_heads SET control = 'over' WHERE run_id = e.run_id;
      -- Nothing waits in a run that is over, however it came to its end.
      UPDATE event_waits SET is_open = false WHERE run_id = e.run_id AND is_open;
      UPDATE gates SET status = 'canceled', closed_at = e.at WHERE run_id = e.run_id AND status = 'open';
      IF e.type = 'run.canceled' THEN
        UPDATE phases SET status = 'canceled', ended_at = e.at WHERE run_id = e.run_id AND status IN ('pending', 'running', 'waiting');
      END IF;
    WHEN 'run.retried' THEN
      UPDATE runs SET status = 'queued', attempt = (d->>'attempt')::int, output = NULL, error = NULL, ended_at = NULL WHERE id = e.run_id;
      UPDATE run_heads SET control = 'go' WHERE run_id = e.run_id;
      UPDATE phases SET round_attempt = attempt + 1 WHERE run_id = e.run_id AND id = d->>'phase';
    WHEN 'phase.started' THEN
      UPDATE phases SET status = 'running', attempt = e.attempt, started_at = e.at, ended_at = NULL, error = NULL, retry_at = NULL,
        total = coalesce((d->>'total')::int, total), items = coalesce(d->>'items', items) WHERE run_id = e.run_id AND id = e.phase;
      IF d->>'kind' NOT IN ('gate', 'wait') THEN UPDATE runs SET status = 'running' WHERE id = e.run_id AND status = 'waiting'; END IF;
    WHEN 'phase.expanded' THEN
      INSERT INTO phases (run_id, id, tenant, position, kind, status, attempt, round_attempt, continues)
      SELECT e.run_id, p->>'id', e.tenant, ARRAY(SELECT x::int FROM jsonb_array_elements_text(p->'position') x), p->>'kind', 'pending', 1, 1, p ? 'continues' FROM jsonb_array_elements(d->'phases') p;
      UPDATE phases SET opened = (d->>'to')::int WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'phase.completed', 'phase.failed' THEN
      UPDATE phases SET status = substr(e.type, 7), ended_at = e.at, deadline = NULL, output = CASE WHEN e.type = 'phase.completed' THEN d->'output' ELSE output END,
        error = CASE WHEN e.type = 'phase.failed' THEN d->'error' ELSE error END WHERE run_id = e.run_id AND id = e.phase;
      IF d ? 'closes' THEN
        UPDATE phases p SET status = 'canceled', ended_at = e.at, deadline = NULL FROM phases o
        WHERE o.run_id = e.run_id AND o.id = e.phase AND p.run_id = o.run_id AND p.position > o.position AND p.position < devflow.end_of(o.position) AND p.status IN ('pending', 'running', 'waiting');
      END IF;
    WHEN 'compensation.completed' THEN
      UPDATE phases SET status = 'compensated' WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'phase.skipped' THEN
      UPDATE phases SET status = 'skipped', ended_at = e.at, output = NULL WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'phase.retried' THEN
      UPDATE phases SET status = CASE WHEN d ? 'resumes' THEN 'running' ELSE 'pending' END, attempt = e.attempt, started_at = CASE WHEN d ? 'resumes' THEN started_at END, ended_at = NULL, retry_at = e.at + coalesce((d->>'after')::interval, interval '0'),
        round_attempt = CASE WHEN d->>'by' IN ('run.retried', 'gate') THEN e.attempt ELSE round_attempt END,
        child = CASE WHEN d->>'by' = 'gate' THEN NULL ELSE child END, sent_back = CASE WHEN d->>'by' = 'gate' THEN d->'sentBack' ELSE sent_back END,
        generation = coalesce((d->>'generation')::int, generation), opened = CASE WHEN d ? 'generation' THEN 0 ELSE opened END WHERE run_id = e.run_id AND id = e.phase;
    -- A run waits with a child that waits for somebody.
    WHEN 'child.waiting', 'child.resumed' THEN
      UPDATE phases SET status = CASE e.type WHEN 'child.waiting' THEN 'waiting' ELSE 'running' END WHERE run_id = e.run_id AND id = e.phase;
      IF e.type = 'child.resumed' THEN UPDATE runs SET status = 'running' WHERE id = e.run_id AND status = 'waiting'; END IF;
    WHEN 'child.started' THEN
      UPDATE phases SET child = (d->>'run')::uuid WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'gate.opened' THEN
      INSERT INTO gates (run_id, id, tenant, phase, attempt, status, title, subject, subject_hash, quorum, reject_quorum, approvers, require_subject_hash, on_reject, on_deadline, budget, deadline, opened_at, goes_back, author, remind_every, remind_at)
      VALUES (e.run_id, d->>'gate', e.tenant, e.phase, e.attempt, 'open', d->>'title', d->'subject', d->>'subjectHash', (d->>'quorum')::int, (d->>'rejectQuorum')::int,
        CASE WHEN d ? 'approvers' THEN ARRAY(SELECT jsonb_array_elements_text(d->'approvers')) END, (d->>'requireSubjectHash')::boolean, d->>'onReject', d->'onDeadline', d->'budget', e.at + (d->>'deadline')::interval, e.at,
        d->'goesBack', d->>'author', d->>'remindEvery', e.at + (d->>'remindEvery')::interval)
      ON CONFLICT (run_id, id) DO UPDATE SET attempt = excluded.attempt, status = 'open', title = excluded.title, subject = excluded.subject, subject_hash = excluded.subject_hash,
        quorum = excluded.quorum, reject_quorum = excluded.reject_quorum, approvers = excluded.approvers, require_subject_hash = excluded.require_subject_hash, on_reject = excluded.on_reject,
        on_deadline = excluded.on_deadline, budget = excluded.budget, escalated_at = NULL, escalations = 0, goes_back = excluded.goes_back, author = excluded.author, remind_every = excluded.remind_every,
        remind_at = excluded.remind_at, reminders = 0, delegations = 0, refusals = 0, deadline = excluded.deadline, opened_at = excluded.opened_at, closed_at = NULL;
      UPDATE phases SET status = 'waiting', deadline = e.at + (d->>'deadline')::interval WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'gate.decided' THEN
      INSERT INTO gate_decisions (run_id, gate, attempt, principal, tenant, decision, comment, subject_hash, implied, via, at)
      VALUES (e.run_id, d->>'gate', e.attempt, d->>'actor', e.tenant, d->>'decision', d->>'comment', d->>'subjectHash', (d->>'implied')::boolean, d->>'via', e.at);
    WHEN 'gate.escalated' THEN
      UPDATE gates SET escalated_at = e.at, escalations = escalations + 1, deadline = e.at + (d->>'deadline')::interval,
        approvers = CASE WHEN approvers IS NULL THEN NULL ELSE approvers || ARRAY(SELECT jsonb_array_elements_text(d->'to')) END WHERE run_id = e.run_id AND id = d->>'gate';
      UPDATE phases SET deadline = e.at + (d->>'deadline')::interval WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'gate.reminded' THEN
      UPDATE gates SET reminders = reminders + 1, remind_at = e.at + remind_every::interval WHERE run_id = e.run_id AND id = d->>'gate';
    WHEN 'gate.refused' THEN
      UPDATE gates SET refusals = refusals + 1 WHERE run_id = e.run_id AND id = d->>'gate';
    WHEN 'gate.delegated' THEN
      UPDATE gates SET delegations = delegations + 1 WHERE run_id = e.run_id AND id = d->>'gate';
      INSERT INTO gate_delegations (run_id, gate, attempt, principal, tenant, delegate, own, comment, via, at)
      VALUES (e.run_id, d->>'gate', e.attempt, d->>'from', e.tenant, d->>'to', (d->>'own')::boolean, d->>'comment', d->>'via', e.at)
      ON CONFLICT (run_id, gate, attempt, principal) DO UPDATE SET delegate = excluded.delegate, own = excluded.own, comment = excluded.comment, via = excluded.via, at = excluded.at;
    WHEN 'gate.closed' THEN
      -- Sent back, it is no rejection that ends anything.
      UPDATE gates SET status = d->>'status', closed_at = e.at, rounds = rounds + CASE WHEN d ? 'goto' THEN 1 ELSE 0 END,
        on_reject = CASE WHEN d ? 'goto' THEN 'goto' ELSE on_reject END WHERE run_id = e.run_id AND id = d->>'gate';
      -- An agent phase only ever waits for a budget: it asks again, and what does not concern it makes it wait again.
      IF d->>'status' = 'approved' THEN
        UPDATE phases p SET status = 'running' FROM gates g WHERE g.run_id = e.run_id AND g.id = d->>'gate' AND g.budget IS NOT NULL AND p.run_id = e.run_id AND p.kind = 'agent' AND p.status = 'waiting';
      END IF;
      UPDATE runs SET status = 'running' WHERE id = e.run_id AND status = 'waiting';
    WHEN 'budget.exceeded' THEN
      UPDATE phases SET status = 'waiting' WHERE d ? 'gate' AND run_id = e.run_id AND id = e.phase;
    WHEN 'budget.raised' THEN
      IF d->>'scope' = 'run' AND NOT d ? 'pool' THEN
        UPDATE run_budgets SET limit_micro_usd = coalesce((d->>'limitMicroUsd')::numeric, limit_micro_usd), limit_tokens = coalesce((d->>'limitTokens')::bigint, limit_tokens) WHERE run_id = e.run_id;
      ELSE
        UPDATE run_budgets SET passes = coalesce(passes, '{}') || jsonb_build_object(d->>'pool', coalesce(passes->(d->>'pool'), '{}') || jsonb_strip_nulls(jsonb_build_object('microUsd', d->'passMicroUsd', 'tokens', d->'passTokens')))
        WHERE run_id = e.run_id;
      END IF;
    WHEN 'wait.opened' THEN
      UPDATE phases SET status = 'waiting', deadline = coalesce((d->>'until')::timestamptz, e.at + (d->>'for')::interval) WHERE run_id = e.run_id AND id = e.phase;
      IF d ? 'event' THEN
        INSERT INTO event_waits (run_id, phase, attempt, tenant, pattern, filter, is_open) VALUES (e.run_id, e.phase, e.attempt, e.tenant, d->>'event', d->'filter', true);
      END IF;
    WHEN 'wait.closed' THEN
      UPDATE signals SET taken_by = e.phase || '/' || e.attempt WHERE run_id = e.run_id AND name = d->>'signal' AND id = d->>'signalId';
      UPDATE event_waits SET is_open = false, taken = (d->>'eventSeq')::bigint WHERE run_id = e.run_id AND phase = e.phase AND attempt = e.attempt;
      UPDATE runs SET status = 'running' WHERE id = e.run_id AND status = 'waiting';
    WHEN 'signal.received' THEN
      INSERT INTO signals (run_id, name, id, tenant, seq, data, at) VALUES (e.run_id, d->>'name', d->>'id', e.tenant, e.seq, d->'data', e.at);
    WHEN 'artifact.accepted' THEN
      INSERT INTO artifacts (run_id, name, version, tenant, sha256, media_type, bytes, phase, attempt, at)
      VALUES (e.run_id, d->>'name', (d->>'version')::int, e.tenant, d->>'sha256', d->>'mediaType', (d->>'bytes')::int, e.phase, e.attempt, e.at);
    WHEN 'workspace.snapshot' THEN
      INSERT INTO workspace_snapshots (run_id, seq, tenant, line, phase, attempt, sha256, bytes, commit, base, links, at)
      VALUES (e.run_id, e.seq, e.tenant, d->>'line', e.phase, e.attempt, d->>'sha256', (d->>'bytes')::bigint, d->>'commit', d->>'base', (d->>'links')::int, e.at);
    WHEN 'report.written' THEN
      INSERT INTO artifacts (run_id, name, version, tenant, sha256, media_type, bytes, at)
      SELECT e.run_id, a->>'name', (a->>'version')::int, e.tenant, a->>'sha256', a->>'mediaType', (a->>'bytes')::int, e.at FROM jsonb_array_elements(d->'artifacts') a;
    ELSE NULL; -- no projection
    END CASE;
  END LOOP;
  END IF;

  -- The ledger set-wise: it is the hot path, and rows of one batch do not depend on each other's order within a step.
  IF has_reserved THEN
    INSERT INTO model_calls (run_id, phase, attempt, turn, call, tenant, persona, provider, model, status, reserved_micro_usd, reserved_tokens, at)
    SELECT u.run_id, u.phase, u.attempt, u.turn, (u.data->>'call')::int, u.tenant, u.data->>'persona', u.data->>'provider', u.data->>'model', 'reserved',
      (u.data->>'reservedMicroUsd')::numeric, (u.data->>'reservedTokens')::bigint, u.at
    FROM unnest(evs) u WHERE u.type = 'call.reserved';
  END IF;
  IF has_started THEN
    UPDATE model_calls m SET generation_id = u.data->>'generationId' FROM unnest(evs) u
    WHERE u.type = 'call.started' AND m.run_id = u.run_id AND m.phase = u.phase AND m.attempt = u.attempt AND m.turn = u.turn AND m.call = (u.data->>'call')::int;
  END IF;
  IF has_lost THEN
    UPDATE model_calls m SET status = u.data->>'status', ended_at = u.at FROM unnest(evs) u
    WHERE u.type = 'call.lost' AND m.run_id = u.run_id AND m.phase = u.phase AND m.attempt = u.attempt AND m.turn = u.turn AND m.call = (u.data->>'call')::int;
  END IF;
  -- A run's budget moves once a batch, by all that was reserved and paid.
  IF has_reserved OR has_settled THEN
    WITH paid AS (
      UPDATE model_calls m SET
        status = u.data->>'status', cost_micro_usd = (u.data->>'costMicroUsd')::numeric, cost_source = u.data->>'costSource', model_used = u.data->>'modelUsed',
        input_tokens = (u.data->>'inputTokens')::bigint, output_tokens = (u.data->>'outputTokens')::bigint, cached_tokens = (u.data->>'cachedTokens')::bigint,
        reasoning_tokens = (u.data->>'reasoningTokens')::bigint, generation_id = coalesce(u.data->>'generationId', m.generation_id), latency_ms = (u.data->>'latencyMs')::bigint, ended_at = u.at
      FROM unnest(evs) u
      WHERE u.type = 'call.settled' AND m.run_id = u.run_id AND m.phase = u.phase AND m.attempt = u.attempt AND m.turn = u.turn AND m.call = (u.data->>'call')::int
      RETURNING m.run_id, m.reserved_micro_usd, m.reserved_tokens, m.cost_micro_usd, coalesce(m.input_tokens, 0) + coalesce(m.output_tokens, 0) AS tokens
    ), moved AS (
      SELECT u.run_id, (u.data->>'reservedMicroUsd')::numeric AS reserved, (u.data->>'reservedTokens')::bigint AS reserved_tokens, 0::numeric AS settled, 0::bigint AS settled_tokens
      FROM unnest(evs) u WHERE u.type = 'call.reserved'
      UNION ALL SELECT run_id, -reserved_micro_usd, -reserved_tokens, cost_micro_usd, tokens FROM paid
    )
    UPDATE run_budgets b SET reserved_micro_usd = b.reserved_micro_usd + s.reserved, settled_micro_usd = b.settled_micro_usd + s.settled,
      reserved_tokens = b.reserved_tokens + s.reserved_tokens, settled_tokens = b.settled_tokens + s.settled_tokens
    FROM (SELECT run_id, sum(reserved) AS reserved, sum(reserved_tokens) AS reserved_tokens, sum(settled) AS settled, sum(settled_tokens) AS settled_tokens FROM moved GROUP BY 1) s
    WHERE b.run_id = s.run_id;
  END IF;
  -- What the provider says later, one by one: of a call that was paid before it frees nothing again and adds only the difference.
  IF has_reconciled THEN
    FOR e IN SELECT * FROM unnest(evs) u WHERE u.type = 'call.reconciled' ORDER BY u.run_id, u.seq LOOP
      d := e.data;
      SELECT * INTO c FROM model_calls m WHERE m.run_id = e.run_id AND m.phase = e.phase AND m.attempt = e.attempt AND m.turn = e.turn AND m.call = (d->>'call')::int;
      -- Several ask at once: an estimate that comes late changes nothing of what is known.
      CONTINUE WHEN c.cost_micro_usd IS NOT NULL AND d->>'costSource' = 'estimate';
      UPDATE model_calls m SET
        status = CASE WHEN m.status IN ('unsettled', 'reserved') THEN 'settled' ELSE m.status END,
        cost_micro_usd = (d->>'costMicroUsd')::numeric, cost_source = d->>'costSource', model_used = coalesce(d->>'modelUsed', m.model_used),
        input_tokens = (d->>'inputTokens')::bigint, output_tokens = (d->>'outputTokens')::bigint, cached_tokens = (d->>'cachedTokens')::bigint,
        reasoning_tokens = (d->>'reasoningTokens')::bigint, generation_id = coalesce(d->>'generationId', m.generation_id),
        latency_ms = coalesce((d->>'latencyMs')::bigint, m.latency_ms), ended_at = coalesce(m.ended_at, e.at)
      WHERE m.run_id = c.run_id AND m.phase = c.phase AND m.attempt = c.attempt AND m.turn = c.turn AND m.call = c.call;
      UPDATE run_budgets b SET
        reserved_micro_usd = b.reserved_micro_usd - CASE WHEN c.cost_micro_usd IS NULL THEN c.reserved_micro_usd ELSE 0 END,
        reserved_tokens = b.reserved_tokens - CASE WHEN c.cost_micro_usd IS NULL THEN c.reserved_tokens ELSE 0 END,
        settled_micro_usd = b.settled_micro_usd + (d->>'costMicroUsd')::numeric - coalesce(c.cost_micro_usd, 0),
        -- An estimate that tells no tokens is charged those it had reserved, until the provider tells.
        settled_tokens = b.settled_tokens
          + CASE WHEN d->>'costSource' = 'estimate' AND NOT d ? 'inputTokens' THEN c.reserved_tokens ELSE coalesce((d->>'inputTokens')::bigint, 0) + coalesce((d->>'outputTokens')::bigint, 0) END
          - CASE WHEN c.cost_source = 'estimate' AND c.input_tokens IS NULL THEN c.reserved_tokens ELSE coalesce(c.input_tokens, 0) + coalesce(c.output_tokens, 0) END
      WHERE b.run_id = c.run_id;
    END LOOP;
  END IF;
  RETURN has_rare;
END $$;
--> statement-breakpoint
-- Whether `project` reads events of this type.
CREATE FUNCTION devflow.is_projected(type text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT type NOT LIKE 'turn.%' AND type NOT LIKE 'tool.%'
$$;
--> statement-breakpoint
-- Says which runs have grown, and behind a `!` which of them may stand elsewhere now; many in one payload (of at most 8000 bytes).
CREATE FUNCTION devflow.notify_runs(m_run uuid[], m_last int[], moved uuid[]) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('devflow_run', string_agg(x.run::text, ' ') || coalesce(' ! ' || string_agg(x.run::text, ' ') FILTER (WHERE x.run = ANY (moved)), '')) FROM (
    SELECT u.run, (row_number() OVER () - 1) / 100 AS part FROM unnest(m_run, m_last) u(run, last) WHERE u.last IS NOT NULL GROUP BY 1
  ) x GROUP BY x.part
$$;
--> statement-breakpoint
-- Whether anybody follows runs line by line: whoever does holds a lock, shared, as long as its connection lasts. It is granted
-- after the appends under way, and those that come then see it; of two of them at once one may see the other and tell needlessly.
CREATE FUNCTION devflow.is_followed() RETURNS boolean LANGUAGE sql VOLATILE AS $$
  SELECT NOT pg_try_advisory_xact_lock(hashtextextended('devflow.follow', 0))
$$;
--> statement-breakpoint
CREATE FUNCTION devflow.follow(begins boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF begins THEN PERFORM pg_advisory_lock_shared(hashtextextended('devflow.follow', 0));
  ELSE PERFORM pg_advisory_unlock_shared(hashtextextended('devflow.follow', 0)); END IF;
END $$;
--> statement-breakpoint
-- Where a line is in the log; null when it is not there.
CREATE FUNCTION devflow.seq_of(run uuid, is_chunk boolean, line_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN is_chunk THEN (SELECT c.seq FROM devflow.run_chunks c WHERE c.run_id = run AND c.key = line_key)
    ELSE (SELECT e.seq FROM devflow.run_events e WHERE e.run_id = run AND e.key = line_key) END
$$;
--> statement-breakpoint
-- The time of a line of the log.
CREATE FUNCTION devflow.at_of(run uuid, its_seq bigint) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT e.at FROM devflow.run_events e WHERE e.run_id = run AND e.seq = its_seq), (SELECT c.at FROM devflow.run_chunks c WHERE c.run_id = run AND c.seq = its_seq))
$$;
--> statement-breakpoint
-- Why somebody may not write to a run any more; null when nothing stands in the way.
CREATE FUNCTION devflow.stands_in_way(h devflow.run_heads, session text, its_epoch int, epoch_now int, execution int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN session IS NOT NULL AND epoch_now IS DISTINCT FROM its_epoch THEN 'fenced'
    WHEN execution IS NOT NULL AND h.execution_epoch <> execution THEN 'fenced'
    -- A cancel may end a run that a workflow has just looked at: nothing of a workflow or session follows the end.
    WHEN h.control = 'over' AND (session IS NOT NULL OR execution IS NOT NULL) THEN 'fenced' END
$$;
--> statement-breakpoint
-- Words of shared budgets, see `budget_pools`. A call:
CREATE TYPE devflow.call_key AS (run uuid, phase text, attempt int, turn int, call int);
--> statement-breakpoint
-- What calls of one persona and day take of the pools they are charged to.
CREATE TYPE devflow.pool_charge AS (tenant text, persona text, day date, root uuid, micro numeric, tokens bigint);
--> statement-breakpoint
-- What a member wants of its pools; no member: the pools are only touched.
CREATE TYPE devflow.pool_want AS (member int, tenant text, persona text, day date, root uuid, micro numeric, tokens bigint);
--> statement-breakpoint
-- What this process may take of a pool now; `members` want it.
CREATE TYPE devflow.pool_room AS (pool bigint, scope text, persona text, day date, limit_micro_usd numeric, limit_tokens bigint, on_exceeded text,
  allow_unpriced boolean, crossed boolean, want_micro numeric, want_tokens bigint, free_micro numeric, free_tokens bigint, members int[]);
--> statement-breakpoint
-- Appends a group of members, each a set of lines that stand or fall together, in one round trip. Arrays, one a field:
--   m_*: members; m_last: where its last line stands among the lines of its run, from 1; m_from: where those begin that only stand
--        when its reservation is granted;
--        m_session, m_epoch: written by a session; m_execution: by a workflow; m_key: of its `call.reserved` line, when it
--        reserves m_micro micro-dollars (null: nobody knows the price) and m_tokens tokens for m_persona
--   m_owner: whose slices of shared budgets the group spends from
--   m_total: how many lines its run has in this group; of one member m_last says it
--   e_*: events; e_member: index of its member, from 1; e_nth: where it stands among the lines of its run, from 1;
--        e_data: their bodies as JSON, one a line
--   c_*: chunks, the same; c_kind 'reset' voids what its turn streamed before
-- Answers by member: written (seq: its last new line), duplicate (seq: its last line, as it stands), fenced, refused (code:
-- paused, canceled, over_budget), no_run. `overruns`: the budgets a member goes past, whether it may (written) or not.
--
-- Lock order everywhere: heads, then shared budgets, then all else; each in order of its key. Whoever holds a run's head is alone with its log,
-- budget, sessions and projections; statements after the lock see what its previous holder committed, because each statement
-- of a volatile function has its own snapshot.
--
-- Nearly every line is new, and the unique indexes find out anyway: so all are written as new, and when one was there before
-- the call fails with unique_violation. The caller comes again with `careful`: each line is looked up, and old ones are left out.
-- The planner's settings are for plans that are made once a connection, maybe on empty tables: they must suit full ones.
CREATE FUNCTION devflow.append(
  m_run uuid[], m_from int[], m_last int[], m_session text[], m_epoch int[], m_execution int[], m_key text[], m_micro numeric[], m_tokens bigint[],
  e_member int[], e_nth int[], e_type text[], e_key text[], e_phase text[], e_attempt int[], e_turn int[], e_data text,
  c_member int[], c_nth int[], c_kind text[], c_key text[], c_phase text[], c_attempt int[], c_turn int[], c_delivery int[], c_text text[],
  careful boolean, m_persona text[] DEFAULT NULL, m_owner text DEFAULT '', m_total int[] DEFAULT NULL, OUT verdicts text[], OUT seqs bigint[], OUT codes text[], OUT overruns jsonb[]
) LANGUAGE plpgsql VOLATILE
SET search_path = devflow, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  -- How each member stands with its run: the run's last seq, the time of its next event, its tenant. A null verdict may write.
  m_seq bigint[]; m_at timestamptz[]; m_tenant text[]; any_limit boolean; any_out boolean; any_pooled boolean;
  is_one boolean := cardinality(m_run) = 1;
  charged call_key[]; charges pool_charge[]; rooms pool_room[]; found jsonb; blocks jsonb; warned jsonb;
  head run_heads; bodies jsonb[]; evs log_event[]; moved uuid[] := '{}'; is_told boolean; r record; spent numeric; spent_tokens bigint; last_run uuid;
BEGIN
  -- Heads are locked and moved on at once, in order of their runs, which is the index's; back again where something stands in the way.
  -- A statement costs most where it begins: what is said of one member is said in fewer words.
  IF is_one THEN
    UPDATE run_heads x SET seq = x.seq + m_last[1], last_at = greatest(x.last_at, devflow.clock()) WHERE x.run_id = m_run[1] RETURNING x.* INTO head;
    SELECT ARRAY[CASE WHEN head.run_id IS NULL THEN 'no_run' ELSE stands_in_way(head, m_session[1], m_epoch[1], s.epoch, m_execution[1]) END], ARRAY[NULL::text], ARRAY[head.seq - m_last[1]], ARRAY[head.last_at], ARRAY[head.tenant],
        m_key[1] IS NOT NULL AND (head.control <> 'go' OR head.pooled OR b.limit_micro_usd IS NOT NULL OR b.limit_tokens IS NOT NULL), head.pooled
      INTO verdicts, codes, m_seq, m_at, m_tenant, any_limit, any_pooled
      FROM (SELECT 1) one LEFT JOIN sessions s ON s.run_id = m_run[1] AND s.session = m_session[1] LEFT JOIN run_budgets b ON m_key[1] IS NOT NULL AND b.run_id = m_run[1];
    any_out := verdicts[1] IS NOT NULL;
  ELSE
    UPDATE run_heads h SET seq = h.seq + m_total[array_position(m_run, h.run_id)], last_at = greatest(h.last_at, devflow.clock()) WHERE h.run_id = ANY (m_run);
    SELECT array_agg(verdict), array_agg(NULL::text), array_agg(x.seq), array_agg(x.at), array_agg(x.tenant), bool_or(x.is_limited), bool_or(verdict IS NOT NULL), bool_or(x.pooled)
      INTO verdicts, codes, m_seq, m_at, m_tenant, any_limit, any_out, any_pooled
      FROM (
        SELECT CASE WHEN h.run_id IS NULL THEN 'no_run' ELSE stands_in_way(h, m.session, m.epoch, s.epoch, m.execution) END AS verdict,
          h.seq - m.total AS seq, h.last_at AS at, h.tenant, h.pooled,
          m.key IS NOT NULL AND (h.control <> 'go' OR h.pooled OR b.limit_micro_usd IS NOT NULL OR b.limit_tokens IS NOT NULL) AS is_limited
        FROM unnest(m_run, m_total, m_session, m_epoch, m_execution, m_key) WITH ORDINALITY m(run, total, session, epoch, execution, key, o)
        LEFT JOIN run_heads h ON h.run_id = m.run LEFT JOIN sessions s ON s.run_id = m.run AND s.session = m.session LEFT JOIN run_budgets b ON m.key IS NOT NULL AND b.run_id = m.run
        ORDER BY m.o
      ) x;
  END IF;

  IF any_pooled THEN
    charged := devflow.calls_charged(m_run, e_member, e_type, e_phase, e_attempt, e_turn, e_data);
    charges := devflow.charges_of(charged);
    IF any_limit THEN
      -- Pools that are only settled on are locked with those that are drawn on, so that all are in order.
      rooms := devflow.open_rooms(m_owner, array_cat(
        ARRAY(SELECT ROW(m.o, h.tenant, m.persona, devflow.day_of(m_at[m.o]), h.root, m.micro, m.tokens)::pool_want
          FROM unnest(m_run, m_micro, m_tokens, m_key, m_persona) WITH ORDINALITY m(run, micro, tokens, key, persona, o) JOIN run_heads h ON h.run_id = m.run
          WHERE m.key IS NOT NULL AND h.pooled AND verdicts[m.o] IS NULL),
        ARRAY(SELECT ROW(NULL, c.tenant, c.persona, c.day, c.root, 0, 0)::pool_want FROM unnest(charges) c)));
    END IF;
  END IF;
  IF any_limit THEN
    -- In order, against a running sum: two reservations of one group never both take the last cent.
    FOR r IN
      SELECT m.o, m.run, m.micro, m.tokens, m.key, h.control, b.limit_micro_usd, b.limit_tokens, b.on_exceeded, b.allow_unpriced, b.passes,
        b.reserved_micro_usd + b.settled_micro_usd AS used, b.reserved_tokens + b.settled_tokens AS used_tokens,
        -- Its gate was rejected, for one, while an agent that was asked for help in it is still at work.
        coalesce(p.status NOT IN ('pending', 'running', 'waiting'), false) AS is_over
      FROM unnest(m_run, m_micro, m_tokens, m_key, m_session) WITH ORDINALITY m(run, micro, tokens, key, session, o)
      JOIN run_heads h ON h.run_id = m.run JOIN run_budgets b ON b.run_id = m.run
      LEFT JOIN phases p ON p.run_id = m.run AND p.id = left(m.session, -strpos(reverse(m.session), '/'))
      WHERE m.key IS NOT NULL AND verdicts[m.o] IS NULL ORDER BY m.run, m.o
    LOOP
      IF last_run IS DISTINCT FROM r.run THEN spent := r.used; spent_tokens := r.used_tokens; last_run := r.run; END IF;
      IF r.control <> 'go' THEN codes[r.o] := CASE r.control WHEN 'paused' THEN 'paused' ELSE 'canceled' END;
      ELSIF r.is_over THEN codes[r.o] := 'canceled';
      ELSE
        blocks := NULL; warned := '[]';
        found := devflow.overrun('run', NULL, NULL, r.on_exceeded, r.limit_micro_usd, r.limit_tokens, r.limit_micro_usd - spent, r.limit_tokens - spent_tokens, r.allow_unpriced, r.micro, r.tokens);
        FOR i IN 0 .. coalesce(cardinality(rooms), 0) LOOP
          IF i > 0 THEN
            CONTINUE WHEN NOT coalesce(r.o = ANY (rooms[i].members), false);
            found := devflow.pool_overrun(rooms[i], r.passes, spent, spent_tokens, r.micro, r.tokens);
          END IF;
          CONTINUE WHEN found IS NULL;
          IF found->>'onExceeded' = 'warn_continue' AND NOT found->'exceeded' ? 'unpriced' THEN warned := warned || found;
          -- Nobody need be asked about one budget while another blocks. Of those that ask the run's own is first.
          ELSIF blocks IS NULL OR (blocks->>'onExceeded' = 'prompt' AND found->>'onExceeded' <> 'prompt') THEN blocks := found;
          END IF;
        END LOOP;
        IF blocks IS NOT NULL THEN codes[r.o] := 'over_budget'; warned := jsonb_build_array(blocks); END IF;
        IF warned <> '[]' THEN
          overruns := coalesce(overruns, array_fill(NULL::jsonb, ARRAY[cardinality(m_run)]));
          overruns[r.o] := warned;
        END IF;
      END IF;
      -- What is on record already was granted then, and is counted.
      IF (careful OR codes[r.o] IS NOT NULL) AND seq_of(r.run, false, r.key) IS NOT NULL THEN codes[r.o] := NULL; CONTINUE; END IF;
      IF codes[r.o] IS NULL THEN
        spent := spent + coalesce(r.micro, 0); spent_tokens := spent_tokens + r.tokens;
        FOR i IN 1 .. coalesce(cardinality(rooms), 0) LOOP
          CONTINUE WHEN NOT coalesce(r.o = ANY (rooms[i].members), false);
          IF rooms[i].on_exceeded = 'warn_continue' AND NOT rooms[i].crossed AND (r.micro > rooms[i].free_micro OR r.tokens > rooms[i].free_tokens) THEN
            UPDATE budget_pools SET crossed = true WHERE id = rooms[i].pool;
          END IF;
          rooms[i].free_micro := rooms[i].free_micro - coalesce(r.micro, 0); rooms[i].free_tokens := rooms[i].free_tokens - r.tokens;
        END LOOP;
      ELSE verdicts[r.o] := 'refused'; any_out := true;
      END IF;
    END LOOP;
  END IF;

  IF careful OR any_out THEN
    -- Some lines may be left out: those of members that may not write, those in the log already, and those that another line
    -- of this group says too. The others move up.
    WITH line AS (
      SELECT x.*, m_run[x.m] AS run, (verdicts[x.m] IS NULL OR verdicts[x.m] = 'refused' AND x.nth < m_from[x.m]) AND NOT (careful AND (seq_of(m_run[x.m], x.is_chunk, x.key) IS NOT NULL
          OR row_number() OVER (PARTITION BY m_run[x.m], x.is_chunk, x.key, verdicts[x.m] IS NULL ORDER BY x.nth) > 1)) AS stays
      FROM (SELECT false AS is_chunk, u.* FROM unnest(e_member, e_nth, e_key) WITH ORDINALITY u(m, nth, key, o)
        UNION ALL SELECT true, u.* FROM unnest(c_member, c_nth, c_key) WITH ORDINALITY u(m, nth, key, o)) x
    ), moved AS (
      SELECT is_chunk, o, m, CASE WHEN stays THEN row_number() OVER (PARTITION BY run, stays ORDER BY nth) END AS nth FROM line
    )
    SELECT (SELECT array_agg(nth ORDER BY o) FROM moved WHERE NOT is_chunk), (SELECT array_agg(nth ORDER BY o) FROM moved WHERE is_chunk),
        (SELECT array_agg((SELECT max(nth) FROM moved WHERE moved.m = g.m) ORDER BY g.m) FROM generate_series(1, cardinality(m_run)) g(m))
      INTO e_nth, c_nth, m_last;
  END IF;

  IF cardinality(e_member) > 0 THEN
    bodies := string_to_array(e_data, E'\n')::jsonb[];
    INSERT INTO run_events (run_id, seq, tenant, type, phase, attempt, turn, key, data, at)
    SELECT m_run[u.m], m_seq[u.m] + u.nth, m_tenant[u.m], u.type, u.phase, u.attempt, u.turn, u.key, u.data, m_at[u.m]
    FROM (SELECT unnest(e_member) AS m, unnest(e_nth) AS nth, unnest(e_type) AS type, unnest(e_key) AS key, unnest(e_phase) AS phase, unnest(e_attempt) AS attempt, unnest(e_turn) AS turn, unnest(bodies) AS data) u
    WHERE u.nth IS NOT NULL;
    evs := ARRAY(
      SELECT ROW(m_run[u.m], m_seq[u.m] + u.nth, m_tenant[u.m], u.type, u.phase, u.attempt, u.turn, u.key, u.data, m_at[u.m])::log_event
      FROM (SELECT unnest(e_member) AS m, unnest(e_nth) AS nth, unnest(e_type) AS type, unnest(e_key) AS key, unnest(e_phase) AS phase, unnest(e_attempt) AS attempt, unnest(e_turn) AS turn, unnest(bodies) AS data) u
      WHERE u.nth IS NOT NULL AND is_projected(u.type));
  END IF;
  IF cardinality(c_member) > 0 THEN
    INSERT INTO run_chunks (run_id, seq, tenant, phase, attempt, turn, delivery, kind, text, key, at)
    SELECT m_run[u.m], m_seq[u.m] + u.nth, m_tenant[u.m], u.phase, u.attempt, u.turn, u.delivery, u.kind, u.text, u.key, m_at[u.m]
    FROM (SELECT unnest(c_member) AS m, unnest(c_nth) AS nth, unnest(c_kind) AS kind, unnest(c_key) AS key, unnest(c_phase) AS phase, unnest(c_attempt) AS attempt, unnest(c_turn) AS turn, unnest(c_delivery) AS delivery, unnest(c_text) AS text) u
    WHERE u.nth IS NOT NULL;
  END IF;
  IF careful OR any_out THEN
    UPDATE run_heads h SET seq = n.seq + coalesce(n.last, 0), last_at = CASE WHEN n.last IS NULL THEN coalesce(at_of(n.run, n.seq), n.at) ELSE n.at END
      FROM (SELECT u.run, max(u.seq) AS seq, max(u.last) AS last, max(u.at) AS at FROM unnest(m_run, m_seq, m_last, m_at) u(run, seq, last, at) GROUP BY 1) n WHERE h.run_id = n.run;
  END IF;
  IF cardinality(evs) > 0 AND devflow.project(evs) THEN
    moved := ARRAY(SELECT u.run_id FROM unnest(evs) u WHERE u.type NOT LIKE 'call.%');
    -- Of calls alone no webhook is told.
    IF EXISTS (SELECT 1 FROM webhooks) THEN PERFORM devflow.queue_deliveries(evs); END IF;
  END IF;
  -- What a lost call cost is asked for from then on.
  IF 'call.lost' = ANY (e_type) THEN
    INSERT INTO call_lookups (run_id, phase, attempt, turn, call, tenant, looks, due_at)
    SELECT m.run_id, m.phase, m.attempt, m.turn, m.call, m.tenant, 0, m.ended_at
    FROM unnest(evs) u JOIN model_calls m ON m.run_id = u.run_id AND m.phase = u.phase AND m.attempt = u.attempt AND m.turn = u.turn AND m.call = (u.data->>'call')::int
    WHERE u.type = 'call.lost' AND m.cost_micro_usd IS NULL ON CONFLICT DO NOTHING;
  END IF;
  IF charged IS NOT NULL THEN PERFORM devflow.charge_pools(m_owner, charges, devflow.charges_of(charged)); END IF;

  -- Where nothing but turns grew and nobody follows them, nobody is told.
  is_told := cardinality(moved) > 0 OR devflow.is_followed();
  IF is_one THEN
    IF is_told AND m_last[1] IS NOT NULL THEN PERFORM pg_notify('devflow_run', m_run[1] || CASE WHEN m_run[1] = ANY (moved) THEN ' ! ' || m_run[1] ELSE '' END); END IF;
    verdicts := ARRAY[coalesce(verdicts[1], CASE WHEN m_last[1] IS NULL THEN 'duplicate' ELSE 'written' END)];
    seqs := ARRAY[m_seq[1] + m_last[1]];
  ELSE
    IF is_told THEN PERFORM devflow.notify_runs(m_run, m_last, moved); END IF;
    SELECT array_agg(coalesce(v.verdict, CASE WHEN v.last IS NULL THEN 'duplicate' ELSE 'written' END) ORDER BY v.o), array_agg(v.seq + v.last ORDER BY v.o)
      INTO verdicts, seqs FROM unnest(verdicts, m_seq, m_last) WITH ORDINALITY v(verdict, seq, last, o);
  END IF;
  IF careful THEN
    FOR r IN
      SELECT x.m, max(x.seq) AS seq FROM (
        SELECT m, seq_of(m_run[m], false, key) AS seq FROM unnest(e_member, e_key) u(m, key) UNION ALL SELECT m, seq_of(m_run[m], true, key) FROM unnest(c_member, c_key) u(m, key)
      ) x WHERE verdicts[x.m] = 'duplicate' GROUP BY 1
    LOOP seqs[r.m] := r.seq; END LOOP;
  END IF;
END $$;
