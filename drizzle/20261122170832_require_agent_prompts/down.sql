ALTER TABLE "public"."profiles" DROP CONSTRAINT "chk_profiles_settings_agent_prompts";
--> statement-breakpoint

ALTER TABLE "public"."profiles" ALTER COLUMN "settings" SET DEFAULT '{}';
