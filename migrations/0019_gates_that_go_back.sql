CREATE TABLE "devflow"."gate_delegations" (
	"run_id" uuid NOT NULL,
	"gate" text NOT NULL,
	"attempt" integer NOT NULL,
	"principal" text NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"delegate" text NOT NULL,
	"own" boolean NOT NULL,
	"comment" text,
	"via" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "gate_delegations_run_id_gate_attempt_principal_pk" PRIMARY KEY("run_id","gate","attempt","principal")
);
--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "goes_back" jsonb;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "rounds" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "author" text;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "remind_every" text;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "remind_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "reminders" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "delegations" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "refusals" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."gates" ADD COLUMN "escalations" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "devflow"."phases" ADD COLUMN "sent_back" jsonb;--> statement-breakpoint
-- Whether a principal decides at this opening of a gate: as an approver, or in the place of one, or of one who does so in turn.
-- Answers yes | not_approver | handed_over (somebody else decides in its place).
CREATE FUNCTION devflow.seat_of(g devflow.gates, who text, holds text[]) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM devflow.gate_delegations d WHERE d.run_id = g.run_id AND d.gate = g.id AND d.attempt = g.attempt AND d.principal = who) THEN RETURN 'handed_over'; END IF;
  IF g.approvers IS NULL OR g.approvers && holds THEN RETURN 'yes'; END IF;
  RETURN CASE WHEN EXISTS (
    WITH RECURSIVE back AS (
      SELECT d.principal, d.own FROM devflow.gate_delegations d WHERE d.run_id = g.run_id AND d.gate = g.id AND d.attempt = g.attempt AND d.delegate = who
      UNION
      SELECT d.principal, d.own FROM back b JOIN devflow.gate_delegations d ON d.run_id = g.run_id AND d.gate = g.id AND d.attempt = g.attempt AND d.delegate = b.principal
    )
    SELECT 1 FROM back WHERE own
  ) THEN 'yes' ELSE 'not_approver' END;
END $$;
--> statement-breakpoint
-- Names who decides in somebody's place at a gate that is open. Answers accepted, repeated, unknown_gate, not_approver, handed_over, is_author,
-- closed, decided_already, delegation_circle.
CREATE FUNCTION devflow.delegate(run uuid, gate_id text, who text, holds text[], new_delegate text, said text, channel text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE g devflow.gates; seat text; known devflow.gate_delegations; chain text[];
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run FOR NO KEY UPDATE;
  SELECT * INTO g FROM devflow.gates WHERE run_id = run AND id = gate_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN 'unknown_gate'; END IF;
  SELECT * INTO known FROM devflow.gate_delegations d WHERE d.run_id = run AND d.gate = g.id AND d.attempt = g.attempt AND d.principal = who;
  IF known.delegate = new_delegate THEN RETURN 'repeated'; END IF;
  -- Who has named somebody may name somebody else.
  seat := devflow.seat_of(g, who, holds);
  IF seat = 'not_approver' THEN RETURN seat; END IF;
  IF g.author = who THEN RETURN 'is_author'; END IF;
  IF g.status <> 'open' OR clock_timestamp() >= g.deadline OR (SELECT control FROM devflow.run_heads WHERE run_id = run) IN ('canceled', 'over') THEN RETURN 'closed'; END IF;
  WITH RECURSIVE f(principal) AS (
    SELECT new_delegate
    UNION
    SELECT d.delegate FROM f JOIN devflow.gate_delegations d ON d.run_id = run AND d.gate = g.id AND d.attempt = g.attempt AND d.principal = f.principal
  ) SELECT array_agg(principal) INTO chain FROM f;
  IF who = ANY (chain) THEN RETURN 'delegation_circle'; END IF;
  -- One seat, one decision: neither by who gives it away, nor by who had it last, nor by who gets it.
  WITH RECURSIVE f(principal) AS (
    SELECT who
    UNION
    SELECT d.delegate FROM f JOIN devflow.gate_delegations d ON d.run_id = run AND d.gate = g.id AND d.attempt = g.attempt AND d.principal = f.principal
  ) SELECT chain || array_agg(principal) INTO chain FROM f;
  IF EXISTS (SELECT 1 FROM devflow.gate_decisions x WHERE x.run_id = run AND x.gate = g.id AND x.attempt = g.attempt AND x.principal = ANY (chain)) THEN RETURN 'decided_already'; END IF;
  PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'gate.delegated', 'key', devflow.gate_base(g) || 'delegated/' || (g.delegations + 1), 'phase', g.phase, 'attempt', g.attempt,
    'data', jsonb_strip_nulls(jsonb_build_object('gate', g.id, 'from', who, 'to', new_delegate, 'own', coalesce(known.own, g.approvers IS NULL OR g.approvers && holds), 'comment', said, 'via', channel)))));
  RETURN 'accepted';
END $$;
--> statement-breakpoint
-- The lines that send a run back: everything in the gate's list from `target` up to the gate itself begins anew. What holds
-- others begins with all of them anew.
CREATE FUNCTION devflow.back_lines(g devflow.gates, target text, author text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('type', 'phase.retried', 'key', format('%s/%s/retried', p.id, p.attempt + 1), 'phase', p.id, 'attempt', p.attempt + 1,
    'data', jsonb_build_object('by', 'gate', 'gate', g.id)
      || CASE WHEN p.id = t.id THEN jsonb_build_object('sentBack', jsonb_strip_nulls(jsonb_build_object('gate', g.id, 'attempt', g.attempt, 'round', g.rounds + 1, 'for', author))) ELSE '{}' END
      || CASE WHEN p.kind IN ('parallel', 'map', 'cycle') THEN jsonb_build_object('generation', p.attempt + 1) ELSE '{}' END) ORDER BY p.position), '[]')
  FROM devflow.phases o, devflow.phases t, devflow.phases p
  WHERE o.run_id = g.run_id AND o.id = g.phase AND t.run_id = g.run_id AND t.id = target AND p.run_id = g.run_id
    AND cardinality(p.position) = cardinality(o.position) AND p.position BETWEEN t.position AND o.position
$$;
--> statement-breakpoint
-- Reminds those who are asked at an open gate, when it is time; once, however many times have passed.
CREATE FUNCTION devflow.remind_gate(run uuid, gate_id text, epoch integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE g devflow.gates;
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run AND execution_epoch = epoch FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO g FROM devflow.gates WHERE run_id = run AND id = gate_id FOR NO KEY UPDATE;
  IF NOT FOUND OR g.status <> 'open' OR g.remind_at IS NULL OR clock_timestamp() < g.remind_at THEN RETURN; END IF;
  PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'gate.reminded', 'key', devflow.gate_base(g) || 'reminded/' || (g.reminders + 1), 'phase', g.phase, 'attempt', g.attempt,
    'data', jsonb_strip_nulls(jsonb_build_object('gate', g.id, 'title', g.title, 'nth', g.reminders + 1, 'to', g.approvers, 'openedAt', g.opened_at, 'deadline', g.deadline)))));
END $$;
--> statement-breakpoint
-- Puts a decision that was refused aloud on record: of each principal and reason one at an opening, of at most fifty in all, and
-- never after the terminal event.
CREATE FUNCTION devflow.note_refusal(run uuid, gate_id text, who text, choice text, why text, channel text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE g devflow.gates; base text;
BEGIN
  PERFORM 1 FROM devflow.run_heads WHERE run_id = run AND control <> 'over' FOR NO KEY UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO g FROM devflow.gates WHERE run_id = run AND id = gate_id;
  IF NOT FOUND THEN RETURN; END IF;
  base := devflow.gate_base(g) || 'refused/';
  IF g.refusals >= 50 THEN RETURN; END IF;
  PERFORM devflow.record(run, jsonb_build_array(jsonb_build_object('type', 'gate.refused', 'key', base || why || '/' || who, 'phase', g.phase, 'attempt', g.attempt,
    'data', jsonb_build_object('gate', g.id, 'actor', who, 'decision', choice, 'reason', why, 'via', channel))));
END $$;
