/** SQLite files with tables as frameworks make them, and values as their apps leave there. */

/** As Django's migrations create them: decimals and times as text or REAL, UUIDs as 32 digits, JSON as checked text. */
export const DJANGO = `
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
INSERT INTO "django_migrations" VALUES (1, 'shop', '0001_initial', '2024-03-01 10:11:12.123456');
CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "date_joined" datetime NOT NULL);
INSERT INTO "auth_user" VALUES (1, 'pbkdf2_sha256$1$x$y=', NULL, 1, 'ada', '2024-01-01 00:00:00'), (7, '!', '2024-02-29 23:59:59.000001', 0, 'grace', '2024-01-01 00:00:00.5');
CREATE TABLE "shop_order" ("id" char(32) NOT NULL PRIMARY KEY, "total" decimal NOT NULL, "paid" bool NULL, "day" date NOT NULL, "slot" time NULL, "meta" text NOT NULL CHECK ((JSON_VALID("meta") OR "meta" IS NULL)), "picture" BLOB NULL, "weight" real NOT NULL, "count" integer unsigned NOT NULL CHECK ("count" >= 0), "note" text NOT NULL, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "parent_id" char(32) NULL REFERENCES "shop_order" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX "shop_order_user_id_1" ON "shop_order" ("user_id");
CREATE UNIQUE INDEX "one_open_order" ON "shop_order" ("user_id", "day") WHERE NOT "paid";
INSERT INTO "shop_order" VALUES ('00000000000000000000000000000002', 19.99, 1, '2024-05-06', '08:30:00', '{"b": [1, 2.50, 1e3, {"ä": "\\u00e9\\n"}], "a": null, "longer": true}', x'00ff0a5c09', 0.1, 0, 'tab' || char(9) || 'line' || char(10) || 'back\\slash "quote" äöü 😀', 1, '00000000000000000000000000000001');
INSERT INTO "shop_order" VALUES ('00000000000000000000000000000001', 0, NULL, '2024-05-07', NULL, '[]', x'', 1e-300, 4000000000, '', 7, NULL);
INSERT INTO "shop_order" VALUES ('abcdefabcdefabcdefabcdefabcdefab', 1234567.891, 0, '1999-12-31', '23:59:59.999999', '"\\\\N"', NULL, -123.456e30, 3, '\\N', 7, NULL);
UPDATE sqlite_sequence SET seq = 41 WHERE name = 'auth_user';`;

/** As Active Record creates them. */
export const RAILS = `
CREATE TABLE "schema_migrations" ("version" varchar NOT NULL PRIMARY KEY);
CREATE TABLE "ar_internal_metadata" ("key" varchar NOT NULL PRIMARY KEY, "value" varchar, "created_at" datetime(6) NOT NULL, "updated_at" datetime(6) NOT NULL);
INSERT INTO "schema_migrations" VALUES ('20240301101112');
INSERT INTO "ar_internal_metadata" VALUES ('environment', 'production', '2024-03-01 10:11:12.345678', '2024-03-01 10:11:12.345678');
CREATE TABLE "users" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "email" varchar DEFAULT '' NOT NULL, "admin" boolean DEFAULT 0 NOT NULL, "active" boolean DEFAULT 't', "balance" decimal(10,2) DEFAULT 0.0, "rate" float, "avatar" blob, "settings" json, "born_on" date, "created_at" datetime(6) NOT NULL);
CREATE UNIQUE INDEX "index_users_on_email" ON "users" ("email" COLLATE NOCASE);
INSERT INTO "users" VALUES (3, 'Ada@example.com', 1, 't', 10.5, 3.14159, x'89504e47', '{"theme":"dark"}', '1815-12-10', '2024-03-01 10:11:12.000001'), (4, 'grace@example.com', 0, 'f', -0.01, NULL, NULL, NULL, NULL, '2024-03-01 10:11:12');
CREATE TABLE "posts" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL, "user_id" integer NOT NULL, "title" varchar(20), "state" integer DEFAULT 0 NOT NULL, CONSTRAINT "fk_rails_1" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE);
CREATE INDEX "index_posts_on_user_id" ON "posts" ("user_id");
INSERT INTO "posts" VALUES (1, 3, 'a title that is longer than declared', 2);`;

/** As Gitea's object mapper creates them: times as numbers, sizes without limits, many short names. */
export const GITEA = `
CREATE TABLE \`user\` (\`id\` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, \`lower_name\` TEXT NOT NULL, \`is_admin\` INTEGER NULL, \`is_active\` BOOL NULL, \`passwd\` TEXT NOT NULL, \`max_repo_creation\` INTEGER DEFAULT -1 NOT NULL, \`created_unix\` INTEGER NULL);
CREATE UNIQUE INDEX \`UQE_user_lower_name\` ON \`user\` (\`lower_name\`);
INSERT INTO \`user\` VALUES (1, 'root', 1, 1, 'x', -1, 1709287872), (2, 'ada', 0, 0, 'y', 5, 1709287873);
CREATE TABLE \`repository\` (\`id\` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, \`owner_id\` INTEGER NULL, \`size\` INTEGER DEFAULT 0 NOT NULL, \`topics\` TEXT NULL, \`is_private\` INTEGER NULL, \`updated\` DATETIME NULL);
INSERT INTO \`repository\` VALUES (9, 1, 9223372036854775807, '["go"]', 1, '2024-03-01T10:11:12Z'), (10, 2, -9223372036854775808, NULL, 0, '2024-03-01T12:11:12.5+02:00');
CREATE TABLE \`star\` (\`uid\` INTEGER, \`repo_id\` INTEGER, PRIMARY KEY (\`uid\`, \`repo_id\`)) WITHOUT ROWID;
INSERT INTO \`star\` VALUES (1, 9), (2, 9);
CREATE TABLE \`session\` (\`key\` TEXT PRIMARY KEY NOT NULL, \`data\` BLOB NULL, \`expiry\` INTEGER NULL);
INSERT INTO \`session\` VALUES ('k', x'0e1f00', 1709287872);`;
