-- The registry's history says who changed what when: nothing of it is changed or deleted.
CREATE FUNCTION devflow.refuse_registry_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the history of the registry is immutable: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON devflow.registry_versions FOR EACH ROW EXECUTE FUNCTION devflow.refuse_registry_change();
--> statement-breakpoint
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON devflow.registry_changes FOR EACH ROW EXECUTE FUNCTION devflow.refuse_registry_change();
--> statement-breakpoint
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON devflow.registry_pins FOR EACH ROW EXECUTE FUNCTION devflow.refuse_registry_change();
--> statement-breakpoint
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON devflow.registry_versions FOR EACH STATEMENT EXECUTE FUNCTION devflow.refuse_registry_change();
--> statement-breakpoint
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON devflow.registry_changes FOR EACH STATEMENT EXECUTE FUNCTION devflow.refuse_registry_change();
--> statement-breakpoint
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON devflow.registry_pins FOR EACH STATEMENT EXECUTE FUNCTION devflow.refuse_registry_change();
