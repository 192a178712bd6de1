-- Commands: each is one guarded transaction that leaves a row and an outbox entry; Temporal is only woken (the border).

-- Appends events to one run from inside another function, under the same locks as `append`. Raises when the run refuses
-- them: callers have looked under the head's lock before.
CREATE FUNCTION devflow.record(run uuid, lines jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE verdict text; seq bigint; has_old boolean;
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run FOR NO KEY UPDATE;
  SELECT bool_or(devflow.seq_of(run, false, l->>'key') IS NOT NULL) INTO has_old FROM jsonb_array_elements(lines) l;
  SELECT a.verdicts[1], a.seqs[1] INTO verdict, seq FROM (
    SELECT array_agg(1) AS member, array_agg(o::int) AS nth, array_agg(l->>'type') AS type, array_agg(l->>'key') AS key, array_agg(l->>'phase') AS phase,
      array_agg((l->>'attempt')::int) AS attempt, array_agg((l->>'turn')::int) AS turn, string_agg(coalesce(l->'data', '{}')::text, E'\n') AS data
    FROM jsonb_array_elements(lines) WITH ORDINALITY x(l, o)
  ) e, devflow.append(ARRAY[run], ARRAY[1], ARRAY[jsonb_array_length(lines)], ARRAY[NULL], ARRAY[NULL::int], ARRAY[NULL::int], ARRAY[NULL], ARRAY[NULL::numeric], ARRAY[NULL::bigint],
    e.member, e.nth, e.type, e.key, e.phase, e.attempt, e.turn, e.data, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', has_old, ARRAY[NULL], '') a;
  IF verdict NOT IN ('written', 'duplicate') THEN RAISE EXCEPTION 'append to run % answered %', run, verdict; END IF;
  RETURN seq;
END $$;
--> statement-breakpoint
CREATE FUNCTION devflow.wake(run uuid) RETURNS void LANGUAGE sql AS $$
  INSERT INTO devflow.outbox (run_id, tenant) SELECT run_id, tenant FROM devflow.run_heads WHERE run_id = run
$$;
--> statement-breakpoint
-- A new run: its head, its definition, `run.submitted` and the outbox entry that starts it. Answers the time of submission.
CREATE FUNCTION devflow.submit(run uuid, tenant text, hash text, definition jsonb, submitted jsonb) RETURNS timestamptz LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE pooled boolean := devflow.is_pooled(); tree uuid;
BEGIN
  -- A child spends its parent's; what else says nothing of a budget has the tenant's.
  IF submitted ? 'parent' THEN tree := devflow.share_budget((submitted->>'parent')::uuid);
  ELSE submitted := jsonb_set(submitted, '{budget}', devflow.default_budget(submit.tenant) || coalesce(submitted->'budget', '{}'));
  END IF;
  INSERT INTO devflow.definitions (hash, tenant, format, body) VALUES (hash, tenant, (definition->>'format')::int, definition) ON CONFLICT DO NOTHING;
  INSERT INTO devflow.run_heads (run_id, tenant, seq, last_at, control, commands, execution_epoch, pooled, root) VALUES (run, tenant, 0, devflow.clock(), 'go', 0, 0, pooled OR tree IS NOT NULL, tree);
  PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'run.submitted', 'key', 'run/submitted', 'data', submitted)));
  PERFORM devflow.wake(run);
  RETURN (SELECT last_at FROM devflow.run_heads WHERE run_id = run);
END $$;
--> statement-breakpoint
-- Takes a run for a Temporal execution (I13): another execution than the last gets a new epoch, and the last is fenced.
CREATE FUNCTION devflow.begin_execution(run uuid, new_execution text) RETURNS integer LANGUAGE sql AS $$
  UPDATE devflow.run_heads SET execution_epoch = execution_epoch + CASE WHEN execution = new_execution THEN 0 ELSE 1 END, execution = new_execution
  WHERE run_id = run RETURNING execution_epoch
$$;
--> statement-breakpoint
-- A workflow has found nothing to do but wait, with the log at `at_seq`: the run waits, unless the log has grown since.
CREATE FUNCTION devflow.rest(run uuid, epoch integer, at_seq bigint, awaited jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run AND execution_epoch = epoch AND seq = at_seq AND control = 'go' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'run.waiting', 'key', 'waiting/' || at_seq, 'data', jsonb_build_object('for', awaited))));
  RETURN true;
END $$;
--> statement-breakpoint
-- Puts on record that nothing of a paused run runs any more, once a pause. Answers false when it goes on by now: said then, it would pause the run anew.
CREATE FUNCTION devflow.rest_paused(run uuid, epoch integer, command integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE said text := 'command/' || command || '/paused';
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run AND execution_epoch = epoch AND commands = command AND control = 'paused' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  IF devflow.seq_of(run, false, said) IS NULL THEN PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'run.paused', 'key', said))); END IF;
  RETURN true;
END $$;
--> statement-breakpoint
-- Takes over a session (I13): waits for appends in flight, and later ones of the old epoch are fenced. `only_new`: null where
-- anybody has had it before.
CREATE FUNCTION devflow.take_session(run uuid, name text, only_new boolean DEFAULT false) RETURNS integer LANGUAGE sql AS $$
  SELECT 1 FROM devflow.run_heads WHERE run_id = run FOR NO KEY UPDATE;
  INSERT INTO devflow.sessions (run_id, session, tenant, epoch, taken_at) SELECT run_id, name, tenant, 1, clock_timestamp() FROM devflow.run_heads WHERE run_id = run
  ON CONFLICT (run_id, session) DO UPDATE SET epoch = sessions.epoch + 1, taken_at = excluded.taken_at WHERE NOT only_new RETURNING epoch
$$;
--> statement-breakpoint
-- What a retry of the run lets go on: the phase that failed, and inside it, however deep, what failed with it or was cut off by
-- that. What is done stays done. A session that was cut off goes on under its attempt; all else is tried anew.
CREATE FUNCTION devflow.retried_phases(run uuid, failed text, round integer) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
  WITH RECURSIVE again AS (
    SELECT p.* FROM devflow.phases p WHERE p.run_id = run AND p.id = failed
    UNION ALL
    SELECT i.* FROM again o JOIN devflow.phases i ON i.run_id = o.run_id AND i.position > o.position AND i.position < devflow.end_of(o.position)
      AND cardinality(i.position) = cardinality(o.position) + 3 AND i.position[cardinality(o.position) + 1] = o.generation
      AND (i.status = 'canceled' OR i.status = 'failed' AND NOT i.continues)
  )
  SELECT jsonb_agg(CASE WHEN stays
      THEN jsonb_build_object('type', 'phase.retried', 'key', format('%s/%s/reopened/%s', id, attempt, round), 'phase', id, 'attempt', attempt,
        'data', jsonb_strip_nulls(jsonb_build_object('by', 'run.retried', 'resumes', CASE WHEN started_at IS NOT NULL THEN true END)))
      ELSE jsonb_build_object('type', 'phase.retried', 'key', format('%s/%s/retried', id, attempt + 1), 'phase', id, 'attempt', attempt + 1, 'data', jsonb_build_object('by', 'run.retried'))
    END ORDER BY position)
  FROM (SELECT a.*, a.status = 'canceled' AND (a.kind IN ('agent', 'function') OR a.started_at IS NULL) AS stays FROM again a) x
  );
END $$;
--> statement-breakpoint
-- cancel | pause | resume | retry. Answers done, unchanged, not_found, over (finished, nothing to do), not_failed, compensated.
CREATE FUNCTION devflow.command(run uuid, verb text, command_actor text, reason text, via text) RETURNS text LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  h devflow.run_heads; r devflow.runs; p devflow.phases; child uuid; holder uuid; n text; lines jsonb; said jsonb; pools boolean;
BEGIN
  -- A run that goes on after its end may find other budgets; asked before its head is locked, see `set_budgets`.
  IF verb = 'retry' THEN pools := devflow.is_pooled(); END IF;
  SELECT * INTO h FROM devflow.run_heads WHERE run_id = run FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'not_found'; END IF;
  SELECT * INTO r FROM devflow.runs WHERE id = run;
  n := 'command/' || (h.commands + 1) || '/';
  said := jsonb_strip_nulls(jsonb_build_object('actor', command_actor, 'reason', reason, 'via', via));
  CASE verb
  WHEN 'pause' THEN
    IF h.control = 'over' THEN RETURN 'over'; ELSIF h.control <> 'go' THEN RETURN 'unchanged'; END IF;
    lines := jsonb_build_array(jsonb_build_object('type', 'run.pausing', 'key', n || 'pausing', 'data', said));
  WHEN 'resume' THEN
    IF h.control = 'over' THEN RETURN 'over'; ELSIF h.control <> 'paused' THEN RETURN 'unchanged'; END IF;
    lines := jsonb_build_array(jsonb_build_object('type', 'run.resumed', 'key', n || 'resumed', 'data', said));
  WHEN 'cancel' THEN
    IF r.status = 'canceled' OR h.control = 'canceled' THEN RETURN 'unchanged'; ELSIF h.control = 'over' THEN RETURN 'over'; END IF;
    lines := jsonb_build_array(jsonb_build_object('type', 'run.canceling', 'key', n || 'canceling', 'data', said));
    IF r.status = 'queued' OR (r.status = 'paused' AND r.started_at IS NULL) THEN
      -- Nothing has begun: the end is written here, and a workflow that starts late finds the run over.
      lines := lines || jsonb_build_array(jsonb_build_object('type', 'run.canceled', 'key', 'round/' || r.attempt || '/end', 'data', said));
    END IF;
  WHEN 'retry' THEN
    -- What it had done is undone, or nobody knows: it cannot go on from there.
    IF h.control = 'over' AND EXISTS (SELECT 1 FROM devflow.run_events e WHERE e.run_id = run AND e.type = 'compensation.started') THEN RETURN 'compensated'; END IF;
    IF r.status <> 'failed' THEN RETURN 'not_failed'; END IF;
    SELECT * INTO p FROM devflow.phases WHERE run_id = run AND status = 'failed' AND id =
      (SELECT e.data->>'phase' FROM devflow.run_events e WHERE e.run_id = run AND e.type = 'run.failed' ORDER BY e.seq DESC LIMIT 1);
    -- Another run may work there by now.
    holder := devflow.take_slot(run);
    IF holder IS NOT NULL THEN RETURN 'busy ' || holder; END IF;
    lines := jsonb_build_array(jsonb_build_object('type', 'run.retried', 'key', n || 'retried', 'data', jsonb_strip_nulls(said || jsonb_build_object('attempt', r.attempt + 1, 'phase', p.id))));
    IF p.id IS NOT NULL THEN
      lines := lines || devflow.retried_phases(run, p.id, r.attempt + 1);
    END IF;
  ELSE RAISE EXCEPTION 'unknown command %', verb;
  END CASE;
  UPDATE devflow.run_heads x SET commands = x.commands + 1, pooled = CASE WHEN verb = 'retry' THEN pools OR x.root IS NOT NULL ELSE x.pooled END WHERE x.run_id = run;
  PERFORM devflow.record(run, lines);
  PERFORM devflow.wake(run);
  -- Children follow; a head is always locked after its parent's.
  IF verb <> 'retry' THEN
    FOR child IN SELECT c.id FROM devflow.runs c WHERE c.parent = run AND c.status IN ('queued', 'running', 'waiting', 'paused') ORDER BY c.id LOOP
      PERFORM devflow.command(child, verb, command_actor, reason, via);
    END LOOP;
  END IF;
  RETURN 'done';
END $$;
--> statement-breakpoint
-- Starts the run of a workflow phase, in one transaction with its parent's record of it; asked again, it finds it. A child that
-- failed goes on where it failed when a person has retried its parent, unless it has undone what it did. Answers false when another execution has the parent,
-- or it is to go no further.
CREATE FUNCTION devflow.start_child(run uuid, epoch integer, a_phase text, a_attempt integer, child uuid, hash text, definition jsonb, submitted jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE h devflow.run_heads; p devflow.phases; base text := a_phase || '/' || a_attempt || '/'; again boolean;
BEGIN
  SELECT * INTO h FROM devflow.run_heads WHERE run_id = run AND execution_epoch = epoch AND control = 'go' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  IF devflow.seq_of(run, false, base || 'child') IS NOT NULL THEN RETURN true; END IF;
  SELECT * INTO p FROM devflow.phases WHERE run_id = run AND id = a_phase;
  again := a_attempt > 1 AND p.round_attempt = a_attempt AND EXISTS (SELECT 1 FROM devflow.runs c WHERE c.id = p.child AND c.status = 'failed')
    AND NOT EXISTS (SELECT 1 FROM devflow.run_events e WHERE e.run_id = p.child AND e.type = 'compensation.started');
  IF again THEN child := p.child; END IF;
  PERFORM devflow.record(run, jsonb_build_array(
    jsonb_build_object('type', 'phase.started', 'key', base || 'start', 'phase', a_phase, 'attempt', a_attempt, 'data', jsonb_build_object('kind', 'workflow')),
    jsonb_build_object('type', 'child.started', 'key', base || 'child', 'phase', a_phase, 'attempt', a_attempt,
      'data', jsonb_strip_nulls(jsonb_build_object('run', child, 'template', submitted->>'template', 'retried', CASE WHEN again THEN true END)))));
  IF again THEN PERFORM devflow.command(child, 'retry', submitted->>'actor', 'its parent was retried', 'parent');
  ELSE PERFORM devflow.submit(child, h.tenant, hash, definition, submitted);
  END IF;
  RETURN true;
END $$;
--> statement-breakpoint
-- That a child ends, or begins or ends to wait for somebody, is news to its parent, as long as that goes on.
CREATE FUNCTION devflow.tell_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO devflow.outbox (run_id, tenant) SELECT run_id, tenant FROM devflow.run_heads WHERE run_id = NEW.parent AND control <> 'over';
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER tell_parent AFTER UPDATE OF status ON devflow.runs FOR EACH ROW
  WHEN (NEW.parent IS NOT NULL AND OLD.status <> NEW.status AND (NEW.status IN ('waiting', 'completed', 'failed', 'canceled') OR OLD.status = 'waiting')) EXECUTE FUNCTION devflow.tell_parent();
--> statement-breakpoint
-- Closes an open gate and ends its phase: one outcome, whoever asked (I6). The caller holds the run's head. `decided`: the line
-- of the decision that closes it, which goes on record with what follows from it.
CREATE FUNCTION devflow.close_gate(g devflow.gates, outcome text, closed_by text, decided jsonb DEFAULT '[]') RETURNS void LANGUAGE plpgsql AS $$
DECLARE base text := devflow.gate_base(g); last jsonb; decisions jsonb; back jsonb; changes jsonb;
BEGIN
  IF g.budget IS NOT NULL THEN
    IF decided <> '[]' THEN PERFORM devflow.record(g.run_id, decided); END IF;
    PERFORM devflow.close_budget_gate(g, outcome, closed_by);
    RETURN;
  END IF;
  SELECT coalesce(jsonb_agg(jsonb_build_object('actor', x.principal, 'decision', x.decision, 'comment', x.comment) ORDER BY x.at, x.principal), '[]') INTO decisions
    FROM devflow.gate_decisions x WHERE x.run_id = g.run_id AND x.gate = g.id AND x.attempt = g.attempt;
  decisions := decisions || (SELECT coalesce(jsonb_agg(jsonb_build_object('actor', d->'data'->'actor', 'decision', d->'data'->'decision', 'comment', d->'data'->'comment')), '[]') FROM jsonb_array_elements(decided) d WHERE d->>'type' = 'gate.decided');
  -- Back to an earlier phase, as often as the gate allows: the log says in one go which phases begin anew, the gate among them.
  back := CASE WHEN outcome = 'changes_requested' THEN g.goes_back->'changes' WHEN outcome = 'rejected' AND g.rounds < (g.goes_back->>'maxRounds')::int THEN g.goes_back->'reject' END;
  IF back IS NOT NULL THEN
    IF outcome = 'changes_requested' THEN
      changes := jsonb_build_array(jsonb_build_object('type', 'gate.changes_requested', 'key', base || 'changes', 'phase', g.phase, 'attempt', g.attempt,
        'data', jsonb_build_object('gate', g.id, 'to', back->'for', 'round', g.rounds + 1, 'subjectHash', g.subject_hash,
          'requests', (SELECT jsonb_agg(d - 'decision') FROM jsonb_array_elements(decisions) d WHERE d->>'decision' = 'request_changes'))));
    END IF;
    PERFORM devflow.record(g.run_id, decided || coalesce(changes, '[]') || jsonb_build_array(
      jsonb_build_object('type', 'gate.closed', 'key', base || 'closed', 'phase', g.phase, 'attempt', g.attempt,
        'data', jsonb_build_object('gate', g.id, 'status', 'rejected', 'by', closed_by, 'outcome', outcome, 'goto', back->'for', 'round', g.rounds + 1)),
      jsonb_build_object('type', 'phase.completed', 'key', base || 'end', 'phase', g.phase, 'attempt', g.attempt,
        'data', jsonb_build_object('output', jsonb_build_object('status', outcome, 'decisions', decisions))))
      || devflow.back_lines(g, back->>'to', back->>'for'));
    RETURN;
  END IF;
  last := CASE
    WHEN outcome = 'approved' OR (outcome = 'rejected' AND g.on_reject = 'end') THEN jsonb_build_object('type', 'phase.completed', 'key', base || 'end', 'data', jsonb_build_object('output', jsonb_build_object('status', outcome, 'decisions', decisions)))
    WHEN outcome = 'rejected' THEN jsonb_build_object('type', 'phase.failed', 'key', base || 'end', 'data', jsonb_build_object('error', jsonb_build_object('kind', 'CONFLICT', 'code', 'gate_rejected', 'message', format('Gate %s was rejected%s%s.', g.id, CASE closed_by WHEN 'deadline' THEN ' by its deadline' ELSE '' END,
      CASE WHEN g.goes_back ? 'reject' THEN format(', after the run had gone back %s times', g.rounds) ELSE '' END))))
    ELSE jsonb_build_object('type', 'phase.failed', 'key', base || 'end', 'data', jsonb_build_object('error', jsonb_build_object('kind', 'TIMEOUT', 'code', 'gate_expired', 'message', format('Gate %s had no decision by its deadline.', g.id))))
  END;
  PERFORM devflow.record(g.run_id, decided || jsonb_build_array(
    jsonb_build_object('type', 'gate.closed', 'key', base || 'closed', 'phase', g.phase, 'attempt', g.attempt, 'data', jsonb_build_object('gate', g.id, 'status', outcome, 'by', closed_by)),
    last || jsonb_build_object('phase', g.phase, 'attempt', g.attempt)));
END $$;
--> statement-breakpoint
-- A decision (I6), accepted when this commits. `holds`: what the principal is, as approver lists write it.
-- Answers accepted, repeated, unknown_gate, not_approver, handed_over, is_author, closed, decided_otherwise, changes_not_allowed,
-- rounds_exhausted, hash_required, subject_changed, not_a_budget_gate, raise_too_low.
CREATE FUNCTION devflow.decide(run uuid, gate_id text, decider text, holds text[], choice text, said text, hash text, channel text, raise_to numeric DEFAULT NULL) RETURNS text LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE g devflow.gates; d devflow.gate_decisions; yes integer; no integer; changes integer; seat text; raised jsonb; decided jsonb;
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run FOR NO KEY UPDATE;
  SELECT * INTO g FROM devflow.gates WHERE run_id = run AND id = gate_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'unknown_gate'; END IF;
  SELECT * INTO d FROM devflow.gate_decisions WHERE run_id = run AND gate = gate_id AND attempt = g.attempt AND principal = decider;
  IF FOUND AND d.decision = choice THEN RETURN 'repeated'; END IF;
  seat := devflow.seat_of(g, decider, holds);
  IF seat <> 'yes' THEN RETURN seat; END IF;
  IF choice = 'approve' AND g.author = decider THEN RETURN 'is_author'; END IF;
  IF g.status <> 'open' THEN RETURN 'closed'; END IF;
  -- A gate whose time is up is the deadline's, though its timer may not have fired yet.
  IF clock_timestamp() >= g.deadline THEN RETURN 'closed'; END IF;
  IF (SELECT control FROM devflow.run_heads WHERE run_id = run) IN ('canceled', 'over') THEN RETURN 'closed'; END IF;
  IF d.principal IS NOT NULL THEN RETURN 'decided_otherwise'; END IF;
  IF choice = 'request_changes' THEN
    IF g.goes_back ? 'changes' IS NOT TRUE THEN RETURN 'changes_not_allowed'; END IF;
    IF g.rounds >= (g.goes_back->>'maxRounds')::int THEN RETURN 'rounds_exhausted'; END IF;
  END IF;
  IF hash IS NULL AND g.require_subject_hash THEN RETURN 'hash_required'; END IF;
  IF hash <> g.subject_hash THEN RETURN 'subject_changed'; END IF;
  IF raise_to IS NOT NULL AND g.budget IS NULL THEN RETURN 'not_a_budget_gate'; END IF;
  IF g.budget IS NOT NULL AND (choice = 'approve' OR raise_to IS NOT NULL) THEN
    raised := devflow.raise_of(g, CASE choice WHEN 'approve' THEN raise_to ELSE -1 END);
    IF raised IS NULL THEN RETURN 'raise_too_low'; END IF;
  END IF;
  decided := jsonb_build_array(jsonb_build_object('type', 'gate.decided', 'key', devflow.gate_base(g) || 'decision/' || decider, 'phase', g.phase, 'attempt', g.attempt,
    'data', jsonb_build_object('gate', g.id, 'actor', decider, 'decision', choice, 'comment', said, 'subjectHash', g.subject_hash, 'implied', hash IS NULL, 'via', channel)));
  SELECT count(*) FILTER (WHERE x = 'approve'), count(*) FILTER (WHERE x = 'reject'), count(*) FILTER (WHERE x = 'request_changes') INTO yes, no, changes
    FROM (SELECT decision AS x FROM devflow.gate_decisions WHERE run_id = decide.run AND gate = g.id AND attempt = g.attempt UNION ALL SELECT choice) made;
  IF yes >= g.quorum THEN
    IF raised IS NOT NULL THEN
      decided := decided || jsonb_build_object('type', 'budget.raised', 'key', devflow.gate_base(g) || 'raised', 'phase', g.phase, 'attempt', g.attempt, 'data', raised || jsonb_build_object('actor', decider));
    END IF;
    PERFORM devflow.close_gate(g, 'approved', 'decision', decided);
  -- Whoever asks for changes does not want it as it is; where somebody does, the milder counts.
  ELSIF no + changes >= g.reject_quorum THEN PERFORM devflow.close_gate(g, CASE WHEN changes > 0 THEN 'changes_requested' ELSE 'rejected' END, 'decision', decided);
  ELSE
    PERFORM devflow.record(run, decided);
    RETURN 'accepted';
  END IF;
  PERFORM devflow.wake(run);
  RETURN 'accepted';
END $$;
--> statement-breakpoint
-- The deadline's turn at a gate: escalates, step by step, where the gate says so, else closes it. Answers the gate's status after it.
CREATE FUNCTION devflow.expire_gate(run uuid, gate_id text, epoch integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE g devflow.gates; opened jsonb; base text; final text; steps jsonb; step jsonb;
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run AND execution_epoch = epoch FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'fenced'; END IF;
  SELECT * INTO g FROM devflow.gates WHERE run_id = run AND id = gate_id FOR NO KEY UPDATE;
  IF NOT FOUND OR g.status <> 'open' OR g.deadline IS NULL OR clock_timestamp() < g.deadline THEN RETURN g.status; END IF;
  base := g.phase || '/' || g.attempt || '/';
  -- One step says whom and how long beside each other, several are a list of {to, after}.
  steps := CASE jsonb_typeof(g.on_deadline->'escalateTo'->0) WHEN 'string' THEN jsonb_build_array(jsonb_build_object('to', g.on_deadline->'escalateTo', 'after', g.on_deadline->'after')) ELSE g.on_deadline->'escalateTo' END;
  step := steps->g.escalations;
  IF step IS NOT NULL THEN
    SELECT e.data INTO opened FROM devflow.run_events e WHERE e.run_id = run AND e.key = base || 'opened';
    PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'gate.escalated', 'key', base || 'escalated' || CASE g.escalations WHEN 0 THEN '' ELSE '/' || (g.escalations + 1) END, 'phase', g.phase, 'attempt', g.attempt,
      'data', jsonb_build_object('gate', g.id, 'to', step->'to', 'step', g.escalations + 1, 'deadline', coalesce(step->>'after', g.on_deadline->>'after', opened->>'deadline')))));
    RETURN 'open';
  END IF;
  final := CASE g.on_deadline->>'then' WHEN 'approve' THEN 'approved' WHEN 'reject' THEN 'rejected' ELSE 'expired' END;
  PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'gate.expired', 'key', base || 'expired', 'phase', g.phase, 'attempt', g.attempt, 'data', jsonb_build_object('gate', g.id))));
  PERFORM devflow.close_gate(g, final, 'deadline');
  RETURN final;
END $$;
--> statement-breakpoint
-- A signal for a wait phase, kept also when no wait is open yet. Answers done, unchanged, not_found, over.
CREATE FUNCTION devflow.receive_signal(run uuid, signal_name text, signal_id text, signal_data jsonb, sender text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE h devflow.run_heads;
BEGIN
  SELECT * INTO h FROM devflow.run_heads WHERE run_id = run FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'not_found'; END IF;
  IF EXISTS (SELECT 1 FROM devflow.signals s WHERE s.run_id = run AND s.name = signal_name AND s.id = signal_id) THEN RETURN 'unchanged'; END IF;
  IF h.control = 'over' THEN RETURN 'over'; END IF;
  PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'signal.received', 'key', format('signal/%s/%s', signal_name, signal_id),
    'data', jsonb_build_object('name', signal_name, 'id', signal_id, 'data', signal_data, 'actor', sender))));
  PERFORM devflow.wake(run);
  RETURN 'done';
END $$;
--> statement-breakpoint
-- Erases a finished run and leaves a tombstone, and its calls in the ledger: what was paid stays accounted. A call whose cost
-- is not known is charged its reservation first: nobody could write it down any more. Answers done, not_found, not_over, gone.
CREATE FUNCTION devflow.erase_run(run uuid, eraser text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = devflow, pg_temp AS $$
DECLARE h run_heads; t text; unknown jsonb;
BEGIN
  SELECT * INTO h FROM run_heads WHERE run_id = run FOR UPDATE;
  IF NOT FOUND THEN RETURN CASE WHEN EXISTS (SELECT 1 FROM tombstones WHERE run_id = run) THEN 'gone' ELSE 'not_found' END; END IF;
  IF h.control <> 'over' THEN RETURN 'not_over'; END IF;
  SELECT jsonb_agg(jsonb_build_object('type', 'call.reconciled', 'key', format('%s/%s/%s/call-%s/reconciled', m.phase, m.attempt, m.turn, m.call), 'phase', m.phase, 'attempt', m.attempt, 'turn', m.turn,
    'data', jsonb_build_object('call', m.call, 'costMicroUsd', m.reserved_micro_usd, 'costSource', 'estimate'))) INTO unknown FROM model_calls m WHERE m.run_id = run AND m.cost_micro_usd IS NULL;
  IF unknown IS NOT NULL THEN PERFORM record(run, unknown); END IF;
  PERFORM set_config('devflow.erasing', 'yes', true);
  FOREACH t IN ARRAY ARRAY['run_events', 'run_chunks', 'run_budgets', 'phases', 'sessions', 'gates', 'gate_decisions', 'gate_delegations', 'signals', 'event_waits', 'event_looks', 'artifacts', 'blobs', 'blob_parts', 'workspace_snapshots', 'outbox', 'idempotency_keys', 'call_lookups', 'run_heads'] LOOP
    EXECUTE format('DELETE FROM %I WHERE run_id = $1', t) USING run;
  END LOOP;
  INSERT INTO tombstones (run_id, tenant, actor, template, labels, root) SELECT run, h.tenant, eraser, r.template, r.labels, h.root FROM runs r WHERE r.id = run;
  DELETE FROM runs WHERE id = run;
  PERFORM set_config('devflow.erasing', '', true);
  RETURN 'done';
END $$;
--> statement-breakpoint
-- Chunks of runs that ended before `before`, at most so many: the log keeps the turns themselves. Answers how many went; none
-- went when none are left. It goes from run to run that has chunks at all, so runs pruned long ago cost nothing. Whoever is
-- about to retry a run holds its head: such a run is left for another time.
CREATE FUNCTION devflow.prune_chunks(before timestamptz, most integer DEFAULT 10000) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = devflow, pg_temp AS $$
DECLARE run uuid := '00000000-0000-0000-0000-000000000000'; n bigint; gone bigint := 0;
BEGIN
  PERFORM set_config('devflow.erasing', 'yes', true);
  WHILE gone < most LOOP
    SELECT c.run_id INTO run FROM run_chunks c WHERE c.run_id > run ORDER BY c.run_id LIMIT 1;
    EXIT WHEN run IS NULL;
    CONTINUE WHEN NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = run AND r.ended_at < before);
    PERFORM 1 FROM run_heads h WHERE h.run_id = run AND h.control = 'over' FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    DELETE FROM run_chunks c WHERE c.run_id = run
      AND c.seq <= coalesce((SELECT x.seq FROM run_chunks x WHERE x.run_id = run ORDER BY x.seq OFFSET most - gone - 1 LIMIT 1), (SELECT h.seq FROM run_heads h WHERE h.run_id = run));
    GET DIAGNOSTICS n = ROW_COUNT;
    gone := gone + n;
  END LOOP;
  PERFORM set_config('devflow.erasing', '', true);
  RETURN gone;
END $$;
