CREATE TABLE "devflow"."tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant" text DEFAULT 'default' NOT NULL,
	"hash" text NOT NULL,
	"name" text NOT NULL,
	"principal" text NOT NULL,
	"scopes" text[] NOT NULL,
	"roles" text[] NOT NULL,
	"actor" text NOT NULL,
	"parent" uuid,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "tokens_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
ALTER TABLE "devflow"."tokens" ADD CONSTRAINT "tokens_parent_tokens_id_fk" FOREIGN KEY ("parent") REFERENCES "devflow"."tokens"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "tokens_by_id" ON "devflow"."tokens" USING btree ("tenant","id");--> statement-breakpoint
CREATE INDEX "tokens_by_parent" ON "devflow"."tokens" USING btree ("parent");--> statement-breakpoint
CREATE INDEX "tokens_expired" ON "devflow"."tokens" USING btree ("expires_at");