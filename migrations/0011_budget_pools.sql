-- Shared budgets. A pool is what many runs draw on together: a budget on one UTC day, or the budget of a run with
-- children. Each process spends from a slice of its own, so that no hot row serialises all of them:
--   used  = what the process has charged to the pool: reservations, less what settling freed
--   drawn = what it may use without asking
-- Law 1: what is used of a pool is what the ledger says of it (the cost of a call, else its reservation). Both move in one
--   transaction, so a pool can be told from the ledger at any time.
-- Law 2: a reservation is granted when it fits into its slice, else the slice is refilled under the pool's lock, by less and
--   less near the limit; at the limit what other slices have not used is taken back first, whether their processes live
--   or not. So it is refused only when the money is really reserved or spent, and what a dead process held is not lost.
-- Lock order: heads, pools, slices; each in order of its key. Who spends from its own slice locks no pool.

-- The clock of the log: a test puts its own in its place.
CREATE FUNCTION devflow.clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT clock_timestamp() $$;
--> statement-breakpoint
-- Days are UTC. A call is charged to the day it was reserved on.
CREATE FUNCTION devflow.day_of(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$ SELECT (at AT TIME ZONE 'UTC')::date $$;
--> statement-breakpoint
-- The shared budgets that hold for a persona of a tenant, as the pools they make. A persona's own row comes before the one for
-- every persona; a row for all its versions holds beside it.
CREATE FUNCTION devflow.budgets_over(a_tenant text, a_persona text)
RETURNS TABLE (tenant text, scope text, persona text, limit_micro_usd numeric, limit_tokens bigint, on_exceeded text, allow_unpriced boolean) LANGUAGE sql STABLE AS $$
  SELECT b.tenant, b.scope, CASE WHEN b.scope = 'persona-day' AND b.persona = '' THEN a_persona ELSE b.persona END, b.limit_micro_usd, b.limit_tokens, b.on_exceeded, b.allow_unpriced
  FROM devflow.budgets b
  WHERE b.tenant IN ('*', a_tenant) AND (b.scope IN ('day', 'tenant-day') OR b.scope = 'persona-day' AND (
    b.persona IN (a_persona, split_part(a_persona, '@', 1))
    OR b.persona = '' AND NOT EXISTS (SELECT 1 FROM devflow.budgets x WHERE x.tenant = b.tenant AND x.scope = 'persona-day' AND x.persona = a_persona)))
$$;
--> statement-breakpoint
-- The pools that a call is charged to.
CREATE FUNCTION devflow.pools_of(a_tenant text, a_persona text, a_day date, a_root uuid) RETURNS SETOF devflow.budget_pools LANGUAGE sql STABLE AS $$
  SELECT * FROM devflow.budget_pools p WHERE p.day = a_day
    AND (p.scope = 'day' OR p.tenant = a_tenant AND (p.scope = 'tenant-day' OR p.scope = 'persona-day' AND p.persona IN (a_persona, split_part(a_persona, '@', 1))))
  UNION ALL
  SELECT * FROM devflow.budget_pools p WHERE p.day = '-infinity' AND p.scope = 'run' AND p.tenant = a_tenant AND p.persona = a_root::text
$$;
--> statement-breakpoint
-- The calls that lines of a group reserve or pay.
CREATE FUNCTION devflow.calls_charged(m_run uuid[], e_member int[], e_type text[], e_phase text[], e_attempt int[], e_turn int[], e_data text) RETURNS devflow.call_key[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(DISTINCT ROW(m_run[u.m], u.phase, u.attempt, u.turn, (u.data::jsonb->>'call')::int)::devflow.call_key)
  FROM unnest(e_member, e_type, e_phase, e_attempt, e_turn, string_to_array(e_data, E'\n')) u(m, type, phase, attempt, turn, data)
  WHERE u.type IN ('call.reserved', 'call.settled', 'call.reconciled')
$$;
--> statement-breakpoint
-- What these calls are charged with as the ledger stands. Volatile: it is asked before and after the ledger moves.
CREATE FUNCTION devflow.charges_of(keys devflow.call_key[]) RETURNS devflow.pool_charge[] LANGUAGE sql VOLATILE AS $$
  SELECT array_agg(ROW(x.tenant, x.persona, x.day, x.root, x.micro, x.tokens)::devflow.pool_charge) FROM (
    SELECT m.tenant, m.persona, devflow.day_of(m.at) AS day, h.root,
      sum(CASE WHEN m.cost_micro_usd IS NULL THEN m.reserved_micro_usd ELSE m.cost_micro_usd END) AS micro,
      sum(CASE WHEN m.cost_micro_usd IS NULL OR (m.cost_source = 'estimate' AND m.input_tokens IS NULL) THEN m.reserved_tokens ELSE coalesce(m.input_tokens, 0) + coalesce(m.output_tokens, 0) END)::bigint AS tokens
    FROM unnest(keys) k JOIN devflow.model_calls m ON m.run_id = k.run AND m.phase = k.phase AND m.attempt = k.attempt AND m.turn = k.turn AND m.call = k.call
    JOIN devflow.run_heads h ON h.run_id = m.run_id GROUP BY 1, 2, 3, 4
  ) x
$$;
--> statement-breakpoint
-- Charges to the process's slices what the ledger has moved by.
CREATE FUNCTION devflow.charge_pools(owner text, before devflow.pool_charge[], after devflow.pool_charge[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO devflow.budget_slices AS s (pool, process, drawn_micro_usd, drawn_tokens, used_micro_usd, used_tokens, at)
  SELECT p.id, owner, 0, 0, sum(c.micro), sum(c.tokens), clock_timestamp()
  FROM (SELECT * FROM unnest(after) UNION ALL SELECT tenant, persona, day, root, -micro, -tokens FROM unnest(before)) c
  CROSS JOIN LATERAL devflow.pools_of(c.tenant, c.persona, c.day, c.root) p
  GROUP BY p.id HAVING sum(c.micro) <> 0 OR sum(c.tokens) <> 0 ORDER BY p.id
  ON CONFLICT (pool, process) DO UPDATE SET used_micro_usd = s.used_micro_usd + excluded.used_micro_usd, used_tokens = s.used_tokens + excluded.used_tokens, at = excluded.at
$$;
--> statement-breakpoint
CREATE FUNCTION devflow.slices_hold(owner text, rooms devflow.pool_room[]) RETURNS boolean LANGUAGE sql VOLATILE AS $$
  SELECT NOT EXISTS (
    SELECT 1 FROM unnest(rooms) r LEFT JOIN devflow.budget_slices s ON s.pool = r.pool AND s.process = owner
    WHERE NOT r.crossed AND (r.limit_micro_usd IS NOT NULL AND coalesce(s.drawn_micro_usd - s.used_micro_usd, 0) < r.want_micro
      OR r.limit_tokens IS NOT NULL AND coalesce(s.drawn_tokens - s.used_tokens, 0) < r.want_tokens))
$$;
--> statement-breakpoint
-- Makes room in the pools of a group (law 2). In the answer `free` is what may be granted: all of `want`, or all there is left.
CREATE FUNCTION devflow.open_rooms(owner text, wants devflow.pool_want[]) RETURNS devflow.pool_room[] LANGUAGE plpgsql AS $$
DECLARE
  rooms devflow.pool_room[]; ids bigint[]; p devflow.budget_pools; own devflow.budget_slices;
  drawn numeric; drawn_tok bigint; used numeric; used_tok bigint; room numeric; room_tok bigint;
BEGIN
  -- The first call of a day makes its pools.
  INSERT INTO devflow.budget_pools (day, scope, tenant, persona, limit_micro_usd, limit_tokens, on_exceeded, allow_unpriced, used_micro_usd, used_tokens)
  SELECT DISTINCT w.day, b.scope, b.tenant, b.persona, b.limit_micro_usd, b.limit_tokens, b.on_exceeded, b.allow_unpriced, 0, 0
  FROM unnest(wants) w CROSS JOIN LATERAL devflow.budgets_over(w.tenant, w.persona) b
  WHERE w.member IS NOT NULL AND NOT EXISTS (SELECT 1 FROM devflow.budget_pools x WHERE x.day = w.day AND x.scope = b.scope AND x.tenant = b.tenant AND x.persona = b.persona)
  ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING;

  SELECT array_agg(ROW(x.id, x.scope, x.persona, x.day, x.limit_micro_usd, x.limit_tokens, x.on_exceeded, x.allow_unpriced, x.crossed, x.micro, x.tokens, 0, 0, x.members)::devflow.pool_room ORDER BY x.id),
      array_agg(x.id ORDER BY x.id) INTO rooms, ids
    FROM (
      SELECT o.*, sum(coalesce(w.micro, 0)) AS micro, sum(coalesce(w.tokens, 0))::bigint AS tokens, array_agg(w.member) AS members
      FROM unnest(wants) w CROSS JOIN LATERAL devflow.pools_of(w.tenant, w.persona, w.day, w.root) o
      GROUP BY o.id, o.tenant, o.scope, o.persona, o.day, o.limit_micro_usd, o.limit_tokens, o.on_exceeded, o.allow_unpriced, o.crossed, o.used_micro_usd, o.used_tokens
    ) x;
  IF rooms IS NULL THEN RETURN '{}'; END IF;

  IF devflow.slices_hold(owner, rooms) THEN
    BEGIN
      PERFORM 1 FROM devflow.budget_slices s WHERE s.process = owner AND s.pool = ANY (ids) ORDER BY s.pool FOR NO KEY UPDATE;
      -- Another process may have taken it back in the same moment: then these locks are given up, since pools come before slices.
      IF NOT devflow.slices_hold(owner, rooms) THEN RAISE EXCEPTION USING ERRCODE = 'DF001'; END IF;
      FOR i IN 1 .. cardinality(rooms) LOOP
        rooms[i].free_micro := rooms[i].want_micro; rooms[i].free_tokens := rooms[i].want_tokens;
        IF rooms[i].crossed THEN rooms[i].free_micro := 0; rooms[i].free_tokens := 0; END IF;
      END LOOP;
      RETURN rooms;
    EXCEPTION WHEN SQLSTATE 'DF001' THEN NULL;
    END;
  END IF;

  PERFORM 1 FROM devflow.budget_pools x WHERE x.id = ANY (ids) ORDER BY x.id FOR NO KEY UPDATE;
  PERFORM 1 FROM devflow.budget_slices s WHERE s.pool = ANY (ids) ORDER BY s.pool, s.process FOR NO KEY UPDATE;
  FOR i IN 1 .. cardinality(rooms) LOOP
    SELECT * INTO p FROM devflow.budget_pools x WHERE x.id = ids[i];
    rooms[i].crossed := p.crossed;
    CONTINUE WHEN p.crossed;
    SELECT * INTO own FROM devflow.budget_slices s WHERE s.pool = ids[i] AND s.process = owner;
    own.used_micro_usd := coalesce(own.used_micro_usd, 0); own.used_tokens := coalesce(own.used_tokens, 0);
    SELECT p.used_micro_usd + coalesce(sum(greatest(s.drawn_micro_usd, s.used_micro_usd)), 0), p.used_tokens + coalesce(sum(greatest(s.drawn_tokens, s.used_tokens)), 0),
        p.used_micro_usd + coalesce(sum(s.used_micro_usd), 0), p.used_tokens + coalesce(sum(s.used_tokens), 0)
      INTO drawn, drawn_tok, used, used_tok FROM devflow.budget_slices s WHERE s.pool = ids[i] AND s.process <> owner;
    IF drawn + own.used_micro_usd + rooms[i].want_micro > p.limit_micro_usd OR drawn_tok + own.used_tokens + rooms[i].want_tokens > p.limit_tokens THEN
      UPDATE devflow.budget_slices s SET drawn_micro_usd = s.used_micro_usd, drawn_tokens = s.used_tokens WHERE s.pool = ids[i] AND s.process <> owner;
      drawn := used; drawn_tok := used_tok;
    END IF;
    -- The more is left, the more is drawn ahead: a sixteenth of it.
    room := p.limit_micro_usd - drawn - own.used_micro_usd; room_tok := p.limit_tokens - drawn_tok - own.used_tokens;
    rooms[i].free_micro := least(room, rooms[i].want_micro + greatest(0, trunc((room - rooms[i].want_micro) / 16, 6)));
    rooms[i].free_tokens := least(room_tok, rooms[i].want_tokens + greatest(0, (room_tok - rooms[i].want_tokens) / 16));
    INSERT INTO devflow.budget_slices AS s (pool, process, drawn_micro_usd, drawn_tokens, used_micro_usd, used_tokens, at)
    VALUES (ids[i], owner, own.used_micro_usd + coalesce(rooms[i].free_micro, 0), own.used_tokens + coalesce(rooms[i].free_tokens, 0), 0, 0, clock_timestamp())
    ON CONFLICT (pool, process) DO UPDATE SET drawn_micro_usd = excluded.drawn_micro_usd, drawn_tokens = excluded.drawn_tokens, at = excluded.at;
  END LOOP;
  RETURN rooms;
END $$;
--> statement-breakpoint
-- What a reservation takes beyond what a budget has left, for whoever asked; null when it fits. `micro` is null where nobody
-- knows the price.
CREATE FUNCTION devflow.overrun(a_scope text, a_persona text, a_day date, policy text, limit_micro numeric, limit_tok bigint, left_micro numeric, left_tok numeric, unpriced_ok boolean, micro numeric, tok bigint)
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN micro > left_micro OR tok > left_tok OR (micro IS NULL AND limit_micro IS NOT NULL AND NOT unpriced_ok) THEN jsonb_strip_nulls(jsonb_build_object(
    'scope', a_scope, 'persona', nullif(a_persona, ''), 'day', CASE WHEN a_day <> '-infinity' THEN a_day END, 'onExceeded', coalesce(policy, 'block'), 'limitMicroUsd', limit_micro, 'limitTokens', limit_tok,
    'leftMicroUsd', CASE WHEN left_micro > 0 THEN left_micro WHEN left_micro IS NOT NULL THEN 0 END, 'leftTokens', CASE WHEN left_tok > 0 THEN left_tok WHEN left_tok IS NOT NULL THEN 0 END, 'wantedMicroUsd', micro, 'wantedTokens', tok,
    'exceeded', (SELECT jsonb_agg(x) FROM unnest(ARRAY[CASE WHEN micro IS NULL AND limit_micro IS NOT NULL AND NOT unpriced_ok THEN 'unpriced' END,
      CASE WHEN micro > left_micro THEN 'money' END, CASE WHEN tok > left_tok THEN 'tokens' END]) x WHERE x IS NOT NULL))) END
$$;
--> statement-breakpoint
-- The same of a pool, for a member of a group. What the run was let past it for counts beside what is free.
CREATE FUNCTION devflow.pool_overrun(room devflow.pool_room, passes jsonb, spent numeric, spent_tokens numeric, micro numeric, tok bigint) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE pass jsonb := passes->devflow.pool_name(room.scope, room.persona, room.day);
BEGIN
  RETURN devflow.overrun(room.scope, room.persona, room.day, room.on_exceeded, room.limit_micro_usd, room.limit_tokens,
    CASE WHEN room.limit_micro_usd IS NOT NULL THEN greatest(room.free_micro, (pass->>'microUsd')::numeric - spent) END,
    CASE WHEN room.limit_tokens IS NOT NULL THEN greatest(room.free_tokens, (pass->>'tokens')::numeric - spent_tokens) END, room.allow_unpriced, micro, tok);
END $$;
--> statement-breakpoint
-- How a pool is named where a run's log speaks of it.
CREATE FUNCTION devflow.pool_name(scope text, persona text, day date) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT concat_ws('/', scope, nullif(persona, ''), CASE WHEN day <> '-infinity' THEN to_char(day, 'YYYY-MM-DD') END)
$$;
--> statement-breakpoint
-- Folds slices into their pools: what is used stays used, and what is not is free again. Of one process at its end, or of all
-- that were not touched since `before`; a process that is still there draws anew.
CREATE FUNCTION devflow.fold_slices(owner text, before timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE ids bigint[]; n bigint;
BEGIN
  SELECT array_agg(DISTINCT s.pool) INTO ids FROM devflow.budget_slices s WHERE s.process = owner OR s.at < before;
  IF ids IS NULL THEN RETURN 0; END IF;
  PERFORM 1 FROM devflow.budget_pools p WHERE p.id = ANY (ids) ORDER BY p.id FOR NO KEY UPDATE;
  PERFORM 1 FROM devflow.budget_slices s WHERE s.pool = ANY (ids) AND (s.process = owner OR s.at < before) ORDER BY s.pool, s.process FOR UPDATE;
  WITH gone AS (
    DELETE FROM devflow.budget_slices s WHERE s.pool = ANY (ids) AND (s.process = owner OR s.at < before) RETURNING s.*
  ), folded AS (
    UPDATE devflow.budget_pools p SET used_micro_usd = p.used_micro_usd + g.micro, used_tokens = p.used_tokens + g.tokens
    FROM (SELECT pool, sum(used_micro_usd) AS micro, sum(used_tokens) AS tokens FROM gone GROUP BY 1) g WHERE p.id = g.pool
  )
  SELECT count(*) INTO n FROM gone;
  RETURN n;
END $$;
--> statement-breakpoint
-- What is used of a pool, that of its slices included.
CREATE FUNCTION devflow.used_of(p devflow.budget_pools) RETURNS TABLE (micro numeric, tokens bigint) LANGUAGE sql STABLE AS $$
  SELECT p.used_micro_usd + coalesce(sum(s.used_micro_usd), 0), (p.used_tokens + coalesce(sum(s.used_tokens), 0))::bigint FROM devflow.budget_slices s WHERE s.pool = p.id
$$;
--> statement-breakpoint
-- Every pool with what is used of it, and what the ledger says of that.
CREATE FUNCTION devflow.pools_and_ledger() RETURNS TABLE (id bigint, name text, tenant text, used_micro_usd numeric, used_tokens bigint, ledger_micro_usd numeric, ledger_tokens bigint) LANGUAGE sql STABLE AS $$
  WITH charged AS MATERIALIZED (
    SELECT m.tenant, m.persona, devflow.day_of(m.at) AS day, coalesce(h.root, t.root) AS root, sum(CASE WHEN m.cost_micro_usd IS NULL THEN m.reserved_micro_usd ELSE m.cost_micro_usd END) AS micro,
      sum(CASE WHEN m.cost_micro_usd IS NULL OR (m.cost_source = 'estimate' AND m.input_tokens IS NULL) THEN m.reserved_tokens ELSE coalesce(m.input_tokens, 0) + coalesce(m.output_tokens, 0) END)::bigint AS tokens
    FROM devflow.model_calls m LEFT JOIN devflow.run_heads h ON h.run_id = m.run_id LEFT JOIN devflow.tombstones t ON t.run_id = m.run_id GROUP BY 1, 2, 3, 4
  )
  SELECT p.id, devflow.pool_name(p.scope, p.persona, p.day), p.tenant, u.micro, u.tokens, coalesce(c.micro, 0), coalesce(c.tokens, 0)::bigint
  FROM devflow.budget_pools p CROSS JOIN LATERAL devflow.used_of(p) u
  LEFT JOIN LATERAL (SELECT sum(x.micro) AS micro, sum(x.tokens) AS tokens FROM charged x
    WHERE CASE p.scope WHEN 'day' THEN x.day = p.day WHEN 'tenant-day' THEN x.day = p.day AND x.tenant = p.tenant
      WHEN 'persona-day' THEN x.day = p.day AND x.tenant = p.tenant AND p.persona IN (x.persona, split_part(x.persona, '@', 1)) ELSE x.root::text = p.persona END) c ON true
$$;
--> statement-breakpoint
-- Runs that have a call of a day: by the index over time, which is why it is asked by an instant.
CREATE FUNCTION devflow.start_of(day date) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT day::timestamp AT TIME ZONE 'UTC' $$;
--> statement-breakpoint
-- What a pool of today has to begin with: the ledger's sum. Only under the locks of all who could move it.
CREATE FUNCTION devflow.make_pools(today date) RETURNS void LANGUAGE sql AS $$
  DELETE FROM devflow.budget_slices s USING devflow.budget_pools p WHERE p.id = s.pool AND p.day >= today;
  DELETE FROM devflow.budget_pools p WHERE p.day >= today;
  INSERT INTO devflow.budget_pools (day, scope, tenant, persona, limit_micro_usd, limit_tokens, on_exceeded, allow_unpriced, used_micro_usd, used_tokens)
  SELECT today, b.scope, b.tenant, b.persona, b.limit_micro_usd, b.limit_tokens, b.on_exceeded, b.allow_unpriced,
    sum(CASE WHEN m.cost_micro_usd IS NULL THEN m.reserved_micro_usd ELSE m.cost_micro_usd END),
    sum(CASE WHEN m.cost_micro_usd IS NULL OR (m.cost_source = 'estimate' AND m.input_tokens IS NULL) THEN m.reserved_tokens ELSE coalesce(m.input_tokens, 0) + coalesce(m.output_tokens, 0) END)
  FROM devflow.model_calls m CROSS JOIN LATERAL devflow.budgets_over(m.tenant, m.persona) b
  WHERE m.at >= devflow.start_of(today) AND m.at < devflow.start_of(today + 1) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
$$;
--> statement-breakpoint
-- Replaces the budgets of a tenant, and those over all tenants; they hold at once, for what was spent today as well. Nobody
-- can reserve or settle meanwhile: whoever may has the head of a run that is locked here, and a run that is new, or goes
-- on after its end, asks under the same lock whether it has pools.
CREATE FUNCTION devflow.set_budgets(a_tenant text, setter text, rows jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE today date; shared boolean;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('devflow.budgets'));
  DELETE FROM devflow.budgets b WHERE b.tenant IN (a_tenant, '*');
  INSERT INTO devflow.budgets (tenant, scope, persona, position, limit_micro_usd, limit_tokens, on_exceeded, allow_unpriced, actor)
  SELECT CASE r->>'scope' WHEN 'day' THEN '*' ELSE a_tenant END, r->>'scope', coalesce(r->>'persona', ''), o, (r->>'limitMicroUsd')::numeric, (r->>'limitTokens')::bigint,
    r->>'onExceeded', coalesce((r->>'allowUnpriced')::boolean, false), setter FROM jsonb_array_elements(rows) WITH ORDINALITY x(r, o);
  PERFORM 1 FROM devflow.run_heads h WHERE h.control <> 'over'
    OR h.run_id IN (SELECT m.run_id FROM devflow.model_calls m WHERE m.at >= devflow.start_of(devflow.day_of(devflow.clock()))) ORDER BY h.run_id FOR NO KEY UPDATE;
  today := devflow.day_of(devflow.clock());
  shared := EXISTS (SELECT 1 FROM devflow.budgets b WHERE b.scope <> 'run');
  UPDATE devflow.run_heads h SET pooled = shared OR h.root IS NOT NULL WHERE h.pooled <> (shared OR h.root IS NOT NULL)
    AND (h.control <> 'over' OR h.run_id IN (SELECT m.run_id FROM devflow.model_calls m WHERE m.at >= devflow.start_of(today)));
  PERFORM devflow.make_pools(today);
END $$;
--> statement-breakpoint
-- Whether a run of this tenant is charged to pools from now on. Held against `set_budgets` until the transaction ends.
CREATE FUNCTION devflow.is_pooled() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('devflow.budgets'));
  RETURN EXISTS (SELECT 1 FROM devflow.budgets b WHERE b.scope <> 'run');
END $$;
--> statement-breakpoint
-- Lets a run share the budget of its parent, or of whoever its parent shares with: the first child makes that a pool. Answers
-- whose it is; null where there is no limit to share.
CREATE FUNCTION devflow.share_budget(parent uuid) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE tree uuid; b devflow.run_budgets;
BEGIN
  SELECT coalesce(h.root, h.run_id) INTO tree FROM devflow.run_heads h WHERE h.run_id = parent;
  SELECT * INTO b FROM devflow.run_budgets x WHERE x.run_id = tree;
  IF b.limit_micro_usd IS NULL AND b.limit_tokens IS NULL THEN RETURN NULL; END IF;
  PERFORM 1 FROM devflow.run_heads h WHERE h.run_id = tree FOR NO KEY UPDATE;
  SELECT * INTO b FROM devflow.run_budgets x WHERE x.run_id = tree;
  INSERT INTO devflow.budget_pools (day, scope, tenant, persona, limit_micro_usd, limit_tokens, on_exceeded, allow_unpriced, used_micro_usd, used_tokens)
  VALUES ('-infinity', 'run', b.tenant, tree::text, b.limit_micro_usd, b.limit_tokens, coalesce(b.on_exceeded, 'block'), b.allow_unpriced,
    b.reserved_micro_usd + b.settled_micro_usd, b.reserved_tokens + b.settled_tokens) ON CONFLICT DO NOTHING;
  UPDATE devflow.run_heads h SET root = tree, pooled = true WHERE h.run_id = tree AND h.root IS NULL;
  RETURN tree;
END $$;
--> statement-breakpoint
-- Makes pools that differ from the ledger what it says.
CREATE FUNCTION devflow.mend_pools() RETURNS void LANGUAGE plpgsql AS $$
DECLARE d record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('devflow.budgets'));
  PERFORM 1 FROM devflow.run_heads h ORDER BY h.run_id FOR NO KEY UPDATE;
  FOR d IN SELECT * FROM devflow.pools_and_ledger() x WHERE x.used_micro_usd <> x.ledger_micro_usd OR x.used_tokens <> x.ledger_tokens ORDER BY x.id LOOP
    DELETE FROM devflow.budget_slices s WHERE s.pool = d.id;
    UPDATE devflow.budget_pools p SET used_micro_usd = d.ledger_micro_usd, used_tokens = d.ledger_tokens WHERE p.id = d.id;
  END LOOP;
END $$;
--> statement-breakpoint
-- What a run of this tenant has whose submission and template say nothing.
CREATE FUNCTION devflow.default_budget(a_tenant text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT jsonb_strip_nulls(jsonb_build_object('limitMicroUsd', b.limit_micro_usd, 'limitTokens', b.limit_tokens, 'onExceeded', b.on_exceeded, 'allowUnpriced', CASE WHEN b.allow_unpriced THEN true END))
    FROM devflow.budgets b WHERE b.tenant = a_tenant AND b.scope = 'run'), '{}')
$$;
--> statement-breakpoint
-- Where the keys of a gate's events begin. An automatic gate has no phase of its own.
CREATE FUNCTION devflow.gate_base(g devflow.gates) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN g.budget IS NULL THEN g.phase || '/' || g.attempt || '/' ELSE 'gate/' || g.id || '/' END
$$;
--> statement-breakpoint
-- A session whose next call does not fit into a budget that asks: its phase waits at the run's open budget gate, or at a new
-- one. `start`: the line that starts the phase, where it has not started. Answers the gate; null: fenced, about to end, or over: an agent
-- that was asked for help may ask a moment after the gate at which another waited was rejected, and with it the attempt of both failed.
CREATE FUNCTION devflow.ask_budget(run uuid, a_session text, a_epoch integer, a_phase text, a_attempt integer, start jsonb, overrun jsonb, title text, hash text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE h devflow.run_heads; at devflow.phases; gate_id text; lines jsonb; n integer := 1; base text;
BEGIN
  SELECT * INTO h FROM devflow.run_heads WHERE run_id = run FOR NO KEY UPDATE;
  IF NOT FOUND OR h.control IN ('canceled', 'over') OR NOT EXISTS (SELECT 1 FROM devflow.sessions s WHERE s.run_id = run AND s.session = a_session AND s.epoch = a_epoch) THEN RETURN NULL; END IF;
  SELECT * INTO at FROM devflow.phases p WHERE p.run_id = run AND p.id = a_phase;
  IF at.attempt <> a_attempt OR at.status NOT IN ('pending', 'running', 'waiting') THEN RETURN NULL; END IF;
  SELECT g.id INTO gate_id FROM devflow.gates g WHERE g.run_id = run AND g.status = 'open' AND g.budget IS NOT NULL ORDER BY g.opened_at LIMIT 1;
  lines := CASE WHEN start IS NULL THEN '[]' ELSE jsonb_build_array(start) END;
  IF gate_id IS NULL THEN
    gate_id := 'budget';
    -- A template may have used the name for a phase.
    WHILE EXISTS (SELECT 1 FROM devflow.gates g WHERE g.run_id = run AND g.id = gate_id) OR EXISTS (SELECT 1 FROM devflow.phases p WHERE p.run_id = run AND p.id = gate_id) LOOP
      n := n + 1; gate_id := 'budget-' || n;
    END LOOP;
    lines := lines || jsonb_build_array(jsonb_build_object('type', 'gate.opened', 'key', 'gate/' || gate_id || '/opened', 'phase', a_phase, 'attempt', a_attempt, 'data',
      jsonb_build_object('gate', gate_id, 'title', title, 'subject', '[]'::jsonb, 'subjectHash', hash, 'quorum', 1, 'rejectQuorum', 1, 'requireSubjectHash', false, 'onReject', 'fail', 'budget', overrun)));
  END IF;
  base := format('gate/%s/%s/%s/', gate_id, a_phase, a_attempt);
  lines := lines || jsonb_build_array(
    jsonb_build_object('type', 'budget.exceeded', 'key', base || 'exceeded', 'phase', a_phase, 'attempt', a_attempt, 'data', overrun || jsonb_build_object('gate', gate_id)));
  -- Inside others, what is beside it may go on: `enter` sees when nothing does.
  IF cardinality(at.position) = 1 THEN
    lines := lines || jsonb_build_array(jsonb_build_object('type', 'run.waiting', 'key', base || 'waiting', 'data', jsonb_build_object('for', jsonb_build_array(jsonb_build_object('kind', 'gate', 'id', gate_id)))));
  END IF;
  PERFORM devflow.record(run, lines);
  RETURN gate_id;
END $$;
--> statement-breakpoint
-- What approving a budget gate raises, as `budget.raised` says it: of a run's own budget the limit, by the first one it had, also
-- where others share it; of another pool what this run may have spent in all while the pool does not hold it, so that what others
-- spend from then on does not count: all it may by now, and once more the pool's limit. Null: `raise_to` raises nothing here.
CREATE FUNCTION devflow.raise_of(g devflow.gates, raise_to numeric) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE b devflow.run_budgets; first jsonb; over jsonb := g.budget; more numeric; more_tokens bigint; pool text; free numeric; free_tokens bigint; spent numeric; pass numeric; pass_tokens bigint;
BEGIN
  SELECT * INTO b FROM devflow.run_budgets WHERE run_id = g.run_id;
  SELECT r.budget INTO first FROM devflow.runs r WHERE r.id = g.run_id;
  IF over->'exceeded' ? 'tokens' THEN more_tokens := (over->>'limitTokens')::bigint; END IF;
  IF over->>'scope' = 'run' AND coalesce(over->>'persona', g.run_id::text) = g.run_id::text THEN
    IF raise_to IS NOT NULL THEN more := raise_to - b.limit_micro_usd;
    ELSIF over->'exceeded' ? 'money' THEN more := (first->>'limitMicroUsd')::numeric;
    END IF;
    IF more_tokens IS NOT NULL THEN more_tokens := (first->>'limitTokens')::bigint; END IF;
    IF raise_to IS NOT NULL AND more > 0 IS NOT TRUE THEN RETURN NULL; END IF;
    RETURN jsonb_strip_nulls(jsonb_build_object('scope', 'run', 'gate', g.id, 'limitMicroUsd', b.limit_micro_usd + more, 'raisedMicroUsd', more, 'limitTokens', b.limit_tokens + more_tokens, 'raisedTokens', more_tokens));
  END IF;
  pool := devflow.pool_name(over->>'scope', over->>'persona', coalesce((over->>'day')::date, '-infinity'));
  SELECT p.limit_micro_usd - u.micro, p.limit_tokens - u.tokens INTO free, free_tokens FROM devflow.budget_pools p CROSS JOIN LATERAL devflow.used_of(p) u
    WHERE p.scope = over->>'scope' AND p.persona = coalesce(over->>'persona', '') AND p.day = coalesce((over->>'day')::date, '-infinity') AND p.tenant = CASE p.scope WHEN 'day' THEN '*' ELSE g.tenant END;
  spent := b.reserved_micro_usd + b.settled_micro_usd;
  pass := greatest((b.passes->pool->>'microUsd')::numeric, spent + greatest(free, 0));
  pass_tokens := greatest((b.passes->pool->>'tokens')::bigint, b.reserved_tokens + b.settled_tokens + greatest(free_tokens, 0));
  IF raise_to IS NOT NULL THEN
    more := raise_to - (over->>'limitMicroUsd')::numeric;
    IF (more > 0 AND spent + coalesce(free, 0) + more > pass) IS NOT TRUE THEN RETURN NULL; END IF;
    pass := spent + coalesce(free, 0);
  ELSIF over->'exceeded' ? 'money' THEN more := (over->>'limitMicroUsd')::numeric;
  END IF;
  RETURN jsonb_strip_nulls(jsonb_build_object('scope', over->>'scope', 'persona', over->>'persona', 'day', over->>'day', 'pool', pool, 'gate', g.id,
    'raisedMicroUsd', more, 'passMicroUsd', pass + more, 'raisedTokens', more_tokens, 'passTokens', pass_tokens + more_tokens));
END $$;
--> statement-breakpoint
-- Closes an automatic gate: its phases go on, or fail. What was raised of a run that shares its budget is raised for all of them.
CREATE FUNCTION devflow.close_budget_gate(g devflow.gates, outcome text, closed_by text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE code text := CASE WHEN g.budget->'exceeded' ? 'money' THEN 'budget_exceeded' ELSE 'token_budget_exceeded' END; lines jsonb;
BEGIN
  lines := jsonb_build_array(jsonb_build_object('type', 'gate.closed', 'key', devflow.gate_base(g) || 'closed', 'phase', g.phase, 'attempt', g.attempt, 'data', jsonb_build_object('gate', g.id, 'status', outcome, 'by', closed_by)));
  IF outcome <> 'approved' THEN
    SELECT lines || coalesce(jsonb_agg(jsonb_build_object('type', 'phase.failed', 'key', format('%s/%s/end', p.id, p.attempt), 'phase', p.id, 'attempt', p.attempt, 'data', jsonb_build_object('error',
        jsonb_build_object('kind', 'RATE_LIMITED', 'code', code, 'message', format('The next call does not fit into the budget, and gate %s was %s.', g.id, outcome)))) ORDER BY p.position, p.id), '[]')
      INTO lines FROM devflow.phases p WHERE p.run_id = g.run_id AND p.kind = 'agent' AND p.status = 'waiting';
    -- Agents asked for help in such a phase may be at work beside the one that waits.
    PERFORM pg_notify('devflow_control', g.run_id::text);
  END IF;
  PERFORM devflow.record(g.run_id, lines);
  UPDATE devflow.budget_pools p SET limit_micro_usd = b.limit_micro_usd, limit_tokens = b.limit_tokens
    FROM devflow.run_budgets b WHERE b.run_id = g.run_id AND p.day = '-infinity' AND p.scope = 'run' AND p.tenant = g.tenant AND p.persona = g.run_id::text;
END $$;
