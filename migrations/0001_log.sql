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
-- The one projector (I2). `append` feeds it what it has just inserted; a rebuild feeds it the whole log of a run.
-- Table names are unqualified on purpose: a check points the search path at empty temporary tables and compares.
CREATE FUNCTION devflow.project(evs devflow.run_events[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  e devflow.run_events;
  d jsonb;
  types text[];
  rare boolean;
  c devflow.model_calls;
BEGIN
  SELECT array_agg(DISTINCT u.type), bool_or(u.type NOT LIKE 'call.%' AND u.type NOT LIKE 'turn.%' AND u.type NOT LIKE 'tool.%') INTO types, rare FROM unnest(evs) u;
  -- Rare events one by one, in order: each moves a status that the next may move on.
  IF rare THEN
  FOR e IN SELECT * FROM unnest(evs) u WHERE u.type NOT LIKE 'call.%' AND u.type NOT LIKE 'turn.%' AND u.type NOT LIKE 'tool.%' ORDER BY u.run_id, u.seq LOOP
    d := e.data;
    CASE e.type
    WHEN 'run.submitted' THEN
      INSERT INTO runs (id, tenant, template, definition_hash, status, input, labels, budget, workspace, actor, parent, attempt, created_at)
      VALUES (e.run_id, e.tenant, d->>'template', d->>'definitionHash', 'queued', d->'input', d->'labels', d->'budget', d->'workspace', d->>'actor', (d->>'parent')::uuid, 1, e.at);
      INSERT INTO run_budgets (run_id, tenant, limit_micro_usd, limit_tokens, reserved_micro_usd, settled_micro_usd, reserved_tokens, settled_tokens)
      VALUES (e.run_id, e.tenant, (d->'budget'->>'limitMicroUsd')::numeric, (d->'budget'->>'limitTokens')::bigint, 0, 0, 0, 0);
      INSERT INTO phases (run_id, id, tenant, position, kind, status, attempt, round_attempt)
      SELECT e.run_id, p->>'id', e.tenant, o, p->>'kind', 'pending', 1, 1 FROM jsonb_array_elements(d->'phases') WITH ORDINALITY x(p, o);
    WHEN 'run.started' THEN
      UPDATE runs SET status = CASE WHEN status = 'paused' THEN status ELSE 'running' END, started_at = coalesce(started_at, e.at) WHERE id = e.run_id;
    WHEN 'run.waiting' THEN
      UPDATE runs SET status = 'waiting' WHERE id = e.run_id AND status <> 'paused';
    WHEN 'run.pausing', 'run.paused' THEN
      UPDATE runs SET status = 'paused' WHERE id = e.run_id;
      UPDATE run_heads SET control = 'paused' WHERE run_id = e.run_id AND control = 'go';
    WHEN 'run.resumed' THEN
      UPDATE runs r SET status = CASE WHEN r.started_at IS NULL THEN 'queued'
        WHEN EXISTS (SELECT 1 FROM phases p WHERE p.run_id = r.id AND p.status = 'waiting') THEN 'waiting' ELSE 'running' END WHERE id = e.run_id;
      UPDATE run_heads SET control = 'go' WHERE run_id = e.run_id AND control = 'paused';
    WHEN 'run.canceling' THEN
      UPDATE run_heads SET control = 'canceled' WHERE run_id = e.run_id;
    WHEN 'run.completed', 'run.failed', 'run.canceled' THEN
      UPDATE runs SET status = substr(e.type, 5), output = d->'output', error = d->'error', ended_at = e.at WHERE id = e.run_id;
      UPDATE run_heads SET control = 'over' WHERE run_id = e.run_id;
      IF e.type = 'run.canceled' THEN
        UPDATE phases SET status = 'canceled', ended_at = e.at WHERE run_id = e.run_id AND status IN ('pending', 'running', 'waiting');
      END IF;
    WHEN 'run.retried' THEN
      UPDATE runs SET status = 'queued', attempt = (d->>'attempt')::int, output = NULL, error = NULL, ended_at = NULL WHERE id = e.run_id;
      UPDATE run_heads SET control = 'go' WHERE run_id = e.run_id;
      UPDATE phases SET round_attempt = attempt + 1 WHERE run_id = e.run_id AND id = d->>'phase';
    WHEN 'phase.started' THEN
      UPDATE phases SET status = 'running', attempt = e.attempt, started_at = e.at, ended_at = NULL, error = NULL, retry_at = NULL WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'phase.completed' THEN
      UPDATE phases SET status = 'completed', ended_at = e.at, output = d->'output', deadline = NULL WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'phase.failed' THEN
      UPDATE phases SET status = 'failed', ended_at = e.at, error = d->'error', deadline = NULL WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'phase.skipped' THEN
      UPDATE phases SET status = 'skipped', ended_at = e.at WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'phase.retried' THEN
      UPDATE phases SET status = 'pending', attempt = e.attempt, ended_at = NULL, retry_at = e.at + coalesce((d->>'after')::interval, interval '0') WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'gate.opened' THEN
      INSERT INTO gates (run_id, id, tenant, phase, attempt, status, title, subject, subject_hash, quorum, reject_quorum, approvers, require_subject_hash, on_reject, on_deadline, deadline, opened_at)
      VALUES (e.run_id, d->>'gate', e.tenant, e.phase, e.attempt, 'open', d->>'title', d->'subject', d->>'subjectHash', (d->>'quorum')::int, (d->>'rejectQuorum')::int,
        CASE WHEN d ? 'approvers' THEN ARRAY(SELECT jsonb_array_elements_text(d->'approvers')) END, (d->>'requireSubjectHash')::boolean, d->>'onReject', d->'onDeadline', e.at + (d->>'deadline')::interval, e.at)
      ON CONFLICT (run_id, id) DO UPDATE SET attempt = excluded.attempt, status = 'open', title = excluded.title, subject = excluded.subject, subject_hash = excluded.subject_hash,
        quorum = excluded.quorum, reject_quorum = excluded.reject_quorum, approvers = excluded.approvers, require_subject_hash = excluded.require_subject_hash, on_reject = excluded.on_reject,
        on_deadline = excluded.on_deadline, escalated_at = NULL, deadline = excluded.deadline, opened_at = excluded.opened_at, closed_at = NULL;
      UPDATE phases SET status = 'waiting', deadline = e.at + (d->>'deadline')::interval WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'gate.decided' THEN
      INSERT INTO gate_decisions (run_id, gate, attempt, principal, tenant, decision, comment, subject_hash, implied, via, at)
      VALUES (e.run_id, d->>'gate', e.attempt, d->>'actor', e.tenant, d->>'decision', d->>'comment', d->>'subjectHash', (d->>'implied')::boolean, d->>'via', e.at);
    WHEN 'gate.escalated' THEN
      UPDATE gates SET escalated_at = e.at, deadline = e.at + (d->>'deadline')::interval,
        approvers = CASE WHEN approvers IS NULL THEN NULL ELSE approvers || ARRAY(SELECT jsonb_array_elements_text(d->'to')) END WHERE run_id = e.run_id AND id = d->>'gate';
      UPDATE phases SET deadline = e.at + (d->>'deadline')::interval WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'gate.closed' THEN
      UPDATE gates SET status = d->>'status', closed_at = e.at WHERE run_id = e.run_id AND id = d->>'gate';
      UPDATE runs SET status = 'running' WHERE id = e.run_id AND status = 'waiting';
    WHEN 'wait.opened' THEN
      UPDATE phases SET status = 'waiting', deadline = coalesce((d->>'until')::timestamptz, e.at + (d->>'for')::interval) WHERE run_id = e.run_id AND id = e.phase;
    WHEN 'wait.closed' THEN
      UPDATE signals SET taken_by = e.phase || '/' || e.attempt WHERE run_id = e.run_id AND name = d->>'signal' AND id = d->>'signalId';
      UPDATE runs SET status = 'running' WHERE id = e.run_id AND status = 'waiting';
    WHEN 'signal.received' THEN
      INSERT INTO signals (run_id, name, id, tenant, seq, data, at) VALUES (e.run_id, d->>'name', d->>'id', e.tenant, e.seq, d->'data', e.at);
    WHEN 'artifact.accepted' THEN
      INSERT INTO artifacts (run_id, name, version, tenant, sha256, media_type, bytes, phase, attempt, at)
      VALUES (e.run_id, d->>'name', (d->>'version')::int, e.tenant, d->>'sha256', d->>'mediaType', (d->>'bytes')::int, e.phase, e.attempt, e.at);
    WHEN 'report.written' THEN
      INSERT INTO artifacts (run_id, name, version, tenant, sha256, media_type, bytes, at)
      SELECT e.run_id, a->>'name', (a->>'version')::int, e.tenant, a->>'sha256', a->>'mediaType', (a->>'bytes')::int, e.at FROM jsonb_array_elements(d->'artifacts') a;
    ELSE NULL; -- no projection
    END CASE;
  END LOOP;
  END IF;

  -- The ledger set-wise: it is the hot path, and rows of one batch do not depend on each other's order within a step.
  IF 'call.reserved' = ANY(types) THEN
    INSERT INTO model_calls (run_id, phase, attempt, turn, call, tenant, persona, provider, model, status, reserved_micro_usd, reserved_tokens, at)
    SELECT u.run_id, u.phase, u.attempt, u.turn, (u.data->>'call')::int, u.tenant, u.data->>'persona', u.data->>'provider', u.data->>'model', 'reserved',
      (u.data->>'reservedMicroUsd')::numeric, (u.data->>'reservedTokens')::bigint, u.at
    FROM unnest(evs) u WHERE u.type = 'call.reserved';
  END IF;
  IF 'call.started' = ANY(types) THEN
    UPDATE model_calls m SET generation_id = u.data->>'generationId' FROM unnest(evs) u
    WHERE u.type = 'call.started' AND m.run_id = u.run_id AND m.phase = u.phase AND m.attempt = u.attempt AND m.turn = u.turn AND m.call = (u.data->>'call')::int;
  END IF;
  IF 'call.lost' = ANY(types) THEN
    UPDATE model_calls m SET status = u.data->>'status', ended_at = u.at FROM unnest(evs) u
    WHERE u.type = 'call.lost' AND m.run_id = u.run_id AND m.phase = u.phase AND m.attempt = u.attempt AND m.turn = u.turn AND m.call = (u.data->>'call')::int;
  END IF;
  -- A run's budget moves once a batch, by all that was reserved and paid.
  IF 'call.reserved' = ANY(types) OR 'call.settled' = ANY(types) THEN
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
  IF 'call.reconciled' = ANY(types) THEN
    FOR e IN SELECT * FROM unnest(evs) u WHERE u.type = 'call.reconciled' ORDER BY u.run_id, u.seq LOOP
      d := e.data;
      SELECT * INTO c FROM model_calls m WHERE m.run_id = e.run_id AND m.phase = e.phase AND m.attempt = e.attempt AND m.turn = e.turn AND m.call = (d->>'call')::int;
      UPDATE model_calls m SET
        status = CASE WHEN m.status = 'unsettled' THEN 'settled' ELSE m.status END,
        cost_micro_usd = (d->>'costMicroUsd')::numeric, cost_source = d->>'costSource', model_used = coalesce(d->>'modelUsed', m.model_used),
        input_tokens = (d->>'inputTokens')::bigint, output_tokens = (d->>'outputTokens')::bigint, cached_tokens = (d->>'cachedTokens')::bigint,
        reasoning_tokens = (d->>'reasoningTokens')::bigint, generation_id = coalesce(d->>'generationId', m.generation_id),
        latency_ms = coalesce((d->>'latencyMs')::bigint, m.latency_ms), ended_at = coalesce(m.ended_at, e.at)
      WHERE m.run_id = c.run_id AND m.phase = c.phase AND m.attempt = c.attempt AND m.turn = c.turn AND m.call = c.call;
      UPDATE run_budgets b SET
        reserved_micro_usd = b.reserved_micro_usd - CASE WHEN c.cost_micro_usd IS NULL THEN c.reserved_micro_usd ELSE 0 END,
        reserved_tokens = b.reserved_tokens - CASE WHEN c.cost_micro_usd IS NULL THEN c.reserved_tokens ELSE 0 END,
        settled_micro_usd = b.settled_micro_usd + (d->>'costMicroUsd')::numeric - coalesce(c.cost_micro_usd, 0),
        settled_tokens = b.settled_tokens + coalesce((d->>'inputTokens')::bigint, 0) + coalesce((d->>'outputTokens')::bigint, 0) - coalesce(c.input_tokens, 0) - coalesce(c.output_tokens, 0)
      WHERE b.run_id = c.run_id;
    END LOOP;
  END IF;
END $$;
--> statement-breakpoint
-- The lines of an append as rows; `o` is their order.
CREATE FUNCTION devflow.lines_of(lines jsonb)
RETURNS TABLE (o bigint, m int, type text, key text, phase text, attempt int, turn int, data jsonb, kind text, text text, delivery int, is_chunk boolean) LANGUAGE sql STABLE AS $$
  SELECT l.o, l.m, l.type, l.key, l.phase, l.attempt, l.turn, l.data, l.kind, l.text, l.delivery, l.type IN ('chunk', 'chunk.reset')
  FROM ROWS FROM (jsonb_to_recordset(lines) AS (m int, type text, key text, phase text, attempt int, turn int, data jsonb, kind text, text text, delivery int)) WITH ORDINALITY
    l(m, type, key, phase, attempt, turn, data, kind, text, delivery, o)
$$;
--> statement-breakpoint
-- Where a line is in the log; null when it is not there.
CREATE FUNCTION devflow.seq_of(run uuid, is_chunk boolean, line_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN is_chunk THEN (SELECT c.seq FROM devflow.run_chunks c WHERE c.run_id = run AND c.key = line_key)
    ELSE (SELECT e.seq FROM devflow.run_events e WHERE e.run_id = run AND e.key = line_key) END
$$;
--> statement-breakpoint
-- Appends a group of members, each a set of lines that stand or fall together, in one round trip.
--   members: [{run, session?, epoch?, execution?, reserve?: {microUsd, tokens, key}}]; key: that of its `call.reserved` line
--   lines:   [{m: index of its member, type, key, phase?, attempt?, turn?, data?, kind?, text?, delivery?}]
--            type 'chunk' and 'chunk.reset' go to run_chunks, all others are events
-- Answers [[verdict, seq, code], …] by member: written (seq: the member's last new line), duplicate (seq: of its last line,
-- as it stands), fenced, refused (code: paused, canceled, over_budget), no_run.
-- Lock order everywhere: sessions, budgets, heads, then all else; each in order of its key. Statements after a lock see
-- what its previous holder committed, because each statement of a volatile function has its own snapshot.
--
-- Nearly every line is new, and the unique indexes find out anyway: so all are written as new (pass 1), and only when one
-- was there before is each looked up and the old ones are left out (pass 2).
-- The planner's settings are for plans that are made once a connection, maybe on empty tables: they must suit full ones.
CREATE FUNCTION devflow.append(members jsonb, lines jsonb) RETURNS jsonb LANGUAGE plpgsql VOLATILE
SET search_path = devflow, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  -- The members, parsed once: one array a field.
  m_run uuid[]; m_session text[]; m_epoch int[]; m_execution int[]; m_micro numeric[]; m_tokens bigint[]; m_key text[];
  -- How each stands with its run: the run's last seq, the time of its next event, its tenant; null verdict: may write.
  m_seq bigint[]; m_at timestamptz[]; m_tenant text[]; verdicts text[]; codes text[];
  evs run_events[]; chunks run_chunks[]; l_member int[]; l_seq bigint[]; old bigint[];
  seqs bigint[]; r record;
  spent numeric; spent_tokens bigint; last_run uuid; reserves boolean; limited boolean; now_at timestamptz;
BEGIN
  SELECT array_agg(run), array_agg(session), array_agg(epoch), array_agg(execution),
      array_agg((reserve->>'microUsd')::numeric), array_agg((reserve->>'tokens')::bigint), array_agg(reserve->>'key'), bool_or(reserve IS NOT NULL)
    INTO m_run, m_session, m_epoch, m_execution, m_micro, m_tokens, m_key, reserves
    FROM jsonb_to_recordset(members) m(run uuid, session text, epoch int, execution int, reserve jsonb);
  PERFORM 1 FROM unnest(m_run, m_session) m(run, name) JOIN sessions s ON s.run_id = m.run AND s.session = m.name ORDER BY s.run_id, s.session FOR SHARE OF s;
  IF reserves OR lines @? '$[*].type ? (@ starts with "call.")' THEN
    PERFORM 1 FROM run_budgets b WHERE b.run_id = ANY(m_run) ORDER BY b.run_id FOR NO KEY UPDATE;
  END IF;
  PERFORM 1 FROM run_heads h WHERE h.run_id = ANY(m_run) ORDER BY h.run_id FOR NO KEY UPDATE;
  now_at := clock_timestamp();

  FOR pass IN 1..2 LOOP
    SELECT array_agg(verdict), array_agg(NULL::text), array_agg(seq), array_agg(at), array_agg(tenant), bool_or(is_limited)
      INTO verdicts, codes, m_seq, m_at, m_tenant, limited
      FROM (
        SELECT CASE WHEN h.run_id IS NULL THEN 'no_run'
            WHEN m.session IS NOT NULL AND s.epoch IS DISTINCT FROM m.epoch THEN 'fenced'
            WHEN m.execution IS NOT NULL AND h.execution_epoch <> m.execution THEN 'fenced'
            -- A cancel may end a run that a workflow has just looked at: nothing of a workflow or session follows the end.
            WHEN h.control = 'over' AND (m.session IS NOT NULL OR m.execution IS NOT NULL) THEN 'fenced' END AS verdict,
          h.seq, greatest(h.last_at, now_at) AS at, h.tenant,
          m.key IS NOT NULL AND (h.control <> 'go' OR b.limit_micro_usd IS NOT NULL OR b.limit_tokens IS NOT NULL) AS is_limited
        FROM unnest(m_run, m_session, m_epoch, m_execution, m_key) WITH ORDINALITY m(run, session, epoch, execution, key, o)
        LEFT JOIN run_heads h ON h.run_id = m.run LEFT JOIN sessions s ON s.run_id = m.run AND s.session = m.session LEFT JOIN run_budgets b ON m.key IS NOT NULL AND b.run_id = m.run
        ORDER BY m.o
      ) x;

    IF limited THEN
      -- In order, against a running sum: two reservations of one group never both take the last cent.
      FOR r IN
        SELECT m.o, m.run, m.micro, m.tokens, m.key, h.control, b.limit_micro_usd, b.limit_tokens,
          b.reserved_micro_usd + b.settled_micro_usd AS used, b.reserved_tokens + b.settled_tokens AS used_tokens
        FROM unnest(m_run, m_micro, m_tokens, m_key) WITH ORDINALITY m(run, micro, tokens, key, o)
        JOIN run_heads h ON h.run_id = m.run JOIN run_budgets b ON b.run_id = m.run
        WHERE m.key IS NOT NULL AND verdicts[m.o] IS NULL ORDER BY m.run, m.o
      LOOP
        IF last_run IS DISTINCT FROM r.run THEN spent := r.used; spent_tokens := r.used_tokens; last_run := r.run; END IF;
        -- What is on record already was granted then.
        CONTINUE WHEN pass = 2 AND seq_of(r.run, false, r.key) IS NOT NULL;
        IF r.control <> 'go' THEN codes[r.o] := CASE r.control WHEN 'paused' THEN 'paused' ELSE 'canceled' END;
        ELSIF spent + r.micro > r.limit_micro_usd OR spent_tokens + r.tokens > r.limit_tokens THEN codes[r.o] := 'over_budget';
        ELSE spent := spent + r.micro; spent_tokens := spent_tokens + r.tokens; CONTINUE;
        END IF;
        IF pass = 1 AND seq_of(r.run, false, r.key) IS NOT NULL THEN codes[r.o] := NULL; ELSE verdicts[r.o] := 'refused'; END IF;
      END LOOP;
      last_run := NULL;
    END IF;

    IF pass = 2 THEN
      -- Old is what is in the log, and what another line of this group says too.
      SELECT array_agg(x.o) INTO old FROM (
        SELECT l.o, row_number() OVER (PARTITION BY m_run[l.m + 1], l.is_chunk, l.key ORDER BY l.o) AS nth, seq_of(m_run[l.m + 1], l.is_chunk, l.key) AS seq
        FROM lines_of(lines) l WHERE verdicts[l.m + 1] IS NULL
      ) x WHERE x.nth > 1 OR x.seq IS NOT NULL;
    END IF;

    SELECT array_agg(ROW(n.run, n.seq, m_tenant[n.m + 1], n.type, n.phase, n.attempt, n.turn, n.key, coalesce(n.data, '{}'), m_at[n.m + 1])::run_events) FILTER (WHERE NOT n.is_chunk),
        array_agg(ROW(n.run, n.seq, m_tenant[n.m + 1], n.phase, n.attempt, n.turn, n.delivery, CASE n.type WHEN 'chunk' THEN n.kind ELSE 'reset' END, n.text, n.key, m_at[n.m + 1])::run_chunks) FILTER (WHERE n.is_chunk),
        array_agg(n.m + 1), array_agg(n.seq)
      INTO evs, chunks, l_member, l_seq
      FROM (
        SELECT l.*, m_run[l.m + 1] AS run, m_seq[l.m + 1] + row_number() OVER (PARTITION BY m_run[l.m + 1] ORDER BY l.o) AS seq
        FROM lines_of(lines) l WHERE verdicts[l.m + 1] IS NULL AND (old IS NULL OR l.o <> ALL (old))
      ) n;
    BEGIN
      IF evs IS NOT NULL THEN
        INSERT INTO run_events (run_id, seq, tenant, type, phase, attempt, turn, key, data, at)
        SELECT u.run_id, u.seq, u.tenant, u.type, u.phase, u.attempt, u.turn, u.key, u.data, u.at FROM unnest(evs) u;
      END IF;
      IF chunks IS NOT NULL THEN
        INSERT INTO run_chunks (run_id, seq, tenant, phase, attempt, turn, delivery, kind, text, key, at)
        SELECT u.run_id, u.seq, u.tenant, u.phase, u.attempt, u.turn, u.delivery, u.kind, u.text, u.key, u.at FROM unnest(chunks) u;
      END IF;
      EXIT;
    EXCEPTION WHEN unique_violation THEN
      IF pass = 2 THEN RAISE; END IF;
    END;
  END LOOP;

  seqs := array_fill(NULL::bigint, ARRAY[cardinality(m_run)]);
  FOR i IN 1..coalesce(cardinality(l_member), 0) LOOP seqs[l_member[i]] := l_seq[i]; END LOOP;
  UPDATE run_heads h SET seq = n.seq, last_at = n.at
    FROM (SELECT u.run, max(u.seq) AS seq, max(u.at) AS at FROM unnest(m_run, seqs, m_at) u(run, seq, at) WHERE u.seq IS NOT NULL GROUP BY 1) n WHERE h.run_id = n.run;
  IF evs IS NOT NULL THEN PERFORM devflow.project(evs); END IF;
  FOR i IN 1..cardinality(m_run) LOOP
    IF verdicts[i] IS NULL THEN verdicts[i] := CASE WHEN seqs[i] IS NULL THEN 'duplicate' ELSE 'written' END; END IF;
  END LOOP;
  PERFORM pg_notify('devflow_run', u.run::text) FROM (SELECT DISTINCT v.run FROM unnest(m_run, verdicts) v(run, verdict) WHERE v.verdict = 'written') u;
  IF old IS NOT NULL THEN
    FOR r IN SELECT l.m + 1 AS o, max(seq_of(m_run[l.m + 1], l.is_chunk, l.key)) AS seq FROM lines_of(lines) l WHERE verdicts[l.m + 1] = 'duplicate' GROUP BY 1
    LOOP seqs[r.o] := r.seq; END LOOP;
  END IF;
  RETURN (SELECT jsonb_agg(jsonb_build_array(u.verdict, u.seq, u.code) ORDER BY u.o) FROM unnest(verdicts, seqs, codes) WITH ORDINALITY u(verdict, seq, code, o));
END $$;
