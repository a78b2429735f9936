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

/** As SQLAlchemy creates them for Home Assistant: lengths of 0, seconds with fractions, bytes as keys of a context. */
export const HOME_ASSISTANT = `
CREATE TABLE states_meta (metadata_id INTEGER NOT NULL, entity_id VARCHAR(255), PRIMARY KEY (metadata_id));
CREATE UNIQUE INDEX ix_states_meta_entity_id ON states_meta (entity_id);
CREATE TABLE states (state_id INTEGER NOT NULL, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0), event_id SMALLINT, last_changed CHAR(0), last_updated_ts FLOAT, old_state_id INTEGER, context_id_bin BLOB, metadata_id INTEGER, PRIMARY KEY (state_id), FOREIGN KEY(old_state_id) REFERENCES states (state_id), FOREIGN KEY(metadata_id) REFERENCES states_meta (metadata_id));
CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);
INSERT INTO states_meta VALUES (1, 'sun.sun');
INSERT INTO states VALUES (1, NULL, 'above_horizon', NULL, NULL, NULL, 1709287872.123456, NULL, x'018dfa3c', 1), (2, NULL, '21.5', NULL, NULL, NULL, 1709287873.0, 1, x'018dfa3d', 1);`;

/** As Doctrine creates them for Nextcloud: types of MySQL, comments within definitions, large objects as text and as bytes. */
export const NEXTCLOUD = `
CREATE TABLE oc_filecache (fileid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, storage BIGINT DEFAULT 0 NOT NULL, path VARCHAR(4000) DEFAULT NULL COLLATE "BINARY", path_hash VARCHAR(32) DEFAULT '' NOT NULL, size BIGINT DEFAULT 0 NOT NULL, encrypted INTEGER UNSIGNED DEFAULT 0 NOT NULL, ratio DOUBLE PRECISION DEFAULT '1.5', etag VARCHAR(4294967295) DEFAULT NULL);
CREATE UNIQUE INDEX fs_storage_path_hash ON oc_filecache (storage, path_hash);
INSERT INTO oc_filecache VALUES (7, 1, 'files/Fotos/Übersicht.jpg', 'aa', 123456789012, 0, 0.5, 'e1');
CREATE TABLE oc_calendarobjects (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, calendardata BLOB DEFAULT NULL, "order" INTEGER DEFAULT 0, classification SMALLINT DEFAULT 0, deleted_at DATETIME DEFAULT NULL --(DC2Type:datetime_immutable)
, meta CLOB DEFAULT NULL --(DC2Type:json)
, notified BOOLEAN DEFAULT '0');
INSERT INTO oc_calendarobjects VALUES (1, 'BEGIN:VCALENDAR' || char(13) || char(10), 3, 1, '2024-03-01 10:11:12', '{"a":1}', 1), (2, x'ff00', NULL, 0, NULL, NULL, 0);`;

/** As Entity Framework Core creates them: everything is TEXT or INTEGER, names have capitals, offsets stand behind times. */
export const EF_CORE = `
CREATE TABLE "__EFMigrationsHistory" ("MigrationId" TEXT NOT NULL CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY, "ProductVersion" TEXT NOT NULL);
INSERT INTO "__EFMigrationsHistory" VALUES ('20240301101112_Init', '8.0.2');
CREATE TABLE "AspNetUsers" ("Id" TEXT NOT NULL CONSTRAINT "PK_AspNetUsers" PRIMARY KEY, "UserName" TEXT NULL, "EmailConfirmed" INTEGER NOT NULL, "LockoutEnd" TEXT NULL, "Balance" TEXT NOT NULL DEFAULT '0.0', "Avatar" BLOB NULL);
CREATE UNIQUE INDEX "UserNameIndex" ON "AspNetUsers" ("UserName");
INSERT INTO "AspNetUsers" VALUES ('C56A4180-65AA-42EC-A945-5FD21DEC0538', 'ada', 1, '2024-03-01 10:11:12.1234567+01:00', '12.3400', x'00');
CREATE TABLE "Orders" ("TenantId" INTEGER NOT NULL, "Number" INTEGER NOT NULL, "UserId" TEXT NULL, CONSTRAINT "PK_Orders" PRIMARY KEY ("TenantId", "Number"), CONSTRAINT "FK_Orders" FOREIGN KEY ("UserId") REFERENCES "AspNetUsers" ("Id") ON DELETE SET NULL);
INSERT INTO "Orders" VALUES (1, 1, 'C56A4180-65AA-42EC-A945-5FD21DEC0538');
CREATE TABLE "Lines" ("TenantId" INTEGER, "Number" INTEGER, "Line" INTEGER, "Price" REAL, PRIMARY KEY ("TenantId", "Number", "Line"), FOREIGN KEY ("TenantId", "Number") REFERENCES "Orders" ("TenantId", "Number") ON DELETE CASCADE) WITHOUT ROWID;
INSERT INTO "Lines" VALUES (1, 1, 1, 9.99);`;
