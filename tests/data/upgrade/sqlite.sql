PRAGMA foreign_keys=OFF;
BEGIN;
CREATE TABLE "account_emailaddress" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "verified" bool NOT NULL, "primary" bool NOT NULL, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "email" varchar(254) NOT NULL);
CREATE TABLE "account_emailconfirmation" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "created" datetime NOT NULL, "sent" datetime NULL, "key" varchar(64) NOT NULL UNIQUE, "email_address_id" integer NOT NULL REFERENCES "account_emailaddress" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL, "first_name" varchar(150) NOT NULL);
CREATE TABLE "auth_user_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_user_user_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
CREATE TABLE "django_tasks_database_dbtaskresult" ("id" char(32) NOT NULL PRIMARY KEY, "args_kwargs" text NOT NULL CHECK ((JSON_VALID("args_kwargs") OR "args_kwargs" IS NULL)), "priority" integer NOT NULL, "task_path" text NOT NULL, "queue_name" varchar(32) NOT NULL, "backend_name" varchar(32) NOT NULL, "run_after" datetime NOT NULL, "enqueued_at" datetime NOT NULL, "finished_at" datetime NULL, "started_at" datetime NULL, "return_value" text NULL CHECK ((JSON_VALID("return_value") OR "return_value" IS NULL)), "exception_class_path" text NOT NULL, "traceback" text NOT NULL, "worker_ids" text NOT NULL CHECK ((JSON_VALID("worker_ids") OR "worker_ids" IS NULL)), "status" varchar(10) NOT NULL, CONSTRAINT "priority_range" CHECK ("priority" BETWEEN -100 AND 100));
CREATE TABLE "flexadmin_accountrole" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "account_sid" varchar(34) NOT NULL, "person_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "role_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "one_role_a_person_and_account" UNIQUE ("person_id", "account_sid"));
CREATE TABLE "flexadmin_cache" (
    "cache_key" varchar(255) NOT NULL PRIMARY KEY,
    "value" text NOT NULL,
    "expires" datetime NOT NULL
);
CREATE TABLE "flexadmin_onetimepassword" ("person_id" integer NOT NULL PRIMARY KEY REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "set_at" datetime NOT NULL);
CREATE TABLE "flexadmin_outsiderights" ("person_id" integer NOT NULL PRIMARY KEY REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "rights" text NOT NULL CHECK ((JSON_VALID("rights") OR "rights" IS NULL)));
CREATE TABLE "flexadmin_sessionepoch" ("person_id" integer NOT NULL PRIMARY KEY REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "number" integer unsigned NOT NULL CHECK ("number" >= 0));
CREATE TABLE "flexadmin_signintry" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "address" varchar(45) NOT NULL, "name_hash" varchar(64) NOT NULL, "at" datetime NOT NULL, "is_refused" bool NOT NULL, "kind" varchar(12) NOT NULL);
CREATE TABLE "flows_auditday" ("day" date NOT NULL PRIMARY KEY, "first" bigint NOT NULL, "last" bigint NOT NULL);
CREATE TABLE "flows_auditentry" ("seq" bigint NOT NULL PRIMARY KEY, "outcome_seq" bigint NOT NULL UNIQUE, "at" datetime NOT NULL, "change_id" char(32) NULL UNIQUE, "request_id" char(32) NULL, "action" varchar(64) NOT NULL, "result" varchar(16) NOT NULL, "actor_label" varchar(150) NOT NULL, "resolved_by" varchar(150) NULL, "account_sid" varchar(34) NOT NULL, "target_sid" varchar(64) NOT NULL, "text" text NOT NULL);
CREATE TABLE "flows_auditevent" ("seq" bigint NOT NULL PRIMARY KEY, "event_id" char(32) NOT NULL UNIQUE, "change_id" char(32) NULL, "request_id" char(32) NULL, "stage" varchar(16) NOT NULL, "action" varchar(64) NOT NULL, "result" varchar(16) NOT NULL, "at" datetime NOT NULL, "actor_id" varchar(64) NOT NULL, "actor_label" varchar(150) NOT NULL, "actor_role" varchar(64) NOT NULL, "source_ip" varchar(45) NOT NULL, "user_agent" varchar(256) NOT NULL, "account_sid" varchar(34) NOT NULL, "target_sid" varchar(64) NOT NULL, "changed_fields" text NOT NULL CHECK ((JSON_VALID("changed_fields") OR "changed_fields" IS NULL)), "reason" varchar(200) NOT NULL, "remote_status" integer NULL, "remote_code" integer NULL, "remote_request_id" varchar(64) NOT NULL, "duration_ms" integer NULL, "payload_hash" varchar(64) NOT NULL, "previous_hash" varchar(64) NOT NULL, "hash" varchar(64) NOT NULL UNIQUE, "refers_to" char(32) NULL);
CREATE TABLE "flows_auditpayload" ("event_id" bigint NOT NULL PRIMARY KEY REFERENCES "flows_auditevent" ("seq") DEFERRABLE INITIALLY DEFERRED, "salt" varchar(32) NOT NULL, "friendly_name" text NOT NULL, "contact_identity" text NOT NULL, "before" text NULL CHECK ((JSON_VALID("before") OR "before" IS NULL)), "requested" text NULL CHECK ((JSON_VALID("requested") OR "requested" IS NULL)), "after" text NULL CHECK ((JSON_VALID("after") OR "after" IS NULL)), "message" text NOT NULL, "erased_at" datetime NULL, "findings" text NULL CHECK ((JSON_VALID("findings") OR "findings" IS NULL)));
CREATE TABLE "flows_chainhead" ("name" varchar(16) NOT NULL PRIMARY KEY, "seq" bigint NOT NULL, "hash" varchar(64) NOT NULL);
CREATE TABLE "flows_closure" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "account_sid" varchar(34) NOT NULL, "kind" varchar(16) NOT NULL, "since" datetime NOT NULL, "status" integer NULL, "code" integer NULL, "said_by" varchar(150) NOT NULL, "reason" varchar(200) NOT NULL, CONSTRAINT "one_closure_of_a_kind" UNIQUE ("account_sid", "kind"));
CREATE TABLE "flows_flow" ("sid" varchar(34) NOT NULL PRIMARY KEY, "account_sid" varchar(34) NOT NULL, "friendly_name" text NOT NULL, "name_folded" text NOT NULL, "channel_type" varchar(64) NOT NULL, "contact_identity" text NOT NULL, "identity_folded" text NOT NULL, "enabled" bool NULL, "integration_type" varchar(64) NOT NULL, "date_created" datetime NULL, "date_updated" datetime NULL, "resource" text NOT NULL CHECK ((JSON_VALID("resource") OR "resource" IS NULL)), "mirrored_at" datetime NOT NULL, "gone_at" datetime NULL);
CREATE TABLE "flows_flowentry" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "sid" varchar(34) NOT NULL UNIQUE, "account_sid" varchar(34) NOT NULL, "name_folded" text NOT NULL, "identity_folded" text NOT NULL, "channel_type" varchar(64) NOT NULL, "integration_type" varchar(64) NOT NULL, "enabled" bool NULL, "date_updated" datetime NULL, "gone_at" datetime NULL);
CREATE TABLE "flows_flowtally" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "account_sid" varchar(34) NOT NULL, "channel_type" varchar(64) NOT NULL, "integration_type" varchar(64) NOT NULL, "state" varchar(8) NOT NULL, "flows" integer NOT NULL, CONSTRAINT "one_tally_of_a_kind" UNIQUE ("account_sid", "channel_type", "integration_type", "state"));
CREATE TABLE "flows_missingflow" ("sid" varchar(34) NOT NULL PRIMARY KEY, "account_sid" varchar(34) NOT NULL, "since" datetime NOT NULL, "asked_at" datetime NULL);
CREATE TABLE "flows_openchange" ("change_id" char(32) NOT NULL PRIMARY KEY, "action" varchar(64) NOT NULL, "target_sid" varchar(64) NOT NULL, "not_applied_at" datetime NULL, "puzzle" varchar(200) NOT NULL, "candidates" text NOT NULL CHECK ((JSON_VALID("candidates") OR "candidates" IS NULL)), "attempt_id" bigint NOT NULL UNIQUE REFERENCES "flows_auditevent" ("seq") DEFERRABLE INITIALLY DEFERRED, "latest_id" bigint NOT NULL REFERENCES "flows_auditevent" ("seq") DEFERRABLE INITIALLY DEFERRED, "is_unreadable" bool NOT NULL, "last_reading" text NOT NULL CHECK ((JSON_VALID("last_reading") OR "last_reading" IS NULL)), "read_at" datetime NULL);
CREATE TABLE "flows_opendrift" ("event_id" bigint NOT NULL PRIMARY KEY REFERENCES "flows_auditevent" ("seq") DEFERRABLE INITIALLY DEFERRED, "target_sid" varchar(64) NOT NULL);
CREATE TABLE "flows_plan" ("id" char(32) NOT NULL PRIMARY KEY, "title" varchar(200) NOT NULL, "made_at" datetime NOT NULL, "made_by" varchar(150) NOT NULL, "reason" varchar(200) NOT NULL, "actor" text NOT NULL CHECK ((JSON_VALID("actor") OR "actor" IS NULL)), "started_at" datetime NULL, "stop_asked_at" datetime NULL, "ended_at" datetime NULL, "ended_because" varchar(200) NOT NULL, "runner" char(32) NULL, "alive_at" datetime NULL, "undoes_id" char(32) NULL REFERENCES "flows_plan" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "flows_plannedchange" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "place" integer NOT NULL, "change_id" char(32) NOT NULL UNIQUE, "action" varchar(64) NOT NULL, "target_sid" varchar(34) NOT NULL, "friendly_name" text NOT NULL, "before" text NOT NULL CHECK ((JSON_VALID("before") OR "before" IS NULL)), "asked" text NOT NULL CHECK ((JSON_VALID("asked") OR "asked" IS NULL)), "refers_to" char(32) NULL, "repeats" char(32) NULL, "skipped" varchar(300) NOT NULL, "done_at" datetime NULL, "plan_id" char(32) NOT NULL REFERENCES "flows_plan" ("id") DEFERRABLE INITIALLY DEFERRED, "account_sid" varchar(34) NOT NULL, CONSTRAINT "one_change_of_a_place" UNIQUE ("plan_id", "place"));
CREATE TABLE "flows_ratelimit" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "account_sid" varchar(34) NOT NULL, "operation" varchar(16) NOT NULL, "free_at" text NOT NULL, CONSTRAINT "one_rate_limit_of_an_operation" UNIQUE ("account_sid", "operation"));
CREATE TABLE "flows_savedview" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(60) NOT NULL, "query" varchar(600) NOT NULL, "person_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "one_view_of_a_name" UNIQUE ("person_id", "name"));
CREATE TABLE "flows_syncstate" ("account_sid" varchar(34) NOT NULL PRIMARY KEY, "started_at" datetime NULL, "synced_at" datetime NULL, "failed_at" datetime NULL, "error" text NOT NULL, "flows" integer NOT NULL, "baseline_at" datetime NULL, "missing" integer NOT NULL, "missing_checked" integer NOT NULL, "left_out" integer NOT NULL, "check_error" text NOT NULL);
CREATE TABLE "mfa_authenticator" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "type" varchar(20) NOT NULL, "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "created_at" datetime NOT NULL, "last_used_at" datetime NULL);
CREATE TABLE "socialaccount_socialaccount" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "provider" varchar(200) NOT NULL, "uid" varchar(191) NOT NULL, "last_login" datetime NOT NULL, "date_joined" datetime NOT NULL, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "extra_data" text NOT NULL CHECK ((JSON_VALID("extra_data") OR "extra_data" IS NULL)));
CREATE TABLE "socialaccount_socialapp" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "provider" varchar(30) NOT NULL, "name" varchar(40) NOT NULL, "client_id" varchar(191) NOT NULL, "secret" varchar(191) NOT NULL, "key" varchar(191) NOT NULL, "provider_id" varchar(200) NOT NULL, "settings" text NOT NULL CHECK ((JSON_VALID("settings") OR "settings" IS NULL)));
CREATE TABLE "socialaccount_socialtoken" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "token" text NOT NULL, "token_secret" text NOT NULL, "expires_at" datetime NULL, "account_id" integer NOT NULL REFERENCES "socialaccount_socialaccount" ("id") DEFERRABLE INITIALLY DEFERRED, "app_id" integer NULL REFERENCES "socialaccount_socialapp" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "usersessions_usersession" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "created_at" datetime NOT NULL, "ip" char(39) NOT NULL, "last_seen_at" datetime NOT NULL, "session_key" varchar(40) NOT NULL UNIQUE, "user_agent" varchar(200) NOT NULL, "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);
DELETE FROM sqlite_sequence;
INSERT INTO "auth_group" VALUES
(1,'viewer'),
(2,'operator'),
(3,'auditor'),
(4,'admin'),
(5,'Reporting');
INSERT INTO "auth_group_permissions" VALUES
(1,1,81),
(2,1,110),
(3,2,78),
(4,2,110),
(5,2,80),
(6,2,81),
(7,2,79),
(8,3,81),
(9,3,110),
(10,3,111),
(11,4,5),
(12,4,102),
(13,4,78),
(14,4,110),
(15,4,111),
(16,4,79),
(17,4,80),
(18,4,81);
INSERT INTO "auth_permission" VALUES
(1,1,'add_accountrole','Can add account role'),
(2,1,'change_accountrole','Can change account role'),
(3,1,'delete_accountrole','Can delete account role'),
(4,1,'view_accountrole','Can view account role'),
(5,1,'manage_people','Can say who gets in, and with which role'),
(6,2,'add_onetimepassword','Can add one time password'),
(7,2,'change_onetimepassword','Can change one time password'),
(8,2,'delete_onetimepassword','Can delete one time password'),
(9,2,'view_onetimepassword','Can view one time password'),
(10,3,'add_signintry','Can add sign in try'),
(11,3,'change_signintry','Can change sign in try'),
(12,3,'delete_signintry','Can delete sign in try'),
(13,3,'view_signintry','Can view sign in try'),
(14,4,'add_outsiderights','Can add outside rights'),
(15,4,'change_outsiderights','Can change outside rights'),
(16,4,'delete_outsiderights','Can delete outside rights'),
(17,4,'view_outsiderights','Can view outside rights'),
(18,5,'add_sessionepoch','Can add session epoch'),
(19,5,'change_sessionepoch','Can change session epoch'),
(20,5,'delete_sessionepoch','Can delete session epoch'),
(21,5,'view_sessionepoch','Can view session epoch'),
(22,7,'add_permission','Can add permission'),
(23,7,'change_permission','Can change permission'),
(24,7,'delete_permission','Can delete permission'),
(25,7,'view_permission','Can view permission'),
(26,8,'add_group','Can add group'),
(27,8,'change_group','Can change group'),
(28,8,'delete_group','Can delete group'),
(29,8,'view_group','Can view group'),
(30,9,'add_user','Can add user'),
(31,9,'change_user','Can change user'),
(32,9,'delete_user','Can delete user'),
(33,9,'view_user','Can view user'),
(34,10,'add_contenttype','Can add content type'),
(35,10,'change_contenttype','Can change content type'),
(36,10,'delete_contenttype','Can delete content type'),
(37,10,'view_contenttype','Can view content type'),
(38,11,'add_session','Can add session'),
(39,11,'change_session','Can change session'),
(40,11,'delete_session','Can delete session'),
(41,11,'view_session','Can view session'),
(42,12,'add_dbtaskresult','Can add Task Result'),
(43,12,'change_dbtaskresult','Can change Task Result'),
(44,12,'delete_dbtaskresult','Can delete Task Result'),
(45,12,'view_dbtaskresult','Can view Task Result'),
(46,13,'add_emailaddress','Can add email address'),
(47,13,'change_emailaddress','Can change email address'),
(48,13,'delete_emailaddress','Can delete email address'),
(49,13,'view_emailaddress','Can view email address'),
(50,14,'add_emailconfirmation','Can add email confirmation'),
(51,14,'change_emailconfirmation','Can change email confirmation'),
(52,14,'delete_emailconfirmation','Can delete email confirmation'),
(53,14,'view_emailconfirmation','Can view email confirmation'),
(54,15,'add_authenticator','Can add authenticator'),
(55,15,'change_authenticator','Can change authenticator'),
(56,15,'delete_authenticator','Can delete authenticator'),
(57,15,'view_authenticator','Can view authenticator'),
(58,16,'add_socialaccount','Can add social account'),
(59,16,'change_socialaccount','Can change social account'),
(60,16,'delete_socialaccount','Can delete social account'),
(61,16,'view_socialaccount','Can view social account'),
(62,17,'add_socialapp','Can add social application'),
(63,17,'change_socialapp','Can change social application'),
(64,17,'delete_socialapp','Can delete social application'),
(65,17,'view_socialapp','Can view social application'),
(66,18,'add_socialtoken','Can add social application token'),
(67,18,'change_socialtoken','Can change social application token'),
(68,18,'delete_socialtoken','Can delete social application token'),
(69,18,'view_socialtoken','Can view social application token'),
(70,19,'add_usersession','Can add user session'),
(71,19,'change_usersession','Can change user session'),
(72,19,'delete_usersession','Can delete user session'),
(73,19,'view_usersession','Can view user session'),
(74,20,'add_auditentry','Can add audit entry'),
(75,20,'change_auditentry','Can change audit entry'),
(76,20,'delete_auditentry','Can delete audit entry'),
(77,20,'view_auditentry','Can view audit entry'),
(78,21,'add_flow','Can add flow'),
(79,21,'change_flow','Can change flow'),
(80,21,'delete_flow','Can delete flow'),
(81,21,'view_flow','Can view flow'),
(82,22,'add_flowentry','Can add flow entry'),
(83,22,'change_flowentry','Can change flow entry'),
(84,22,'delete_flowentry','Can delete flow entry'),
(85,22,'view_flowentry','Can view flow entry'),
(86,23,'add_flowtally','Can add flow tally'),
(87,23,'change_flowtally','Can change flow tally'),
(88,23,'delete_flowtally','Can delete flow tally'),
(89,23,'view_flowtally','Can view flow tally'),
(90,24,'add_syncstate','Can add sync state'),
(91,24,'change_syncstate','Can change sync state'),
(92,24,'delete_syncstate','Can delete sync state'),
(93,24,'view_syncstate','Can view sync state'),
(94,25,'add_missingflow','Can add missing flow'),
(95,25,'change_missingflow','Can change missing flow'),
(96,25,'delete_missingflow','Can delete missing flow'),
(97,25,'view_missingflow','Can view missing flow'),
(98,26,'add_closure','Can add closure'),
(99,26,'change_closure','Can change closure'),
(100,26,'delete_closure','Can delete closure'),
(101,26,'view_closure','Can view closure'),
(102,26,'close_account','Can make an account, or the site, read-only'),
(103,27,'add_savedview','Can add saved view'),
(104,27,'change_savedview','Can change saved view'),
(105,27,'delete_savedview','Can delete saved view'),
(106,27,'view_savedview','Can view saved view'),
(107,28,'add_auditevent','Can add audit event'),
(108,28,'change_auditevent','Can change audit event'),
(109,28,'delete_auditevent','Can delete audit event'),
(110,28,'view_auditevent','Can view audit event'),
(111,28,'export_auditevent','Can export the audit log'),
(112,29,'add_auditday','Can add audit day'),
(113,29,'change_auditday','Can change audit day'),
(114,29,'delete_auditday','Can delete audit day'),
(115,29,'view_auditday','Can view audit day'),
(116,30,'add_auditpayload','Can add audit payload'),
(117,30,'change_auditpayload','Can change audit payload'),
(118,30,'delete_auditpayload','Can delete audit payload'),
(119,30,'view_auditpayload','Can view audit payload'),
(120,31,'add_openchange','Can add open change'),
(121,31,'change_openchange','Can change open change'),
(122,31,'delete_openchange','Can delete open change'),
(123,31,'view_openchange','Can view open change'),
(124,32,'add_opendrift','Can add open drift'),
(125,32,'change_opendrift','Can change open drift'),
(126,32,'delete_opendrift','Can delete open drift'),
(127,32,'view_opendrift','Can view open drift'),
(128,33,'add_chainhead','Can add chain head'),
(129,33,'change_chainhead','Can change chain head'),
(130,33,'delete_chainhead','Can delete chain head'),
(131,33,'view_chainhead','Can view chain head'),
(132,34,'add_ratelimit','Can add rate limit'),
(133,34,'change_ratelimit','Can change rate limit'),
(134,34,'delete_ratelimit','Can delete rate limit'),
(135,34,'view_ratelimit','Can view rate limit'),
(136,35,'add_plan','Can add plan'),
(137,35,'change_plan','Can change plan'),
(138,35,'delete_plan','Can delete plan'),
(139,35,'view_plan','Can view plan'),
(140,36,'add_plannedchange','Can add planned change'),
(141,36,'change_plannedchange','Can change planned change'),
(142,36,'delete_plannedchange','Can delete planned change'),
(143,36,'view_plannedchange','Can view planned change');
INSERT INTO "auth_user" VALUES
(1,'md5$yOXO3kw6IgOWcvjYiLtC20$8ab138763997c5c40a1d8e3c6feab949','2026-11-24 22:11:46.610922',0,'vera','','',0,1,'2026-11-25 21:46:22.011916',''),
(2,'md5$Mavl1wYrlTB2UJTTTiolHE$b3a2237139a5d2b7ea5ab3dc5b23a525','2026-11-24 22:11:37.568922',0,'omar','','',0,1,'2026-11-25 21:46:22.071830',''),
(3,'md5$w1HjUqrHSjzXlCHJRtUXvV$f9327a8aaa04486ff7ed0c6b0f614692','2026-11-24 22:11:49.761922',0,'aude','','',0,1,'2026-11-25 21:46:22.098800',''),
(4,'md5$M4qdzVntdXO59IOf11gG62$e35795d97866ad6fa745263592fb6a00','2026-11-24 21:51:23.594922',0,'ada','','',0,1,'2026-11-25 21:46:22.128597',''),
(5,'md5$exnMvMyXYE46sUsiPLWTx8$dd5c212f227f6327393319ff950a632d','2026-11-24 21:51:26.060922',0,'nora','','',0,1,'2026-11-25 21:46:24.363081',''),
(6,'md5$5FWzi0SvIr8Suv0ixS7NFK$820ddc4ff141b426c07bf885a372d891',NULL,0,'nils','','',0,0,'2026-11-25 21:46:24.948351',''),
(7,'!wJkDzIhzC9jz8PSs9KYT9jBlXkYO9fvGVfGgbnEj','2026-11-24 22:11:42.500922',0,'nina','','',0,1,'2026-11-25 21:46:27.301458',''),
(8,'!ByJSGJXE7Xbf3Pne10CLVv0WbPy1diDWAfw7BK29','2026-11-24 22:11:44.829922',0,'ned','','',0,1,'2026-11-25 21:46:27.487390',''),
(9,'!',NULL,1,'stan','','',1,1,'2026-11-25 21:46:27.717469',''),
(10,'!',NULL,0,'zoe','','',0,1,'2026-11-25 21:46:27.734392','');
INSERT INTO "auth_user_groups" VALUES
(1,1,1),
(2,2,2),
(3,3,3),
(4,4,4),
(6,6,3),
(7,9,5);
INSERT INTO "auth_user_user_permissions" VALUES
(1,9,31);
INSERT INTO "django_content_type" VALUES
(1,'flexadmin','accountrole'),
(2,'flexadmin','onetimepassword'),
(3,'flexadmin','signintry'),
(4,'flexadmin','outsiderights'),
(5,'flexadmin','sessionepoch'),
(6,'flexadmin','siteuser'),
(7,'auth','permission'),
(8,'auth','group'),
(9,'auth','user'),
(10,'contenttypes','contenttype'),
(11,'sessions','session'),
(12,'django_tasks_database','dbtaskresult'),
(13,'account','emailaddress'),
(14,'account','emailconfirmation'),
(15,'mfa','authenticator'),
(16,'socialaccount','socialaccount'),
(17,'socialaccount','socialapp'),
(18,'socialaccount','socialtoken'),
(19,'usersessions','usersession'),
(20,'flows','auditentry'),
(21,'flows','flow'),
(22,'flows','flowentry'),
(23,'flows','flowtally'),
(24,'flows','syncstate'),
(25,'flows','missingflow'),
(26,'flows','closure'),
(27,'flows','savedview'),
(28,'flows','auditevent'),
(29,'flows','auditday'),
(30,'flows','auditpayload'),
(31,'flows','openchange'),
(32,'flows','opendrift'),
(33,'flows','chainhead'),
(34,'flows','ratelimit'),
(35,'flows','plan'),
(36,'flows','plannedchange');
INSERT INTO "django_migrations" VALUES
(1,'contenttypes','0001_initial','2026-11-25 21:46:17.321502'),
(2,'auth','0001_initial','2026-11-25 21:46:17.356458'),
(3,'account','0001_initial','2026-11-25 21:46:17.412487'),
(4,'account','0002_email_max_length','2026-11-25 21:46:17.449074'),
(5,'account','0003_alter_emailaddress_create_unique_verified_email','2026-11-25 21:46:17.452718'),
(6,'account','0004_alter_emailaddress_drop_unique_email','2026-11-25 21:46:17.466860'),
(7,'account','0005_emailaddress_idx_upper_email','2026-11-25 21:46:17.488576'),
(8,'account','0006_emailaddress_lower','2026-11-25 21:46:17.505453'),
(9,'account','0007_emailaddress_idx_email','2026-11-25 21:46:17.535421'),
(10,'account','0008_emailaddress_unique_primary_email_fixup','2026-11-25 21:46:17.565316'),
(11,'account','0009_emailaddress_unique_primary_email','2026-11-25 21:46:17.586246'),
(12,'contenttypes','0002_remove_content_type_name','2026-11-25 21:46:17.609067'),
(13,'auth','0002_alter_permission_name_max_length','2026-11-25 21:46:17.624126'),
(14,'auth','0003_alter_user_email_max_length','2026-11-25 21:46:17.678846'),
(15,'auth','0004_alter_user_username_opts','2026-11-25 21:46:17.699784'),
(16,'auth','0005_alter_user_last_login_null','2026-11-25 21:46:17.726330'),
(17,'auth','0006_require_contenttypes_0002','2026-11-25 21:46:17.735754'),
(18,'auth','0007_alter_validators_add_error_messages','2026-11-25 21:46:17.759226'),
(19,'auth','0008_alter_user_username_max_length','2026-11-25 21:46:17.798030'),
(20,'auth','0009_alter_user_last_name_max_length','2026-11-25 21:46:17.834077'),
(21,'auth','0010_alter_group_name_max_length','2026-11-25 21:46:17.867351'),
(22,'auth','0011_update_proxy_permissions','2026-11-25 21:46:17.892687'),
(23,'auth','0012_alter_user_first_name_max_length','2026-11-25 21:46:17.919021'),
(24,'django_tasks_database','0001_initial','2026-11-25 21:46:17.927206'),
(25,'django_tasks_database','0002_alter_dbtaskresult_options','2026-11-25 21:46:17.939965'),
(26,'django_tasks_database','0003_dbtaskresult_enqueued_at_dbtaskresult_finished_at','2026-11-25 21:46:17.979148'),
(27,'django_tasks_database','0004_dbtaskresult_started_at','2026-11-25 21:46:17.997677'),
(28,'django_tasks_database','0005_alter_dbtaskresult_priority_and_more','2026-11-25 21:46:18.048149'),
(29,'django_tasks_database','0006_alter_dbtaskresult_args_kwargs_and_more','2026-11-25 21:46:18.098599'),
(30,'django_tasks_database','0007_add_separate_results_fields','2026-11-25 21:46:18.117539'),
(31,'django_tasks_database','0008_separate_results_field','2026-11-25 21:46:18.142197'),
(32,'django_tasks_database','0009_remove_results_field','2026-11-25 21:46:18.152390'),
(33,'django_tasks_database','0010_alter_dbtaskresult_status','2026-11-25 21:46:18.175027'),
(34,'django_tasks_database','0011_rename_complete_status','2026-11-25 21:46:18.217273'),
(35,'django_tasks_database','0012_add_separate_exception_fields','2026-11-25 21:46:18.259751'),
(36,'django_tasks_database','0013_separate_exception_fields','2026-11-25 21:46:18.289901'),
(37,'django_tasks_database','0014_remove_dbtaskresult_exception_data','2026-11-25 21:46:18.306384'),
(38,'django_tasks_database','0015_correctly_order_run_after','2026-11-25 21:46:18.319659'),
(39,'django_tasks_database','0016_remove_dbtaskresult_django_task_new_ordering_idx_and_more','2026-11-25 21:46:18.440791'),
(40,'django_tasks_database','0017_dbtaskresult_metadata','2026-11-25 21:46:18.461593'),
(41,'django_tasks_database','0018_rename_succeeded_status','2026-11-25 21:46:18.498541'),
(42,'django_tasks_database','0019_rename_django_task_new_ordering_idx_tasks_db_new_ordering_idx_and_more','2026-11-25 21:46:18.595921'),
(43,'django_tasks_database','0020_update_db_task_result_ordering','2026-11-25 21:46:18.610524'),
(44,'django_tasks_database','0021_conditional_partial_index_ordering','2026-11-25 21:46:18.628972'),
(45,'socialaccount','0001_initial','2026-11-25 21:46:18.708778'),
(46,'socialaccount','0002_token_max_lengths','2026-11-25 21:46:18.763252'),
(47,'socialaccount','0003_extra_data_default_dict','2026-11-25 21:46:18.783001'),
(48,'socialaccount','0004_app_provider_id_settings','2026-11-25 21:46:19.015789'),
(49,'socialaccount','0005_socialtoken_nullable_app','2026-11-25 21:46:19.056838'),
(50,'socialaccount','0006_alter_socialaccount_extra_data','2026-11-25 21:46:19.085985'),
(51,'flexadmin','0001_account_roles','2026-11-25 21:46:19.140836'),
(52,'flexadmin','0002_who_gets_in','2026-11-25 21:46:19.248656'),
(53,'flexadmin','0003_ties_name_their_provider','2026-11-25 21:46:19.288598'),
(54,'flexadmin','0004_sign_in_state','2026-11-25 21:46:19.360701'),
(55,'flows','0001_initial','2026-11-25 21:46:19.484855'),
(56,'flows','0002_append_only','2026-11-25 21:46:19.532630'),
(57,'flows','0003_event_indexes','2026-11-25 21:46:19.564816'),
(58,'flows','0004_doubt','2026-11-25 21:46:19.587404'),
(59,'flows','0005_open_changes','2026-11-25 21:46:19.812012'),
(60,'flows','0006_saved_views','2026-11-25 21:46:19.864812'),
(61,'flows','0007_plans','2026-11-25 21:46:19.951866'),
(62,'flows','0008_plans_accounts','2026-11-25 21:46:20.037701'),
(63,'flows','0009_closures','2026-11-25 21:46:20.047595'),
(64,'flows','0010_listed_quickly','2026-11-25 21:46:20.182930'),
(65,'flows','0011_log_pages','2026-11-25 21:46:20.313977'),
(66,'flows','0012_missing_flows','2026-11-25 21:46:20.409025'),
(67,'flows','0013_log_entries','2026-11-25 21:46:20.769537'),
(68,'flows','0014_rate_limits','2026-11-25 21:46:20.774946'),
(69,'flows','0015_decisions','2026-11-25 21:46:20.885483'),
(70,'flows','0016_masked_anew','2026-11-25 21:46:21.016327'),
(71,'mfa','0001_initial','2026-11-25 21:46:21.055304'),
(72,'mfa','0002_authenticator_timestamps','2026-11-25 21:46:21.120274'),
(73,'mfa','0003_authenticator_type_uniq','2026-11-25 21:46:21.214070'),
(74,'sessions','0001_initial','2026-11-25 21:46:21.226884'),
(75,'usersessions','0001_initial','2026-11-25 21:46:21.280689');
INSERT INTO "django_session" VALUES
('jxr1cus9icdv5t0hg6773lsvric9d1my','.eJyFT81qwzAMfhedQ7DivyTHPcKuYwTFVpawxi6xwwql716n22UbYxchvl_pCuRc3EMeaM8zh7w4yksMw8p5jj5B_3KFzx16OFNKH3HzUAFl6NF22iiJraobiUahrmBPvAVauajJE9xeq38ahsNR1KqEPiQPYFj8b2wk987hIKYTX8ivS6i3eOJUPx_z6Yv-5pkpzUeS0zh5hV2nhHGWXCsM-wKiNkYiERsUumltg3Y0lvXkhRSKNaq2cYgldOQ3CsOPv2UjTCdUBYn5b5LP0ZUrxO0OiV1zZA:1xWKoq:_LJspxuF-iZ-G1NOZNOcCnzyU1KY_8PZYQlu5I7oQoc','2026-11-25 09:51:23.868922'),
('ngciz18p9qqnddjal56ct6z3imbg2oyf','.eJyNUM1qxCAQfpc5S1ATTdxjH6HXUsJoxiZ0o4saWljy7jXbHvpDaS_DMN8vcwV0Lm6hjLiVmUJZHJYlhnGlMscpw-nhCu87nOCCOb_ENAEDLHASvVG6a8WgGs21aZVisGVKAVeq7Lhigp39Q68b3hkjho5Bok9FqIpK2mh_ZH_0HI_cmiCr9Y1yO4zL9PNm0T1TOAB_plec1iU0KZ4pN_fHvPuAv2hmzHMV9JqMcKK1XnGFXDopDXJHKH3vrdKoUFsa5MB7OTmpOHVSeie9d9YaJaqppScM4_fvmb7VDDLRbxBdoqsNxP4GTO6KoA:1xWKot:EigMFQFbnHZABpIjd5q6UeSpLHaHLx2zUWED16Xfg2A','2026-11-25 10:11:38.527922'),
('0zhr6b1vfr5vo1np3bxs08gp2algxj7o','.eJyNUk1v2zAM_S86G2lsx1Hs47rtMKCXAj0MwyDQEmVrkSVXH8uCIP99UuJ-oCu2nUSK7z0-kDwR4NxGExjEMKIJikNQ1rAJw2iFJ923E7nGpCMzeH-wTpCCQCBdSdtmu6nLHV2tt5Tu6l1BokdnYMKEthM4cv5e_KMFy5QEr5LqjEYoMzCvBsOUSb8l1LJqSuxbTulatmVb017Kumn7inLcNH27XVctkpc22g6Zerp4YfN-0cYJlGY_0Sm5OEgFY02m5n5xJp0E7bEgDoVyyAOLTifQjdT24G-eNEhnotbJ7JjJS5IVQLP9Adzgnz8DBMxOUjCgz9HFHOuPjFtxKQkIkN5zQUYwQmOac3ARU36xemRLm_9ALu7-hpwkvF7Da13yZj0OH2OawhM3kXl0LgHSRP6QyWVlVFApEeyd42iq8tp-dcA-U83qeTp8BK3RDPloPuAI0696P2_c8cfxDu-p_LIFcQ-3slrrtv_66aP-fNsMdXgg12t7u9LZoUSXjZ_PvwEMUP21:1xWKot:a9RT0jSKsQV5lO6SuaWYLQz-O7mDPNiezJekOPYUrvs','2026-11-25 10:11:40.445922'),
('myzvh9qs2taqp0m9xtr6ctdoguc37yk3','.eJyFkNFqhDAQRX-l5FncaNQYH_cT-lqKjMmkhsZETFwK4r832payC6UvYbh37pmZbCR4acCClH51sQ8RIgbSbXtGfrQbLkYbVD1OYCzp3GrtrwtrHNFFIyEa7_oJ4-hVIrxs5Ksm3f0MkrKRdAUXdVOxouU5K9u6Fk1G5sXfjMIlRbxRMnWu5siPMc6hu1yMyvEDptliLv30xDUDsr_-t0u_hhPJE-9sOYX-JD9oA8h3dIehbZqkJuPyxVsM-fPxXr_tu8wIYUwBoQdaIhtUq5tUUZmOYrypqao1F9CotsACq0q2QjMlZKGxKRA0RU6BMpGgA76B6x8_R5R1KzISEP_0cPYy7UD3Tw9WmCA:1xWKot:0hwZvvmlBmjg3REcPbngHz2ZBMz1INOHyWCZxHvHCyg','2026-11-25 10:11:42.774922'),
('47x2bqp0m3x673696e4clui8e8hhzrrc','.eJyFT81qwzAMfhedQ_BPHNs57hF2HSMotryENXaJHVYoffc63S7bGLsI8f1KV0Dn0h7LiHuZKZbFYVlSHFcqc_IZhpcrfO4wwBlz_kibhwawwMC1VX0nuTGtYMoy0TewZ9oirlTVuHuC22vzT8V4WKpc1tSH5AGMi_-NTejeKR5EONEF_brEdksnyu3zMZ--6G-eGfN8GFjwOniUFJT0BsVkpO2EUWrigYJTnISTaFFptIZ1tjMaO850EMEZPtXQid4wjj8f75nmSjSQif4m6ZxcvYLd7uH9dYY:1xWKou:KFCAagY6QKZexJX4XBsA3h4QS7Yfe4ReI0Xte8bG4JQ','2026-11-25 10:11:50.035922');
INSERT INTO "django_tasks_database_dbtaskresult" VALUES
('1d220041f9534ab6ae6e3aabe2f1d835','{"args": ["b6e3b5b0-681d-45bb-a959-ba56f004d1cb"], "kwargs": {}}',0,'flows.services.plans.carry_on','default','default','9999-01-01 00:00:00','2026-11-24 22:52:07.708922','2026-11-24 22:52:11.544922','2026-11-24 22:52:08.119922',NULL,'','','["K9NtxKuJgvkJz0ksD2dIAvYDnRRezuWl"]','SUCCESSFUL'),
('cf400935c1bf439cb285ab37865613a2','{"args": ["b6e3b5b0-681d-45bb-a959-ba56f004d1cb"], "kwargs": {}}',0,'flows.services.plans.carry_on','default','default','2026-11-24 22:54:13.393922','2026-11-24 22:52:08.530922',NULL,NULL,NULL,'','','[]','READY'),
('b382da7ec7524d44a91cf5ba89a91654','{"args": ["358f30ee-51ae-4817-bc43-5b4045440dd7"], "kwargs": {}}',0,'flows.services.plans.carry_on','default','default','9999-01-01 00:00:00','2026-11-24 22:55:12.229922',NULL,NULL,NULL,'','','[]','READY'),
('bf3f6cb375c14efbbf92930ec2f8968e','{"args": ["10c3d78b-37d8-4d75-aaf7-1084ed5fd28a"], "kwargs": {}}',0,'flows.services.plans.carry_on','default','default','9999-01-01 00:00:00','2026-11-24 22:55:13.325922',NULL,NULL,NULL,'','','[]','READY');
INSERT INTO "flexadmin_accountrole" VALUES
(1,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e',5,2),
(2,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a',6,2);
INSERT INTO "flexadmin_cache" VALUES
(':1:flexadmin.housekeeping','gAWILg==','2026-11-26 21:46:24'),
(':1:allauth:rl:allauth.account:reauthenticate:10/60/user:user:2','gAWVFwAAAAAAAABdlChHQdrB1cyAuH1HQdrB1cx1D/plLg==','2026-11-25 21:47:26'),
(':1:allauth:rl:allauth.account:reauthenticate:10/60/user:user:5','gAWVDQAAAAAAAABdlEdB2sHVzJjj02Eu','2026-11-25 21:47:26'),
(':1:flexadmin.passkey:3a067bb3d111ab0c42718ae4b4a141e23d92ad15925a66942a0b44b6d8eab6c0','gAWILg==','2026-11-26 21:46:26');
INSERT INTO "flexadmin_onetimepassword" VALUES
(6,'2026-11-25 21:46:24.961803');
INSERT INTO "flexadmin_outsiderights" VALUES
(9,'{"superuser flag": "set", "staff flag": "set", "direct permissions": "auth.change_user", "other groups": "Reporting"}');
INSERT INTO "flexadmin_sessionepoch" VALUES
(2,1),
(5,2),
(6,2),
(8,1);
INSERT INTO "flexadmin_signintry" VALUES
(11,'198.51.100.9','389beb65c0e01d689c688f0dae2d5807730d8f93','2026-11-24 22:11:39.349922',0,'code'),
(13,'198.51.100.9','389beb65c0e01d689c688f0dae2d5807730d8f93','2026-11-24 22:11:40.034922',1,'code'),
(17,'198.51.100.7','b662ce5ff167895febc04fc64ad2e392d98c086f','2026-11-24 22:11:47.843922',0,'password');
INSERT INTO "flows_auditday" VALUES
('2026-11-13',1,7),
('2026-11-15',8,9),
('2026-11-17',10,11),
('2026-11-19',12,13),
('2026-11-21',14,14),
('2026-11-23',15,17),
('2026-11-24',18,108);
INSERT INTO "flows_auditentry" VALUES
(1,1,'2026-11-13 03:36:40.794443',NULL,NULL,'people.create','succeeded','command line: deploy',NULL,'','','vera
command line: deploy'),
(2,2,'2026-11-13 03:36:41.068443',NULL,NULL,'people.create','succeeded','command line: deploy',NULL,'','','omar
command line: deploy'),
(3,3,'2026-11-13 03:36:41.342443',NULL,NULL,'people.create','succeeded','command line: deploy',NULL,'','','aude
command line: deploy'),
(4,4,'2026-11-13 03:36:41.616443',NULL,NULL,'people.create','succeeded','command line: deploy',NULL,'','','ada
command line: deploy'),
(5,5,'2026-11-13 03:36:42.027443',NULL,NULL,'flow.baseline','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc541013d0326324dfb695ffb3a1890c7','aterkop - jonkoping (whatsapp)
whatsapp:+46313900600
foc541013d0326324dfb695ffb3a1890c7
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
iscd613e30d8f16adf91b7584a2265b1f5
fw05b6e6e307d4bedc51431193e6c3f339
127.0.0.1'),
(6,6,'2026-11-13 03:36:42.164443',NULL,NULL,'flow.baseline','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5fec898fbcfbb050acab1a6bc69d4bd8','storungsmeldung - dusseldorf (whatsapp)
whatsapp:+493023125000
fo5fec898fbcfbb050acab1a6bc69d4bd8
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is78e510617311d8a3c2ce6f447ed4d57b
wsafbd67f9619699cfe1988ad9f06c144a
wwad45f23d3b1a11df587fd2803bab6c39
127.0.0.1'),
(7,7,'2026-11-13 03:36:42.301443',NULL,NULL,'flow.baseline','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','citas medicas · ciudad de mexico sms
+14245550100
fo6c0f3459f79b17aeefba91fc803468b6
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is1e2feb89414c343c1027c4d1c386bbc4
wsc381e88f38c0c8fd8712b8bc076f3787
ww6a8ac4ba05805975ed2f89d94a2f20aa
127.0.0.1'),
(8,9,'2026-11-15 08:59:29.578479','26e875555790482e81d3fcff2a3af4d4',NULL,'flow.create','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe132abf4c9ef4f27baef3717f207b8cb','weihnachtsaktion koln (sms)
+4915550100999
iscd613e30d8f16adf91b7584a2265b1f5
fw05b6e6e307d4bedc51431193e6c3f339
campaign begins in december, see change 4711
omar
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
foe132abf4c9ef4f27baef3717f207b8cb
127.0.0.1
rq6f60fa38f4d94f338d96b16dd10929b5'),
(10,11,'2026-11-17 22:16:19.449237','b2715945795e4229851abd81f1d69ed6',NULL,'flow.update','failed','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5fec898fbcfbb050acab1a6bc69d4bd8','storungsmeldung - dusseldorf (whatsapp)
whatsapp:+493023125000
fo5fec898fbcfbb050acab1a6bc69d4bd8
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is78e510617311d8a3c2ce6f447ed4d57b
wsafbd67f9619699cfe1988ad9f06c144a
wwad45f23d3b1a11df587fd2803bab6c39
127.0.0.1
sla is four hours now
omar
rq7e88fe83447f40d39f636e4cc513ff6b'),
(12,12,'2026-11-19 19:30:41.277619',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe132abf4c9ef4f27baef3717f207b8cb','weihnachtsaktion koln (sms) pilot
+4915550100999
weihnachtsaktion koln (sms)
foe132abf4c9ef4f27baef3717f207b8cb
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
iscd613e30d8f16adf91b7584a2265b1f5
fw05b6e6e307d4bedc51431193e6c3f339
127.0.0.1'),
(13,13,'2026-11-19 19:30:41.551619','c4aaeac137dc46fb8f17a3007e62aa0a',NULL,'flow.update','conflict','ada',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe132abf4c9ef4f27baef3717f207b8cb','weihnachtsaktion koln (sms) pilot
+4915550100999
foe132abf4c9ef4f27baef3717f207b8cb
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
iscd613e30d8f16adf91b7584a2265b1f5
fw05b6e6e307d4bedc51431193e6c3f339
127.0.0.1
weihnachtsaktion koln (sms).
spelling
ada'),
(14,14,'2026-11-21 07:26:23.802574',NULL,NULL,'flow.update','denied','vera',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','vera
fo6c0f3459f79b17aeefba91fc803468b6
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(15,16,'2026-11-23 04:13:38.828497','7c26847f0316409ebbbbe9eaa8948c89',NULL,'flow.delete','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc541013d0326324dfb695ffb3a1890c7','aterkop - jonkoping (whatsapp)
whatsapp:+46313900600
foc541013d0326324dfb695ffb3a1890c7
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
iscd613e30d8f16adf91b7584a2265b1f5
fw05b6e6e307d4bedc51431193e6c3f339
127.0.0.1
number was given back to the carrier
omar
rqe17dbc897d3142e5918be9b54c0cc383'),
(17,17,'2026-11-23 19:38:51.520687',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5fec898fbcfbb050acab1a6bc69d4bd8','storungsmeldung - dusseldorf (whatsapp)
whatsapp:+493023125000
fo5fec898fbcfbb050acab1a6bc69d4bd8
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is78e510617311d8a3c2ce6f447ed4d57b
wsafbd67f9619699cfe1988ad9f06c144a
wwad45f23d3b1a11df587fd2803bab6c39
127.0.0.1'),
(18,20,'2026-11-24 01:39:16.395760','b0c4312d20204626b3fe39c0519088f5',NULL,'flow.update','applied','ada','reconciliation','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','citas medicas · ciudad de mexico sms
+14245550100
fo6c0f3459f79b17aeefba91fc803468b6
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is1e2feb89414c343c1027c4d1c386bbc4
wsc381e88f38c0c8fd8712b8bc076f3787
ww6a8ac4ba05805975ed2f89d94a2f20aa
127.0.0.1
citas medicas · ciudad de mexico sms (new team)
the team has a new name
ada
reconciliation'),
(21,23,'2026-11-24 05:04:08.939716','a260cd0b7b45445c9a81682c64e50cad',NULL,'flow.create','applied','omar','reconciliation','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO2521932777284e45b991b24435bfb2c7','ruckrufwunsch bern (sms)
+41315550100
iscd613e30d8f16adf91b7584a2265b1f5
fw05b6e6e307d4bedc51431193e6c3f339
campaign begins in december, see change 4711
omar
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
fo2521932777284e45b991b24435bfb2c7
127.0.0.1
reconciliation'),
(24,24,'2026-11-24 10:58:28.233249',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO36c383ee62e048adbd75aa64a7e5e85b','test (delete me)
fo36c383ee62e048adbd75aa64a7e5e85b
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
hooks.example.com
127.0.0.1'),
(25,26,'2026-11-24 10:58:29.192249','570dc1951c2442f9a98cb3a570ccec31',NULL,'flow.update','unknown','ada',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO2521932777284e45b991b24435bfb2c7','ruckrufwunsch bern (sms)
+41315550100
fo2521932777284e45b991b24435bfb2c7
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
iscd613e30d8f16adf91b7584a2265b1f5
fw05b6e6e307d4bedc51431193e6c3f339
127.0.0.1
ruckrufwunsch bern (sms) (new team)
the team has a new name
ada'),
(27,27,'2026-11-24 21:51:22.224922',NULL,NULL,'flow.baseline','applied','',NULL,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','FOc1066932f4767f26294365b2721dea3b','averias a coruna web chat
foc1066932f4767f26294365b2721dea3b
ac0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e
iscf1822ffbc6887782b491044d5e34124
wse8624fab5186ee32ee8d7ee9770348a0
wwfec3f6b32e8d4b8a8f54f8ceacaab39e
127.0.0.1'),
(28,28,'2026-11-24 21:51:23.320922',NULL,'bc8eedf992484c4d8cbf84c81d6af453','auth.login','succeeded','ada',NULL,'','','ada'),
(29,29,'2026-11-24 21:51:24.416922',NULL,'a18ec8bb154b4df9b7f302878c4f20d4','people.create','succeeded','ada',NULL,'','','nora
joins the night shift
ada'),
(30,30,'2026-11-24 21:51:25.101922',NULL,'ff8b1d6a2f5b47018b6221ad98aa5a42','people.password','succeeded','ada',NULL,'','','nora
lost it
ada'),
(31,31,'2026-11-24 21:51:25.786922',NULL,'947bfa3b816c48ddb13597b840379ab3','auth.login','succeeded','nora',NULL,'','','nora'),
(32,32,'2026-11-24 21:51:26.745922',NULL,'347384bf52fa464a95b8e4c652d0ef27','auth.password_change','succeeded','nora',NULL,'','','nora'),
(33,33,'2026-11-24 22:01:27.704922',NULL,'bfddf9610613485c808e966fbe422ed3','people.create','succeeded','ada',NULL,'','','nils
an intern
ada'),
(34,34,'2026-11-24 22:01:28.252922',NULL,'b713f9255a7d4227a2d5deeb3bd0454b','people.role','succeeded','ada',NULL,'','','nils
helps aude
ada'),
(35,35,'2026-11-24 22:01:28.800922',NULL,'e655eaac1e4644bd9b368a334a38b9de','people.deactivate','succeeded','ada',NULL,'','','nils
on leave
ada'),
(36,36,'2026-11-24 22:01:29.348922',NULL,'6a53050bbd464afbb77cd076ff596485','people.activate','succeeded','ada',NULL,'','','nils
back again
ada'),
(37,37,'2026-11-24 22:01:29.896922',NULL,'7af4e86022ed4905bec068fb828393ca','people.deactivate','succeeded','ada',NULL,'','','nils
has left
ada'),
(38,38,'2026-11-24 22:01:30.581922',NULL,'16412f6c672643209b20576b9ade66bb','auth.login','succeeded','omar',NULL,'','','omar'),
(39,39,'2026-11-24 22:01:31.677922',NULL,'94509ca5b3c64519a25dde0b55066f8a','auth.confirm','denied','omar',NULL,'','','omar'),
(40,40,'2026-11-24 22:01:33.047922',NULL,'f75eabf1af1748c480527cc8d26df322','auth.mfa_add','succeeded','omar',NULL,'','','omar'),
(41,41,'2026-11-24 22:01:34.691922',NULL,'c9160cf676924654a1b0fac6c85c7513','auth.mfa_add','succeeded','nora',NULL,'','','nora'),
(42,42,'2026-11-24 22:11:35.376922',NULL,'6836b5a725b744f6a426cdc0e2e68d9e','auth.mfa_remove','succeeded','nora',NULL,'','','nora'),
(43,43,'2026-11-24 22:11:35.924922',NULL,'5b27e851ec46414e8f32f74a035bc127','people.mfa_reset','succeeded','ada',NULL,'','','nora
new phone
ada'),
(44,44,'2026-11-24 22:11:37.294922',NULL,'318c94a3551c498fa7fe9783d9054503','auth.login','succeeded','omar',NULL,'','','omar'),
(45,45,'2026-11-24 22:11:38.253922',NULL,'e38feb3eeca44c0fb1a081955e068587','auth.sessions_end','succeeded','omar',NULL,'','','omar'),
(46,46,'2026-11-24 22:11:39.486922',NULL,'3e29c2ed241d45abbfd08e98178f3feb','auth.login','denied','Nobody signed in',NULL,'','','omar
nobody signed in'),
(47,47,'2026-11-24 22:11:40.171922',NULL,'b28c68063c994c8b92542cdbd1e171f9','auth.lockout','denied','Nobody signed in',NULL,'','','omar
nobody signed in'),
(48,48,'2026-11-24 22:11:42.089922',NULL,'542c9b9866a84767ba5d7bc050b34724','people.create','succeeded','single sign-on: Example ID',NULL,'','','nina
single sign-on: example id'),
(49,49,'2026-11-24 22:11:42.226922',NULL,'542c9b9866a84767ba5d7bc050b34724','auth.login','succeeded','nina',NULL,'','','nina'),
(50,50,'2026-11-24 22:11:44.418922',NULL,'a7ba20b2f260482f9cd0f2545ee17085','people.create','succeeded','single sign-on: Example ID',NULL,'','','ned
single sign-on: example id'),
(51,51,'2026-11-24 22:11:44.555922',NULL,'a7ba20b2f260482f9cd0f2545ee17085','auth.login','succeeded','ned',NULL,'','','ned'),
(52,52,'2026-11-24 22:11:45.651922',NULL,'8fadd0c23d19427ca521f511c94dd586','people.sso_remove','succeeded','ada',NULL,'','','ned
uses a password
ada'),
(53,53,'2026-11-24 22:11:46.336922',NULL,'1ac06f8cf19f4931a44e33b5fabe5ee2','auth.login','succeeded','vera',NULL,'','','vera'),
(54,54,'2026-11-24 22:11:46.747922',NULL,NULL,'people.rights_found','applied','',NULL,'','','stan'),
(55,55,'2026-11-24 22:11:46.884922',NULL,NULL,'people.rights_found','applied','',NULL,'','','zoe'),
(56,56,'2026-11-24 22:11:47.706922',NULL,'d37d957bccd64e18b8e011e5e94aabcd','people.rights_remove','succeeded','ada',NULL,'','','zoe
not ours
ada'),
(57,57,'2026-11-24 22:11:47.980922',NULL,'5b6da9c5764e459cab75f2809abf30c8','auth.login','denied','Nobody signed in',NULL,'','','a name that nobody has
nobody signed in'),
(58,58,'2026-11-24 22:11:48.254922',NULL,'e4a7e8cb034d45a0bc35eee20cac5237','flow.update','denied','vera',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','citas medicas · ciudad de mexico sms (new team)
+14245550100
vera
fo6c0f3459f79b17aeefba91fc803468b6
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(59,59,'2026-11-24 22:11:48.528922',NULL,'0be9bda6e727493594139093d03cc0fb','audit.verify','denied','vera',NULL,'','','vera'),
(60,60,'2026-11-24 22:11:48.802922',NULL,'78a51053541044a6ada6427cd5def1e4','auth.logout','succeeded','vera',NULL,'','','vera'),
(61,61,'2026-11-24 22:11:49.487922',NULL,'64cbec0377f3436bbec9ab6c448970f7','auth.login','succeeded','aude',NULL,'','','aude'),
(62,63,'2026-11-24 22:11:50.446922','db5b5fab8f4d4e279da1494c73cf256d',NULL,'flow.create','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe7843ba1e2da4f54b644b40badd0ef02','because
omar
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
foe7843ba1e2da4f54b644b40badd0ef02
rq02b73633106f42b9bd6266b8d62f9da5'),
(64,65,'2026-11-24 22:14:51.542922','73ab4876773447c187fde805ec99108d',NULL,'flow.delete','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe7843ba1e2da4f54b644b40badd0ef02','because
omar
foe7843ba1e2da4f54b644b40badd0ef02
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
rq176bdc81700549bda192fc255cac0305'),
(66,66,'2026-11-24 22:17:52.364922',NULL,NULL,'audit.erase','succeeded','command line: deploy',NULL,'','','asked for by the customer
command line: deploy'),
(67,68,'2026-11-24 22:17:52.501922','309d6b79965e4a329ae445508201e2bd',NULL,'flow.create','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','reclamations lodz
whatsapp:+48425550100
is22222222222222222222222222222222
hooks.example.com
because
omar
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
fo02a6bbcf03c64fe8afdcdb00c2b38a6d
127.0.0.1
rq85be2dab3d5f49bfa7830c0222aa9343'),
(69,70,'2026-11-24 22:20:53.597922','79cb9e86830c41c28dcc69292f45e678',NULL,'flow.update','succeeded','ada',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','reclamations lodz
whatsapp:+48425550100
fo02a6bbcf03c64fe8afdcdb00c2b38a6d
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is22222222222222222222222222222222
hooks.example.com
127.0.0.1
reclamations lodz “vip”
it''s for "vips"; see 100% of chg-4711 second line
ada
rqd738919e49a249d0959945ed92f8e761'),
(71,72,'2026-11-24 22:23:54.693922','2fa91425cb0048539d2c67eda13ffe79',NULL,'flow.update','failed','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','reclamations lodz “vip”
whatsapp:+48425550100
fo02a6bbcf03c64fe8afdcdb00c2b38a6d
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is22222222222222222222222222222222
hooks.example.com
127.0.0.1
because
omar
rqada493fe56014b369f97a41e69e1deec'),
(73,73,'2026-11-24 22:26:56.748922',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOcc79a67e9252484aa16f86d7c03790c4','hotline essen
hotline-essen
focc79a67e9252484aa16f86d7c03790c4
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1'),
(74,74,'2026-11-24 22:26:56.885922',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5d9f55fe39e74592b4cbc2ded3b105f3','hotline duren
hotline-duren
fo5d9f55fe39e74592b4cbc2ded3b105f3
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1'),
(75,75,'2026-11-24 22:26:57.022922',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6eb8a43acebc4c95ab747640e702a304','hotline celle
hotline-celle
fo6eb8a43acebc4c95ab747640e702a304
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1'),
(76,76,'2026-11-24 22:26:57.159922',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','hotline bonn
hotline-bonn
foc6feaef88bb3400c88b18be1d60c9079
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1'),
(77,77,'2026-11-24 22:26:57.296922',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','hotline aachen
hotline-aachen
fo09a6507ebd044261a2e289921f9a8c09
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1'),
(78,78,'2026-11-24 22:26:57.707922',NULL,NULL,'flow.accept','succeeded','ada',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','hotline aachen
hotline-aachen
known
ada
fo09a6507ebd044261a2e289921f9a8c09
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(79,81,'2026-11-24 22:29:58.118922','244caf9c4dab4481b253edc618187993',NULL,'flow.update','not_applied','omar','reconciliation','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','hotline aachen
hotline-aachen
fo09a6507ebd044261a2e289921f9a8c09
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1
hotline aachen (day)
because
omar
reconciliation'),
(82,84,'2026-11-24 22:36:00.173922','e3eff9c0cf444d3f89e7d15f17362f25',NULL,'flow.update','applied','omar','ada','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','hotline bonn
hotline-bonn
foc6feaef88bb3400c88b18be1d60c9079
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1
hotline bonn (day)
because
omar
i saw it in the console
ada'),
(85,85,'2026-11-24 22:40:02.091922','986e86cb0ab84b67a26b7f62b1852f27',NULL,'flow.update','pending','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6eb8a43acebc4c95ab747640e702a304','died on the way
omar
fo6eb8a43acebc4c95ab747640e702a304
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(86,87,'2026-11-24 22:40:02.502922','73f778aaf6fa4db8a56abd72fb710734',NULL,'flow.update','unknown','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5d9f55fe39e74592b4cbc2ded3b105f3','hotline duren
hotline-duren
fo5d9f55fe39e74592b4cbc2ded3b105f3
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1
hotline duren (day)
because
omar'),
(88,88,'2026-11-24 22:43:03.461922',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','hotline bonn (night)
hotline-bonn
hotline bonn (day)
foc6feaef88bb3400c88b18be1d60c9079
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1'),
(89,90,'2026-11-24 22:43:04.146922','a66b0d389d95447ebd299753a7677796',NULL,'flow.update','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','hotline bonn (night)
hotline-bonn
foc6feaef88bb3400c88b18be1d60c9079
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1
hotline bonn
undone: it was a typing error
omar
rqd2a7713cf9214758a227d2ff2a95f5a9'),
(91,91,'2026-11-24 22:46:05.790922',NULL,NULL,'flow.drift','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOcc79a67e9252484aa16f86d7c03790c4','hotline essen
hotline-essen
focc79a67e9252484aa16f86d7c03790c4
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1'),
(92,92,'2026-11-24 22:46:05.927922',NULL,NULL,'account.field','applied','',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','','ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(93,93,'2026-11-24 22:52:07.845922',NULL,'b6e3b5b0681d45bba959ba56f004d1cb','plan.start','succeeded','omar',NULL,'','','closed over the holidays
omar'),
(94,95,'2026-11-24 22:52:09.078922','4f451ebffbea4e8481d2e7cfbb518275','b6e3b5b0681d45bba959ba56f004d1cb','flow.update','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','hotline aachen
hotline-aachen
fo09a6507ebd044261a2e289921f9a8c09
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c
fw11111111111111111111111111111111
127.0.0.1
closed over the holidays
omar
rq1847edaacecc4dabb0bfa3f05035fe64'),
(96,97,'2026-11-24 22:52:10.448922','01a34598dbb14b99ad61b09397b750dd','b6e3b5b0681d45bba959ba56f004d1cb','flow.update','succeeded','omar',NULL,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','reclamations lodz “vip”
whatsapp:+48425550100
fo02a6bbcf03c64fe8afdcdb00c2b38a6d
ac5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a
is22222222222222222222222222222222
hooks.example.com
127.0.0.1
closed over the holidays
omar
rqa6503ba3f42d4687ac6534424e1f1f1c'),
(98,98,'2026-11-24 22:55:12.366922',NULL,'358f30ee51ae4817bc435b4045440dd7','plan.start','succeeded','ada',NULL,'','','retry less
ada'),
(99,99,'2026-11-24 22:55:12.777922',NULL,'358f30ee51ae4817bc435b4045440dd7','plan.stop','succeeded','ada',NULL,'','','retry less
ada'),
(100,100,'2026-11-24 22:55:13.462922',NULL,'10c3d78b37d84d75aaf71084ed5fd28a','plan.start','succeeded','omar',NULL,'','','open again
omar'),
(101,101,'2026-11-24 22:55:13.736922',NULL,NULL,'account.close','succeeded','ada',NULL,'','','maintenance
ada'),
(102,102,'2026-11-24 22:55:13.873922',NULL,NULL,'account.reopen','succeeded','ada',NULL,'','','done
ada'),
(103,103,'2026-11-24 22:55:14.558922',NULL,NULL,'account.ask_again','succeeded','ada',NULL,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','','ada
ac0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e'),
(104,104,'2026-11-24 22:55:15.928922',NULL,'2acd11cd535d4ae6ab8258bdd1868088','account.close','succeeded','ada',NULL,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','','frozen until the move
ada
ac0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e'),
(105,105,'2026-11-24 22:55:16.202922',NULL,'ccdf151021b94cb99ce969d29df2c666','flow.export','succeeded','omar',NULL,'','','omar'),
(106,106,'2026-11-24 22:55:16.613922',NULL,'04bf81e6dd4f4256aa2d46cf3896700f','audit.export','succeeded','aude',NULL,'','','csv, all events after 0
aude'),
(107,107,'2026-11-24 22:55:17.024922',NULL,NULL,'audit.restore','succeeded','migrate',NULL,'','','migrate'),
(108,108,'2026-11-24 22:55:17.161922',NULL,NULL,'audit.verify','succeeded','command line: deploy',NULL,'','','107 events are as they were written.
command line: deploy');
INSERT INTO "flows_auditevent" VALUES
(1,'f1668c32bcee41d38d19f648de0f75c0',NULL,NULL,'access','people.create','succeeded','2026-11-13 03:36:40.794443','','command line: deploy','','','','','','[]','',NULL,NULL,'',NULL,'ffce1b1599776b26c5fd47dd48493ed99095cbf6300d73e86153a200840af890','0000000000000000000000000000000000000000000000000000000000000000','9557924dd0b4b5c1151e73b3f9dc8c1a4c43ecf3a5552fdf414869bbe6c390d0',NULL),
(2,'e8e0c5a3c2ac476b930a70c5523f48fb',NULL,NULL,'access','people.create','succeeded','2026-11-13 03:36:41.068443','','command line: deploy','','','','','','[]','',NULL,NULL,'',NULL,'40fe7efe5ca2c87a60ca2079d52ab2d0d5c3c9f30d6cb9fbf227157033f3aba1','9557924dd0b4b5c1151e73b3f9dc8c1a4c43ecf3a5552fdf414869bbe6c390d0','b2c1647beb8abf8bca0e74feeb304ba7f16a2539b473144a4b7ff1e3f08b503c',NULL),
(3,'496891cd2db14eaa82cef3905f1960b6',NULL,NULL,'access','people.create','succeeded','2026-11-13 03:36:41.342443','','command line: deploy','','','','','','[]','',NULL,NULL,'',NULL,'326d7df2863df9e3b7d69d99713bca1fdee8a100cea4c96b22d0488fcdc53dfd','b2c1647beb8abf8bca0e74feeb304ba7f16a2539b473144a4b7ff1e3f08b503c','e46629827e3b42e13dcf8ae425674f82d7a757c6be5cb1d0aa558f33fd408d82',NULL),
(4,'47ac48b1004d4095b8ee7aa0e94a28b1',NULL,NULL,'access','people.create','succeeded','2026-11-13 03:36:41.616443','','command line: deploy','','','','','','[]','',NULL,NULL,'',NULL,'32243c357eddce79f2b68390f4441b53198819bf438e45faf7859d41bd1cd943','e46629827e3b42e13dcf8ae425674f82d7a757c6be5cb1d0aa558f33fd408d82','e93088787080531776627b5cfe0a6b650557285364f8e9134c48cdc959c1b8f1',NULL),
(5,'d7948bee50794c09acd575dcebe8c500',NULL,NULL,'observed','flow.baseline','applied','2026-11-13 03:36:42.027443','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc541013d0326324dfb695ffb3a1890c7','[]','',NULL,NULL,'',NULL,'c15c674f89b192e887fc4837c6328252ce72997a07b3002f2bb228bca9429c87','e93088787080531776627b5cfe0a6b650557285364f8e9134c48cdc959c1b8f1','5e1ef676033b42dba6bc93c632dff3d06759b1ac6067d82bc3d58c7338acd6bd',NULL),
(6,'b55f21f9ef074dc6aa4b3fe16ee60ea8',NULL,NULL,'observed','flow.baseline','applied','2026-11-13 03:36:42.164443','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5fec898fbcfbb050acab1a6bc69d4bd8','[]','',NULL,NULL,'',NULL,'b0f4daaf3594b5b354190fb36730311f58b0bf21c792e340c9a9399f2906f022','5e1ef676033b42dba6bc93c632dff3d06759b1ac6067d82bc3d58c7338acd6bd','58be671b27c6a40dc5da75a275fb815eeb711354c425157d7ebca66b8f2b67d6',NULL),
(7,'f2ec877fe3a64f48abff0331181f6032',NULL,NULL,'observed','flow.baseline','applied','2026-11-13 03:36:42.301443','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','[]','',NULL,NULL,'',NULL,'7cdff582321e642d9540fca0bad13b7094d5764801fc78f02abd128afb2f0bd3','58be671b27c6a40dc5da75a275fb815eeb711354c425157d7ebca66b8f2b67d6','e1f059bf8f264e16e30b9d423b5ded5ebe14228cdcfe2dc023a6cc6605c6cd8b',NULL),
(8,'bae140640353424b8ceec4cc615d60ee','26e875555790482e81d3fcff2a3af4d4',NULL,'attempt','flow.create','pending','2026-11-15 08:59:29.578479','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_flow_sid", "integration_type"]','Campaign begins in December, see change 4711',NULL,NULL,'',NULL,'65469f979ead463b22b14f39056dc0a489f953e1d6fbe4b9facf42a8f3251f65','e1f059bf8f264e16e30b9d423b5ded5ebe14228cdcfe2dc023a6cc6605c6cd8b','17c2c8da9ac6b046423791bb5a9d9a092aae32483996b4379911fc9771ccdf97',NULL),
(9,'216aa8167fad4b38b2261a5b1bd751c6','26e875555790482e81d3fcff2a3af4d4',NULL,'outcome','flow.create','succeeded','2026-11-15 08:59:30.126479','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe132abf4c9ef4f27baef3717f207b8cb','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_flow_sid", "integration_type"]','Campaign begins in December, see change 4711',201,NULL,'RQ6f60fa38f4d94f338d96b16dd10929b5',6,'2e50dcb22aa2888b1b8121c56aec719dc7f7e5a29cec239042cbe737a3c83775','17c2c8da9ac6b046423791bb5a9d9a092aae32483996b4379911fc9771ccdf97','82d3aaaa4c82b143425826c33143c84207314c155939bc7d2d0b6395f2c7d058',NULL),
(10,'39a777d861834658821df9b0fbaa5ade','b2715945795e4229851abd81f1d69ed6',NULL,'attempt','flow.update','pending','2026-11-17 22:16:19.449237','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5fec898fbcfbb050acab1a6bc69d4bd8','["integration_timeout"]','SLA is four hours now',NULL,NULL,'',NULL,'14495c17199859b1917f78bf46d64760e980e25d0396c1822ae5259289948478','82d3aaaa4c82b143425826c33143c84207314c155939bc7d2d0b6395f2c7d058','f1c3a9b77b6c311662bde9abd4d71418af394b35a6c4864646be05df4ac4c202',NULL),
(11,'a7728f854bb04bd49b15836c4885e4b9','b2715945795e4229851abd81f1d69ed6',NULL,'outcome','flow.update','failed','2026-11-17 22:16:19.723237','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5fec898fbcfbb050acab1a6bc69d4bd8','["integration_timeout"]','SLA is four hours now',400,20001,'RQ7e88fe83447f40d39f636e4cc513ff6b',11,'c1451b5c7e65d7e7220fbaab217feb8bc23f8b2c4c898816df564ef0971faebf','f1c3a9b77b6c311662bde9abd4d71418af394b35a6c4864646be05df4ac4c202','917f9641342b9a57f3d98439f63f6f04dd7b420d47b02af05027f9fb9fee148f',NULL),
(12,'cb9073875c204d16adee6ab9f72ab565',NULL,NULL,'observed','flow.drift','applied','2026-11-19 19:30:41.277619','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe132abf4c9ef4f27baef3717f207b8cb','["friendly_name"]','',NULL,NULL,'',NULL,'3a4a1e9d6a945045a08d196b5710c95b75833be03a347baac9600c5b07e9699b','917f9641342b9a57f3d98439f63f6f04dd7b420d47b02af05027f9fb9fee148f','3f9d99a694b2922708ed77e136bc8bda81fe24c25ea357e9b64e6af265033384',NULL),
(13,'6285f3226f904030be69c59097c4d9fc','c4aaeac137dc46fb8f17a3007e62aa0a',NULL,'outcome','flow.update','conflict','2026-11-19 19:30:41.551619','4','ada','admin','192.0.2.4','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe132abf4c9ef4f27baef3717f207b8cb','["friendly_name"]','Spelling',NULL,NULL,'',NULL,'257d4afe1c25cc43d2d14f70b0fbdf24d4e61597436c8e326f5cbd132c6d2769','3f9d99a694b2922708ed77e136bc8bda81fe24c25ea357e9b64e6af265033384','0033b3bb70c2eb59905e8e47304213954daffa96a2aed86b238be639502cf151',NULL),
(14,'11e95a73b0c34d138f7eec501430e558',NULL,NULL,'access','flow.update','denied','2026-11-21 07:26:23.802574','1','vera','viewer','192.0.2.1','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','[]','',NULL,NULL,'',NULL,'5839d3e48f11177686436f649bb5ec668d497b6b13696a5c9fb89225322729ad','0033b3bb70c2eb59905e8e47304213954daffa96a2aed86b238be639502cf151','49514566dc98be0816b7b6953e9867d8e46de6e5bbd449e23661a5d1789f8cad',NULL),
(15,'60719b8e77194289b617f13d8d53a983','7c26847f0316409ebbbbe9eaa8948c89',NULL,'attempt','flow.delete','pending','2026-11-23 04:13:38.828497','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc541013d0326324dfb695ffb3a1890c7','[]','Number was given back to the carrier',NULL,NULL,'',NULL,'272deb3b80c6b8642ff43592cde335ead744f04434d2f9982f128d0b1a5ca2be','49514566dc98be0816b7b6953e9867d8e46de6e5bbd449e23661a5d1789f8cad','e4a5af9fa690f0fc002e3dfc1d0daab938052fd3b80c5398b4df0b393e807cce',NULL),
(16,'4e814268acec461db667f4158a428a88','7c26847f0316409ebbbbe9eaa8948c89',NULL,'outcome','flow.delete','succeeded','2026-11-23 04:13:39.239497','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc541013d0326324dfb695ffb3a1890c7','[]','Number was given back to the carrier',204,NULL,'RQe17dbc897d3142e5918be9b54c0cc383',10,'958a7e3ccef98ea457dbecdbde43c36e613ab1aa63aabc3d32a619292800aee0','e4a5af9fa690f0fc002e3dfc1d0daab938052fd3b80c5398b4df0b393e807cce','698bd97b2d5111919c113b9113789460610f58e289a2283493783e758145615c',NULL),
(17,'80776cab9e9e4a32be0ae0259b1486e4',NULL,NULL,'observed','flow.drift','applied','2026-11-23 19:38:51.520687','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5fec898fbcfbb050acab1a6bc69d4bd8','["integration_timeout", "integration_priority"]','',NULL,NULL,'',NULL,'a84d92b672572daa7851ca047b950f67bae021d61a5435af1c92efcbb8cc7c4b','698bd97b2d5111919c113b9113789460610f58e289a2283493783e758145615c','2e21a205896626f3c3527c0057be64d929a99286fd29cecbcd645b13ead6ad4f',NULL),
(18,'53abc0b9713844c6afe279c617eb3b46','b0c4312d20204626b3fe39c0519088f5',NULL,'attempt','flow.update','pending','2026-11-24 01:39:16.395760','4','ada','admin','192.0.2.4','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','["friendly_name"]','The team has a new name',NULL,NULL,'',NULL,'d024e331813f6d4b176e1a43ae00479b4f65bdb697f247e5f990fcd706ae57cc','2e21a205896626f3c3527c0057be64d929a99286fd29cecbcd645b13ead6ad4f','d608274c0cbf5455d8626312ce34aab4407da41f7d4412e00f4ef4879470b03a',NULL),
(19,'f7eeeade54374243b72a59eff478596f','b0c4312d20204626b3fe39c0519088f5',NULL,'outcome','flow.update','unknown','2026-11-24 01:39:16.943760','4','ada','admin','192.0.2.4','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','["friendly_name"]','The team has a new name',NULL,NULL,'',10,'74802dfb94bb73b7a4d261b1ef893b4a6e7e5241f9ff8eb1c9e5750aa45b7581','d608274c0cbf5455d8626312ce34aab4407da41f7d4412e00f4ef4879470b03a','80eff935e552d7c0c9975730d218f31df5026715c2142e14ae16510b6bd53a38',NULL),
(20,'ea863e80d33c4fc890593f371d48910d','b0c4312d20204626b3fe39c0519088f5',NULL,'reconciled','flow.update','applied','2026-11-24 01:39:17.628760','','reconciliation','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','["friendly_name"]','',NULL,NULL,'',NULL,'077e17ca38e0dc3acb6cde3f21e06198d53d945af5358ae685e1701f412aa521','80eff935e552d7c0c9975730d218f31df5026715c2142e14ae16510b6bd53a38','f0eaeff86aa3a5d86216141e3d971d3ddb3133ff34bae88adf8999af9225582b',NULL),
(21,'32aeedee38544e039bf6a442a7480683','a260cd0b7b45445c9a81682c64e50cad',NULL,'attempt','flow.create','pending','2026-11-24 05:04:08.939716','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_flow_sid", "integration_type"]','Campaign begins in December, see change 4711',NULL,NULL,'',NULL,'ea54e758dbaa28cd3cf0cacc568d4595ced401c654e4829ead597cfca7b9a336','f0eaeff86aa3a5d86216141e3d971d3ddb3133ff34bae88adf8999af9225582b','d69b990bc75af2cef5d60a39e1d1bc7b7b46a0f4e97e63946a6ca6e41253b6d1',NULL),
(22,'7dc159a5135341d4a1ececd605c6d94c','a260cd0b7b45445c9a81682c64e50cad',NULL,'outcome','flow.create','unknown','2026-11-24 05:04:09.487716','2','omar','operator','192.0.2.2','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_flow_sid", "integration_type"]','Campaign begins in December, see change 4711',NULL,NULL,'',5,'623e9656882316dc06b4b6f5e77860d3a3ff0bfcf219876032ef0b4318e1f2b4','d69b990bc75af2cef5d60a39e1d1bc7b7b46a0f4e97e63946a6ca6e41253b6d1','9320081b4f38c9ab748e8bcbaa3baf274e33320fe1d4c595765abfdf2444168a',NULL),
(23,'e7cf99fbf4c34043b1ddad36cf01ef7d','a260cd0b7b45445c9a81682c64e50cad',NULL,'reconciled','flow.create','applied','2026-11-24 05:04:10.035716','','reconciliation','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO2521932777284e45b991b24435bfb2c7','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_flow_sid", "integration_type"]','',NULL,NULL,'',NULL,'ff347459260ab875a483c8192def96d6576009303c42e33810551e23d6875f9b','9320081b4f38c9ab748e8bcbaa3baf274e33320fe1d4c595765abfdf2444168a','194838f44c16de3d670dd22738ae48600fc731783e919dd5175b98a339a6fbf5',NULL),
(24,'c030723f5e844ace9393fcbf433806a1',NULL,NULL,'observed','flow.drift','applied','2026-11-24 10:58:28.233249','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO36c383ee62e048adbd75aa64a7e5e85b','[]','',NULL,NULL,'',NULL,'07ae6b02e14ad3d37a811fee97a1b65336031fe624d527e287732e5cd692b6b9','194838f44c16de3d670dd22738ae48600fc731783e919dd5175b98a339a6fbf5','c8e56b6a6ba81b694bd54c2926adbf0b4f3f49c7b54eadb933c3578e064261bb',NULL),
(25,'a307f6d591cd4a3ebc06832e6ad5be67','570dc1951c2442f9a98cb3a570ccec31',NULL,'attempt','flow.update','pending','2026-11-24 10:58:29.192249','4','ada','admin','192.0.2.4','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO2521932777284e45b991b24435bfb2c7','["friendly_name"]','The team has a new name',NULL,NULL,'',NULL,'43daea660e7410b201589eb13225de24d4bf77a40503451b5989fe56eb076d26','c8e56b6a6ba81b694bd54c2926adbf0b4f3f49c7b54eadb933c3578e064261bb','c50e404d2ba06d27f9e74135d40a3c256aca275d32af99a62f8629fda68fab42',NULL),
(26,'da6ab197bac54862b711815054f4f9cc','570dc1951c2442f9a98cb3a570ccec31',NULL,'outcome','flow.update','unknown','2026-11-24 10:58:29.740249','4','ada','admin','192.0.2.4','Demo','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO2521932777284e45b991b24435bfb2c7','["friendly_name"]','The team has a new name',NULL,NULL,'',10,'52e457437bc6333f6b5cc660a5609222634afb6abc1f7873c0abe1eaee7f7ab0','c50e404d2ba06d27f9e74135d40a3c256aca275d32af99a62f8629fda68fab42','6b2371ee38756631edd02f300e437c1d4043a8ff4f02b0942ef27971fb142fa4',NULL),
(27,'5ea621799fdb43d19b68e8a0552e22df',NULL,NULL,'observed','flow.baseline','applied','2026-11-24 21:51:22.224922','','','','','','AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','FOc1066932f4767f26294365b2721dea3b','[]','',NULL,NULL,'',NULL,'1c6351530d0495fac07b99c52e89872320ef0bab9f2f7a0de1ba800073409a0c','6b2371ee38756631edd02f300e437c1d4043a8ff4f02b0942ef27971fb142fa4','ba44606e913822427198bd3c21cb9cd284d922d5bab4377fcefbb29cfaf23a18',NULL),
(28,'1a49992990c2467a84a06be08af6126a',NULL,'bc8eedf992484c4d8cbf84c81d6af453','access','auth.login','succeeded','2026-11-24 21:51:23.320922','4','ada','admin','192.0.2.20','Firefox','','','[]','',NULL,NULL,'',NULL,'1478a8fa2d9d287640e5b9387df7f44f24ae29dd13f39c14e4604340f540d45d','ba44606e913822427198bd3c21cb9cd284d922d5bab4377fcefbb29cfaf23a18','a62265764ae2ee3ffd47f13253bd7f341a19731e1a65dacb9cfc7b203d310605',NULL),
(29,'e134c40e52874244ac4a64048771d2f0',NULL,'a18ec8bb154b4df9b7f302878c4f20d4','access','people.create','succeeded','2026-11-24 21:51:24.416922','4','ada','admin','192.0.2.20','Firefox','','','[]','Joins the night shift',NULL,NULL,'',NULL,'500c32d89bb7c6dddcb05a5020f77c7aca4a3eed6b7368aacbd5d8092dc8d499','a62265764ae2ee3ffd47f13253bd7f341a19731e1a65dacb9cfc7b203d310605','a2d9a9ab0fe1a294d59c8e802cb76a9ab3589633387b3e96b144ef195227129d',NULL),
(30,'05f50e3afc424318b1bc344efdc3e27f',NULL,'ff8b1d6a2f5b47018b6221ad98aa5a42','access','people.password','succeeded','2026-11-24 21:51:25.101922','4','ada','admin','192.0.2.20','Firefox','','','[]','Lost it',NULL,NULL,'',NULL,'2da67852b2d597bd4169a9868e5cc7ac9c4ed0ab2a4b0f6848cd53f5e5be6b9e','a2d9a9ab0fe1a294d59c8e802cb76a9ab3589633387b3e96b144ef195227129d','da1e4c76423d917488aa3dd452095aa0c1017ee6dbd64114a6d614dd66c373b6',NULL),
(31,'bbed350533f445a1bd9f3410722448d4',NULL,'947bfa3b816c48ddb13597b840379ab3','access','auth.login','succeeded','2026-11-24 21:51:25.786922','5','nora','operator','192.0.2.21','Firefox','','','[]','',NULL,NULL,'',NULL,'6bf768aca99ce80517c7d21fc843ae390ac50257a4d2479668edaa5634a5eea5','da1e4c76423d917488aa3dd452095aa0c1017ee6dbd64114a6d614dd66c373b6','f6b8fd5c1858f95110c9da9baa358b7747b75b8d5ddb521a03091cc0ebeada93',NULL),
(32,'8de5884eedcd4b398d34b7073025cdcb',NULL,'347384bf52fa464a95b8e4c652d0ef27','access','auth.password_change','succeeded','2026-11-24 21:51:26.745922','5','nora','operator','192.0.2.21','Firefox','','','[]','',NULL,NULL,'',NULL,'3c5e723d31fe963bf783028954216e5ff3d4b45eb29dfba2c84be401e5138246','f6b8fd5c1858f95110c9da9baa358b7747b75b8d5ddb521a03091cc0ebeada93','03172b8c7cdb7a449227809c16df87928ea8ca810d261979a468d499de4f4866',NULL),
(33,'dc44de99af974386b0972cfe45eff32d',NULL,'bfddf9610613485c808e966fbe422ed3','access','people.create','succeeded','2026-11-24 22:01:27.704922','4','ada','admin','192.0.2.20','Firefox','','','[]','An intern',NULL,NULL,'',NULL,'0a38e24a17a5ebb02691208af9a8107f7dbabad63c6f8d2ec37e13b9e0a72b9f','03172b8c7cdb7a449227809c16df87928ea8ca810d261979a468d499de4f4866','b98d5a440e2069a5c67271b604d2d9ab5ada3d939533d15da117fd0b43051c43',NULL),
(34,'d463fe00c05c41fa829e704687ae41e8',NULL,'b713f9255a7d4227a2d5deeb3bd0454b','access','people.role','succeeded','2026-11-24 22:01:28.252922','4','ada','admin','192.0.2.20','Firefox','','','[]','Helps Aude',NULL,NULL,'',NULL,'5a47436696449e2b629df82cdc29113ba302e2ab4156c4bc86f0db9b024b2d6e','b98d5a440e2069a5c67271b604d2d9ab5ada3d939533d15da117fd0b43051c43','23269b1f1372087b58819b6a0d80e8aa281a743e5a051084360fa910832365ae',NULL),
(35,'58459a5652e94a2bb0c6112337e01d54',NULL,'e655eaac1e4644bd9b368a334a38b9de','access','people.deactivate','succeeded','2026-11-24 22:01:28.800922','4','ada','admin','192.0.2.20','Firefox','','','[]','On leave',NULL,NULL,'',NULL,'8f447b3f902483edf55aa3f6932b838e18440668e364aa05d39f14ec3fde44bb','23269b1f1372087b58819b6a0d80e8aa281a743e5a051084360fa910832365ae','570e60ff3b40be42772800b357810989784661639b47619847a4b0c6110c2330',NULL),
(36,'5510a902f84345048353577e91086748',NULL,'6a53050bbd464afbb77cd076ff596485','access','people.activate','succeeded','2026-11-24 22:01:29.348922','4','ada','admin','192.0.2.20','Firefox','','','[]','Back again',NULL,NULL,'',NULL,'57b10df85d5cf1da602b72ea644bb352799bb2c9ed24232d29693b276524913e','570e60ff3b40be42772800b357810989784661639b47619847a4b0c6110c2330','5380472029c6ef228ea04a946402d4a7cd2c5d70311160cfd8410381dd042909',NULL),
(37,'99aacb08e16341859b94b8d01da57983',NULL,'7af4e86022ed4905bec068fb828393ca','access','people.deactivate','succeeded','2026-11-24 22:01:29.896922','4','ada','admin','192.0.2.20','Firefox','','','[]','Has left',NULL,NULL,'',NULL,'81a69dc185108b008ecba74bcd7e257ef7598a8bfd34c678e14283b37d84eb6d','5380472029c6ef228ea04a946402d4a7cd2c5d70311160cfd8410381dd042909','df35063838a341415e9848290d7be2606f96b5d79b5af176b30779e0ff1aa645',NULL),
(38,'28fb9b6d6d964a40a0866bde1226ebfc',NULL,'16412f6c672643209b20576b9ade66bb','access','auth.login','succeeded','2026-11-24 22:01:30.581922','2','omar','operator','192.0.2.22','Firefox','','','[]','',NULL,NULL,'',NULL,'edae56c0679a99ba7b93967744ca7112848eaf950718a7816b40ac1dff986f48','df35063838a341415e9848290d7be2606f96b5d79b5af176b30779e0ff1aa645','806cdfb347a69207a189af300bcb3982c32bf10eb15626d857b112172bf04e77',NULL),
(39,'6768b0a68d5c48098095d148e6928f82',NULL,'94509ca5b3c64519a25dde0b55066f8a','access','auth.confirm','denied','2026-11-24 22:01:31.677922','2','omar','operator','192.0.2.22','Firefox','','','[]','',NULL,NULL,'',NULL,'f376128b7563d2da7d630d2898583dd9fcf668973446a933fc71aa0fc64a7117','806cdfb347a69207a189af300bcb3982c32bf10eb15626d857b112172bf04e77','a5057f004cb22e75703fec2b054adfb42ca4131a5a4cd0b052a59ed55e63ed4d',NULL),
(40,'71b5b7bcd63c4388978791246065c7a2',NULL,'f75eabf1af1748c480527cc8d26df322','access','auth.mfa_add','succeeded','2026-11-24 22:01:33.047922','2','omar','operator','192.0.2.22','Firefox','','','[]','',NULL,NULL,'',NULL,'68372d7d4d0a49280baf267220f58b78322e73705a8b0446a066f8e80964e1ca','a5057f004cb22e75703fec2b054adfb42ca4131a5a4cd0b052a59ed55e63ed4d','708b9e183281dd863d87cfb6064b9c84efcb494464d26a2f064321d71b7379ec',NULL),
(41,'317b38be3b1f40be9ec19227aecf6aa8',NULL,'c9160cf676924654a1b0fac6c85c7513','access','auth.mfa_add','succeeded','2026-11-24 22:01:34.691922','5','nora','operator','192.0.2.21','Firefox','','','[]','',NULL,NULL,'',NULL,'800c5691311abc3936b9e4f1de97266e7506fab9beb2dc5fd5388566c7af16f9','708b9e183281dd863d87cfb6064b9c84efcb494464d26a2f064321d71b7379ec','e6f45f18d0cda757ba8692e571a08bbd14887cf7b346b60bb3821e2ae9213b85',NULL),
(42,'1f0cd86c8f634166b3029c1013938862',NULL,'6836b5a725b744f6a426cdc0e2e68d9e','access','auth.mfa_remove','succeeded','2026-11-24 22:11:35.376922','5','nora','operator','192.0.2.21','Firefox','','','[]','',NULL,NULL,'',NULL,'7ae76748c3e99da09e26c2a96474c18c4354721441f05d0c15ec6ad40ff3d2eb','e6f45f18d0cda757ba8692e571a08bbd14887cf7b346b60bb3821e2ae9213b85','9002d1ca2670ca5b54fddf4796d0f2ad867bb3c025599dcb7df347ddb2d45a48',NULL),
(43,'0ff5441e20c94a37b6ca54d19f15f53c',NULL,'5b27e851ec46414e8f32f74a035bc127','access','people.mfa_reset','succeeded','2026-11-24 22:11:35.924922','4','ada','admin','192.0.2.20','Firefox','','','[]','New phone',NULL,NULL,'',NULL,'f16958d7571307e8ccf92410e5bb001c1147b8f1a75513802139ba60fab403ee','9002d1ca2670ca5b54fddf4796d0f2ad867bb3c025599dcb7df347ddb2d45a48','5f4c05dc4822101f4cc169173b7c8593b73a2634e434437ede68c10e9a47e371',NULL),
(44,'b5edcbc67aa3411697cd0370ab5c71b0',NULL,'318c94a3551c498fa7fe9783d9054503','access','auth.login','succeeded','2026-11-24 22:11:37.294922','2','omar','operator','192.0.2.24','Firefox','','','[]','',NULL,NULL,'',NULL,'2055f4fad73a8cc3cbb71839bfc38b959e19bd6dda97ac502592e38e9e2859fd','5f4c05dc4822101f4cc169173b7c8593b73a2634e434437ede68c10e9a47e371','6b5b07ff49b4f972544451de08e7af7be9f96cd850eaab93e40a95960b9eb59c',NULL),
(45,'1a3676f29ec14e32a06c6a9e73f6204d',NULL,'e38feb3eeca44c0fb1a081955e068587','access','auth.sessions_end','succeeded','2026-11-24 22:11:38.253922','2','omar','operator','192.0.2.22','Firefox','','','[]','',NULL,NULL,'',NULL,'9de66ad9647be8c1eac7f2b129686ca4237a8e4077bc53de597c42e9ea90bc60','6b5b07ff49b4f972544451de08e7af7be9f96cd850eaab93e40a95960b9eb59c','371769372a5de6987da315058fa85a8a9a2f71bcaa6166c6811eb4b108bc3091',NULL),
(46,'6eb435c6cb7646de9f5650f23ff2a26a',NULL,'3e29c2ed241d45abbfd08e98178f3feb','access','auth.login','denied','2026-11-24 22:11:39.486922','','Nobody signed in','','198.51.100.9','Firefox','','','[]','',NULL,NULL,'',NULL,'b7ae05c2f7353a6c01521c037d9f1ae98ef6524302075f91915ff7aa9da9f4f7','371769372a5de6987da315058fa85a8a9a2f71bcaa6166c6811eb4b108bc3091','481d0579612cac9946477c20ee7a4d50dac01fd4e591aa4c20828bc1fa01624b',NULL),
(47,'63c78814a08b413a8a4ccd1b328f5808',NULL,'b28c68063c994c8b92542cdbd1e171f9','access','auth.lockout','denied','2026-11-24 22:11:40.171922','','Nobody signed in','','198.51.100.9','Firefox','','','[]','',NULL,NULL,'',NULL,'9e36d8cd820cac94bff8b68e0784883f76ad898ab4440ef67a46034882e5f5ca','481d0579612cac9946477c20ee7a4d50dac01fd4e591aa4c20828bc1fa01624b','1daa94342395dd76c188341f72da722dca8d1c318466a7f6c15217520f568eaf',NULL),
(48,'e010ed8997d84ef1b9cb1a3609513b46',NULL,'542c9b9866a84767ba5d7bc050b34724','access','people.create','succeeded','2026-11-24 22:11:42.089922','','single sign-on: Example ID','','192.0.2.25','Firefox','','','[]','',NULL,NULL,'',NULL,'89307ea8faafbc71c71d6f8c36c5356defd7959b0fc374a1ed81f56f9d4ca09a','1daa94342395dd76c188341f72da722dca8d1c318466a7f6c15217520f568eaf','bc5482677747da201f08b058604626f367253ed36092a2f6891bacefe41f3c61',NULL),
(49,'4d834f777cce4e568cf6ccf7e5fe9257',NULL,'542c9b9866a84767ba5d7bc050b34724','access','auth.login','succeeded','2026-11-24 22:11:42.226922','7','nina','','192.0.2.25','Firefox','','','[]','',NULL,NULL,'',NULL,'0bd4e12d13da138f8a7257540d1c0724fc49f67d3a4a0a12eeeab76b0ed85c05','bc5482677747da201f08b058604626f367253ed36092a2f6891bacefe41f3c61','730c786a46c99a1f1a5ddcb696916c76e3c00f7e96894d8911856dcf2666f5e5',NULL),
(50,'4c885b9526814209b266aa081f30952a',NULL,'a7ba20b2f260482f9cd0f2545ee17085','access','people.create','succeeded','2026-11-24 22:11:44.418922','','single sign-on: Example ID','','192.0.2.25','Firefox','','','[]','',NULL,NULL,'',NULL,'0e7d347c52361eb9242b445156cf470d2f555c429a1ebfc4a0291f6bafe91bc3','730c786a46c99a1f1a5ddcb696916c76e3c00f7e96894d8911856dcf2666f5e5','54638d25a9431a78c03d6dd6699cccc184cb183e39218a711c546e418d020127',NULL),
(51,'55d5da46993148d596b301d9a2969e39',NULL,'a7ba20b2f260482f9cd0f2545ee17085','access','auth.login','succeeded','2026-11-24 22:11:44.555922','8','ned','','192.0.2.25','Firefox','','','[]','',NULL,NULL,'',NULL,'5f42f7b620da137ab9ea29ce85d495612a5d7417cd2e0e8fb7b7af8d4f85ef3b','54638d25a9431a78c03d6dd6699cccc184cb183e39218a711c546e418d020127','4b87927b05684c204060c22b0b4faadfdea02488b9b7ab5a95a762af72a08981',NULL),
(52,'cd5faa0720064e7bb3ddeeff59e31fc7',NULL,'8fadd0c23d19427ca521f511c94dd586','access','people.sso_remove','succeeded','2026-11-24 22:11:45.651922','4','ada','admin','192.0.2.20','Firefox','','','[]','Uses a password',NULL,NULL,'',NULL,'41f7182fd1e10ad5bbb5d4be4e564589d87e9ad56dd8a639a5e1e35007f245dd','4b87927b05684c204060c22b0b4faadfdea02488b9b7ab5a95a762af72a08981','09f96a590d5464826e9dc518536c75948b91735f323eb97b5676033832a37969',NULL),
(53,'dcf5d3d0bcb9442387c5fc285c0ebb27',NULL,'1ac06f8cf19f4931a44e33b5fabe5ee2','access','auth.login','succeeded','2026-11-24 22:11:46.336922','1','vera','viewer','192.0.2.26','Firefox','','','[]','',NULL,NULL,'',NULL,'bc750303ddffae344b1349cfbf0aabb19081ed716d03b6d64edd29b65bd906d7','09f96a590d5464826e9dc518536c75948b91735f323eb97b5676033832a37969','5efc629b6d88975ced2f8581b6192227ce1fab50a028a46117b66d5196bb0055',NULL),
(54,'77c4a76f00c94edb9a1b4b04b4f891a5',NULL,NULL,'observed','people.rights_found','applied','2026-11-24 22:11:46.747922','','','','','','','','[]','',NULL,NULL,'',NULL,'85d5d2664c5376b4c33a49da10645eac71eba046055aba4110b150e370bb0f63','5efc629b6d88975ced2f8581b6192227ce1fab50a028a46117b66d5196bb0055','b86e7654085c538639b89f90aa4476b38d176a8e592572c3dd061ec53cdca358',NULL),
(55,'85089794fd9f4cab8a307c6434af52b6',NULL,NULL,'observed','people.rights_found','applied','2026-11-24 22:11:46.884922','','','','','','','','[]','',NULL,NULL,'',NULL,'236a38f83d268f35f7a5e005e82309ee6772a4ef8f338600a6e5766d3e8fd08d','b86e7654085c538639b89f90aa4476b38d176a8e592572c3dd061ec53cdca358','0e9f37da316c6321f71c295dde7730dc67c85f6d5f2368d46663140409cea396',NULL),
(56,'2291e6c3948c4de48b9cbab99f6b9904',NULL,'d37d957bccd64e18b8e011e5e94aabcd','access','people.rights_remove','succeeded','2026-11-24 22:11:47.706922','4','ada','admin','192.0.2.20','Firefox','','','[]','Not ours',NULL,NULL,'',NULL,'02f0c7e943cbf04cec418d8888ed85d47544f8657657165950694bde65630472','0e9f37da316c6321f71c295dde7730dc67c85f6d5f2368d46663140409cea396','e5cf3d205c21454a82fa55978d5a0e25e62cf4a07174f449ff74aad6df996b2b',NULL),
(57,'f0bd9285c71f4c28a4031d6e3ef02c64',NULL,'5b6da9c5764e459cab75f2809abf30c8','access','auth.login','denied','2026-11-24 22:11:47.980922','','Nobody signed in','','198.51.100.7','Firefox','','','[]','',NULL,NULL,'',NULL,'2a15bce4473ea0bd0237926160ecc3ef4577038b4a702c3bd67211508c8caf2a','e5cf3d205c21454a82fa55978d5a0e25e62cf4a07174f449ff74aad6df996b2b','90c221f41aea1b925d736cf116c4f7719f28c3087461ad079a2871b7caeab325',NULL),
(58,'ea7eedd76f7840e4a65b8712cbf1b707',NULL,'e4a7e8cb034d45a0bc35eee20cac5237','access','flow.update','denied','2026-11-24 22:11:48.254922','1','vera','viewer','192.0.2.26','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6c0f3459f79b17aeefba91fc803468b6','[]','',NULL,NULL,'',NULL,'02a433f43965a292cbb241f4ec43e1cf73d659d970f051a1c024ac4a86afa37b','90c221f41aea1b925d736cf116c4f7719f28c3087461ad079a2871b7caeab325','4929b67977ed5167be090fb22bf504b39abcc81083358b65f2c2bced829d77ad',NULL),
(59,'8fb64bd8018e4e66b5d61faa42d8c7f6',NULL,'0be9bda6e727493594139093d03cc0fb','access','audit.verify','denied','2026-11-24 22:11:48.528922','1','vera','viewer','192.0.2.26','Firefox','','','[]','',NULL,NULL,'',NULL,'26fabba11482719794fe8daf79fd69a19d10a503c59a6a83210eb9ed10edd4fc','4929b67977ed5167be090fb22bf504b39abcc81083358b65f2c2bced829d77ad','27427427fead8b28e90e1e733b683dba366a9946426b56cba0817d172b2ebba2',NULL),
(60,'639e05fce4ad42b69ed68f541824f024',NULL,'78a51053541044a6ada6427cd5def1e4','access','auth.logout','succeeded','2026-11-24 22:11:48.802922','1','vera','viewer','192.0.2.26','Firefox','','','[]','',NULL,NULL,'',NULL,'5fd73a7ae882f536a98dc06141234121475fdd30ac6be17a528be7577442cd12','27427427fead8b28e90e1e733b683dba366a9946426b56cba0817d172b2ebba2','9bbe210dbdf75f4731d947a37c4f09faeeb5006b01db9a8039e61b816c26f62d',NULL),
(61,'44c9952d274c4aef8c16055afa8a467e',NULL,'64cbec0377f3436bbec9ab6c448970f7','access','auth.login','succeeded','2026-11-24 22:11:49.487922','3','aude','auditor','192.0.2.23','Firefox','','','[]','',NULL,NULL,'',NULL,'1abb4342a6001a0e23eecf1c95223ecc773af3ecbd8591c3993fb2f02b60dffb','9bbe210dbdf75f4731d947a37c4f09faeeb5006b01db9a8039e61b816c26f62d','565a88bd39dfe69bd87751a49f8540665e4b79b4ece079da2fe2f0917d42b97e',NULL),
(62,'b96d9a13b6ff4fd3ac267ca7193227b1','db5b5fab8f4d4e279da1494c73cf256d',NULL,'attempt','flow.create','pending','2026-11-24 22:11:50.446922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_type", "integration_url"]','because',NULL,NULL,'',NULL,'75055a477f695dc777edfdefa58a500708862522c5b8725fece3b679d3c649df','565a88bd39dfe69bd87751a49f8540665e4b79b4ece079da2fe2f0917d42b97e','c4ea6648f05f9c58cf485f759d7363574ea4399f7f7859ad0478a2654cb326b0',NULL),
(63,'0bfe6251f50d411099bba3a851e15dd0','db5b5fab8f4d4e279da1494c73cf256d',NULL,'outcome','flow.create','succeeded','2026-11-24 22:11:50.994922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe7843ba1e2da4f54b644b40badd0ef02','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_type", "integration_url"]','because',201,NULL,'RQ02b73633106f42b9bd6266b8d62f9da5',10,'fe8f3dfed604ee096937c371d9e116ffa4a405c05654aa42383f990935d83215','c4ea6648f05f9c58cf485f759d7363574ea4399f7f7859ad0478a2654cb326b0','f3e287c44754ab291bb836c26ab5b96035698a30dc45b5772d8a09c770f58875',NULL),
(64,'53a35dacde3a457aa3923e4abc472e42','73ab4876773447c187fde805ec99108d',NULL,'attempt','flow.delete','pending','2026-11-24 22:14:51.542922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe7843ba1e2da4f54b644b40badd0ef02','[]','because',NULL,NULL,'',NULL,'3edb72bf938d45efd9b283d3790bcce5264cfd8ff49c490f226354811ee7bb3d','f3e287c44754ab291bb836c26ab5b96035698a30dc45b5772d8a09c770f58875','cd1605d28c8004ff0994c6024acab8cfe4214cd7a8e18db2a95a4f7f8d29052a',NULL),
(65,'ffbacde8a82f49778f24a1e35f3027e0','73ab4876773447c187fde805ec99108d',NULL,'outcome','flow.delete','succeeded','2026-11-24 22:14:51.953922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOe7843ba1e2da4f54b644b40badd0ef02','[]','because',204,NULL,'RQ176bdc81700549bda192fc255cac0305',6,'6b54beb2e97ed6d4565a7402e874853318a2521b9169920c5eb9b17a2e34868a','cd1605d28c8004ff0994c6024acab8cfe4214cd7a8e18db2a95a4f7f8d29052a','1cf6c626d0f5e9732cf8657bf4836f58bdd0d70d8b321b6c3ea350a9b1c06fe2',NULL),
(66,'b1c9075ea98d4dca8af148865c63daf3',NULL,NULL,'access','audit.erase','succeeded','2026-11-24 22:17:52.364922','','command line: deploy','','','','','','[]','Asked for by the customer',NULL,NULL,'',NULL,'c3c5dc3c723798faddd92c5e092702d38f0b338e8d6631108fb41186493f0dcc','1cf6c626d0f5e9732cf8657bf4836f58bdd0d70d8b321b6c3ea350a9b1c06fe2','141cbab5624cae3dc22ae4e11cc5661a661cec6ab202d9764076a4ed722ba8f3',NULL),
(67,'a04cedca9d82460e8c00d1ab676a229c','309d6b79965e4a329ae445508201e2bd',NULL,'attempt','flow.create','pending','2026-11-24 22:17:52.501922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_type", "integration_url"]','because',NULL,NULL,'',NULL,'c1fdfb1deaa964714f3ecf5b47269671d83815ad04ab67495b47e003d13d2516','141cbab5624cae3dc22ae4e11cc5661a661cec6ab202d9764076a4ed722ba8f3','492d7ec706978adf34ced74d467a5bac1934eec87f8b5372dc24d25976c70754',NULL),
(68,'09985efdf0b7448c85b5317c8b786efe','309d6b79965e4a329ae445508201e2bd',NULL,'outcome','flow.create','succeeded','2026-11-24 22:17:53.049922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','["channel_type", "chat_service_sid", "contact_identity", "enabled", "friendly_name", "integration_type", "integration_url"]','because',201,NULL,'RQ85be2dab3d5f49bfa7830c0222aa9343',16,'205de088f3fb9d4cc125d89572500b9ee51c4ee86e8c5ccbaff1248000cfcec2','492d7ec706978adf34ced74d467a5bac1934eec87f8b5372dc24d25976c70754','ca01010a0f6400a9f005c84ae8286576575abe18fe3a03210a246748ae9e8dc3',NULL),
(69,'70bbe97bd1f74f3aaa5379cc684ded46','79cb9e86830c41c28dcc69292f45e678',NULL,'attempt','flow.update','pending','2026-11-24 22:20:53.597922','4','ada','admin','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','["friendly_name", "janitor_enabled"]','It''s for "VIPs"; see 100% of CHG-4711
second line',NULL,NULL,'',NULL,'91c928b618ea715c24d572b2c2c3475af4f86fac489ada5b938238571d9d601f','ca01010a0f6400a9f005c84ae8286576575abe18fe3a03210a246748ae9e8dc3','59258707f9693d591dff1fe87782d24ad187d6062845166d2dd8d6e358a59d9e',NULL),
(70,'6aae9ec6c226422c8eb18f8b0cf0a692','79cb9e86830c41c28dcc69292f45e678',NULL,'outcome','flow.update','succeeded','2026-11-24 22:20:54.145922','4','ada','admin','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','["friendly_name", "janitor_enabled"]','It''s for "VIPs"; see 100% of CHG-4711
second line',200,NULL,'RQd738919e49a249d0959945ed92f8e761',7,'78933ca3d2a4752c2eb6639f4208c8871703ea746e0f8d869af47d36d2babde2','59258707f9693d591dff1fe87782d24ad187d6062845166d2dd8d6e358a59d9e','9ce4ac16cd22ad16a2ee5534c89e05204d58cc94e517baea89975d677a9db63e',NULL),
(71,'4cd5b2a9d41748f7b89287d8f510ba7e','2fa91425cb0048539d2c67eda13ffe79',NULL,'attempt','flow.update','pending','2026-11-24 22:23:54.693922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','["janitor_enabled"]','because',NULL,NULL,'',NULL,'791599446fec4a6c1bc8f82272ac2022dcaec110a8402430bf861518015853c4','9ce4ac16cd22ad16a2ee5534c89e05204d58cc94e517baea89975d677a9db63e','c4341ab7283fa4a48c51e3fc863ae5d0e0390b755e24980a3a3f67bc32f0e5cd',NULL),
(72,'b519c44a52bb440a847512fe2dc25a4b','2fa91425cb0048539d2c67eda13ffe79',NULL,'outcome','flow.update','failed','2026-11-24 22:23:54.967922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','["janitor_enabled"]','because',400,20001,'RQada493fe56014b369f97a41e69e1deec',10,'b277976778d688fba7c6c92b2cb2ddc2dc8bcb07332bf31cd8cb927975b346dc','c4341ab7283fa4a48c51e3fc863ae5d0e0390b755e24980a3a3f67bc32f0e5cd','c7bbafa71f0e3747ac065480aa9d8bd1b7de14ed36cc325ec221b688dbf39462',NULL),
(73,'e757c166dcf448e4b0aaa7b73bf69fe1',NULL,NULL,'observed','flow.drift','applied','2026-11-24 22:26:56.748922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOcc79a67e9252484aa16f86d7c03790c4','[]','',NULL,NULL,'',NULL,'65cecdd106b2dddafcebc40bed3176e25683274df4ee1604e6255b170aeeb44c','c7bbafa71f0e3747ac065480aa9d8bd1b7de14ed36cc325ec221b688dbf39462','633e739a23ca9862f40f7dd42e9d9c944a456436e5f30212aa7ac83fb81daeb8',NULL),
(74,'381df7652a804ff198bfbceb0cde8c4f',NULL,NULL,'observed','flow.drift','applied','2026-11-24 22:26:56.885922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5d9f55fe39e74592b4cbc2ded3b105f3','[]','',NULL,NULL,'',NULL,'7ce5e0dade2b80048b1f29c4ae4bfa38cf23ed462cc19022722b9df669ad1640','633e739a23ca9862f40f7dd42e9d9c944a456436e5f30212aa7ac83fb81daeb8','fc25ec8957f84cecef898dcb1d67be575c36899df2844d398d0967c06ebbeb9f',NULL),
(75,'27a658b8dc8d4ae79c5693d98c7e9737',NULL,NULL,'observed','flow.drift','applied','2026-11-24 22:26:57.022922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6eb8a43acebc4c95ab747640e702a304','[]','',NULL,NULL,'',NULL,'59f39acbb65b4ea723516610633b04b2e02e8d26b205055201b50c67031408de','fc25ec8957f84cecef898dcb1d67be575c36899df2844d398d0967c06ebbeb9f','71e0ed35fbc7ad0fcab67e50d52bbbdae9c72237663f705244349dba116ac4dd',NULL),
(76,'cac1ed8ada7f47fcba8ca413a16dee23',NULL,NULL,'observed','flow.drift','applied','2026-11-24 22:26:57.159922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','[]','',NULL,NULL,'',NULL,'e8d27fbd513cd4ebc6ed7283bc61441ac2c58b93fdee82254f137a2fccfb15d1','71e0ed35fbc7ad0fcab67e50d52bbbdae9c72237663f705244349dba116ac4dd','6ae868980f8bb5896381c580c8f440d49347abe655dc8cc3933e1b9764eb8edc',NULL),
(77,'a8d198d364ae43e8a2d48a72ecb088b7',NULL,NULL,'observed','flow.drift','applied','2026-11-24 22:26:57.296922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','[]','',NULL,NULL,'',NULL,'0c6911c6162da49016fe00beeb78f6623cd7e6757079759a3c2599a9de2f5027','6ae868980f8bb5896381c580c8f440d49347abe655dc8cc3933e1b9764eb8edc','bee4faae3f22660773774163202ad517753c1e3baf5efc84df04925101f8daad',NULL),
(78,'0d4a5ee27a7d4ee583135cd6a1e4a3d0',NULL,NULL,'access','flow.accept','succeeded','2026-11-24 22:26:57.707922','4','ada','admin','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','[]','Known',NULL,NULL,'',NULL,'e25adee608024cdb90be50b6b92fa5627e1795eb592ee8d47224fd9c42c411cb','bee4faae3f22660773774163202ad517753c1e3baf5efc84df04925101f8daad','74c391e7bcf12bcc4a1926ea701bf57f7e77a126c975e88a92c02de3890a4761','a8d198d364ae43e8a2d48a72ecb088b7'),
(79,'f497c01d67964600960853a1f21cf4e5','244caf9c4dab4481b253edc618187993',NULL,'attempt','flow.update','pending','2026-11-24 22:29:58.118922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','["friendly_name"]','because',NULL,NULL,'',NULL,'b8c8d83b808428ed5fbf44febcea8ad3f1dcfb84604a826dce83437d27e651f0','74c391e7bcf12bcc4a1926ea701bf57f7e77a126c975e88a92c02de3890a4761','66ae11c99c60d3931bb4f5dfc845b6b0bc20a73c6532c60d0f094e06fc1f4ebb',NULL),
(80,'df68729b5b8b4ba2b20c3827b23d8cfa','244caf9c4dab4481b253edc618187993',NULL,'outcome','flow.update','unknown','2026-11-24 22:29:58.392922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','["friendly_name"]','because',NULL,NULL,'',11,'5adeb4ea096b022adc4fd110aa20dac55831fb32e94a684c2c0ea676e587d409','66ae11c99c60d3931bb4f5dfc845b6b0bc20a73c6532c60d0f094e06fc1f4ebb','90c017daf831b1c7cfc209f3839555fa73ec2f16cd63510caada02ab8b3981ba',NULL),
(81,'ceabe397879e473290b942023e3ac54c','244caf9c4dab4481b253edc618187993',NULL,'reconciled','flow.update','not_applied','2026-11-24 22:33:59.625922','','reconciliation','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','["friendly_name"]','',NULL,NULL,'',NULL,'9200f88c3bf3026a3017988bc60238ad292b689cece77687002c574cadd52edc','90c017daf831b1c7cfc209f3839555fa73ec2f16cd63510caada02ab8b3981ba','4d3137aff9c7bf061d46a468330a5f37873ec8efc221f61b06e8db971f358535',NULL),
(82,'385182e1e0404556919d446ec92dfb73','e3eff9c0cf444d3f89e7d15f17362f25',NULL,'attempt','flow.update','pending','2026-11-24 22:36:00.173922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','["friendly_name"]','because',NULL,NULL,'',NULL,'6f88c1a6c0325113d8eb9a980e6f1ffba650254e80a1597e3263c0f880205a3a','4d3137aff9c7bf061d46a468330a5f37873ec8efc221f61b06e8db971f358535','ffa140f8a323083e1532e4533a97f95756b2cb600c72f625a1be4a8cc63b76a4',NULL),
(83,'75a7cf9b9d6245d78c86c8757c5de06e','e3eff9c0cf444d3f89e7d15f17362f25',NULL,'outcome','flow.update','unknown','2026-11-24 22:36:00.721922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','["friendly_name"]','because',NULL,NULL,'',4,'6329d5c0547db769e193c7dbd9ffcb18f45c871452d483ad93986d4c3fae24c0','ffa140f8a323083e1532e4533a97f95756b2cb600c72f625a1be4a8cc63b76a4','7c736bbb8de217ea9becbbcc49d16f7a1034248fe347ac10007edf52b3791207',NULL),
(84,'5fcc45d0d49e40daaec156e1dde360bf','e3eff9c0cf444d3f89e7d15f17362f25',NULL,'reconciled','flow.update','applied','2026-11-24 22:38:01.817922','4','ada','admin','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','["friendly_name"]','I saw it in the Console',NULL,NULL,'',NULL,'ac8a8b0738cdd7d0421070d4e88ca1cf8239a955e3ac431118c30db732a2862a','7c736bbb8de217ea9becbbcc49d16f7a1034248fe347ac10007edf52b3791207','dca211581aae190f7bb70912d169e07e6f6d63390d8da9dec7a5447850654f99',NULL),
(85,'aab7c43d47a84814906b9ae8bacbbb45','986e86cb0ab84b67a26b7f62b1852f27',NULL,'attempt','flow.update','pending','2026-11-24 22:40:02.091922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO6eb8a43acebc4c95ab747640e702a304','[]','Died on the way',NULL,NULL,'',NULL,'7cab94979433c18e7ecb0e3255cf12aedaba42f0918d923314a1e6fe155e79d7','dca211581aae190f7bb70912d169e07e6f6d63390d8da9dec7a5447850654f99','17e76826718b5a084b1f7dad6128e90be5896e23f12d1cac98fdb47f9ec2cb19',NULL),
(86,'84d603c0d1db44ab821eb5afc8b94716','73f778aaf6fa4db8a56abd72fb710734',NULL,'attempt','flow.update','pending','2026-11-24 22:40:02.502922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5d9f55fe39e74592b4cbc2ded3b105f3','["friendly_name"]','because',NULL,NULL,'',NULL,'175e7eee38ba25392464eab319fc7a5e728c321065dd6b9051fc3132edc48dd7','17e76826718b5a084b1f7dad6128e90be5896e23f12d1cac98fdb47f9ec2cb19','df22fd844206378e4c17b693e971e6f1e51d187a4a13cdb4f5ba3dfe17702c59',NULL),
(87,'39be36c542204575ba6dcf67a3d59505','73f778aaf6fa4db8a56abd72fb710734',NULL,'outcome','flow.update','unknown','2026-11-24 22:40:03.050922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO5d9f55fe39e74592b4cbc2ded3b105f3','["friendly_name"]','because',NULL,NULL,'',9,'05b64bb5bef6e6681375672a408c41d5c1bef9e8dbac1d6d9d65b2e4907fd1be','df22fd844206378e4c17b693e971e6f1e51d187a4a13cdb4f5ba3dfe17702c59','308a56921d091ed6d6d78f4cbaefe5e2bb82cdb8d4986037cb56a85b9911b040',NULL),
(88,'f7144099463f4aca852e3f75a6847274',NULL,NULL,'observed','flow.drift','applied','2026-11-24 22:43:03.461922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','["friendly_name"]','',NULL,NULL,'',NULL,'71054ba3f767bb8b6655763ff8b1b489494b0d169c1bc87a042122f8a10b1316','308a56921d091ed6d6d78f4cbaefe5e2bb82cdb8d4986037cb56a85b9911b040','cb6220c9913ea13e16bba3c294f4370a0345adc592b66ad599aaaa94e8522d1e',NULL),
(89,'236465f69f8347f0b60156eaa9a46ed6','a66b0d389d95447ebd299753a7677796',NULL,'attempt','flow.update','pending','2026-11-24 22:43:04.146922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','["friendly_name"]','Undone: it was a typing error',NULL,NULL,'',NULL,'c10dc948927fed0d5e21ff262f6c0a452c9495e65aa4385ca53237e89195b971','cb6220c9913ea13e16bba3c294f4370a0345adc592b66ad599aaaa94e8522d1e','c460d2fb4445917cc903a21c0f5fd4cc34a8cd39e6a70e372921307545eeaad6','f7144099463f4aca852e3f75a6847274'),
(90,'de623fa8813b479494c22f53d26879a3','a66b0d389d95447ebd299753a7677796',NULL,'outcome','flow.update','succeeded','2026-11-24 22:43:04.694922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOc6feaef88bb3400c88b18be1d60c9079','["friendly_name"]','Undone: it was a typing error',200,NULL,'RQd2a7713cf9214758a227d2ff2a95f5a9',6,'3996f5f84da8c98ccf9183e7cde430968f1f9731509ab9d4b9e6bee59eff154d','c460d2fb4445917cc903a21c0f5fd4cc34a8cd39e6a70e372921307545eeaad6','4d02dad59c270c139252afae94d2d6f3c818bcaea4c2d12b36d4bc16f7e955f1','f7144099463f4aca852e3f75a6847274'),
(91,'f5c55adb8dc04aadbe28fb4025db3c6e',NULL,NULL,'observed','flow.drift','applied','2026-11-24 22:46:05.790922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FOcc79a67e9252484aa16f86d7c03790c4','[]','',NULL,NULL,'',NULL,'2ddeaccf68c2089c2e5b6ff7fe4e3e96a1ded54f3b8d375cc0e45f63fb0482b5','4d02dad59c270c139252afae94d2d6f3c818bcaea4c2d12b36d4bc16f7e955f1','1d8c9fb1dc4d5a2ab99a7ab54a001bfb70bbc6f7a926b563698aa32ac1b378d8',NULL),
(92,'f74176c4451f407d991d5a011ebdf367',NULL,NULL,'observed','account.field','applied','2026-11-24 22:46:05.927922','','','','','','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','','["flavour"]','',NULL,NULL,'',NULL,'52381dfdb30f8485a73850bef10379c716db087eb69f19fcf21c603f0d3cee92','1d8c9fb1dc4d5a2ab99a7ab54a001bfb70bbc6f7a926b563698aa32ac1b378d8','ae07c367533639fa0491c2bc3fa826f6937f6be72e00f125f700695b1258c180',NULL),
(93,'eb0172f8dd654e02a05363a2d5137521',NULL,'b6e3b5b0681d45bba959ba56f004d1cb','access','plan.start','succeeded','2026-11-24 22:52:07.845922','2','omar','operator','192.0.2.10','Firefox','','','[]','Closed over the holidays',NULL,NULL,'',NULL,'96e235fff452f833677668e6196c53fefacbdf6250d2f65a53b6fe4d6df8bdb9','ae07c367533639fa0491c2bc3fa826f6937f6be72e00f125f700695b1258c180','6cd9b8c3a04cd9ebb4e7c990674f2f24cdaf118ff5ebd80ee913db90077b45f4',NULL),
(94,'0cc47359fa0e4cfb9ceba95a7045a62f','4f451ebffbea4e8481d2e7cfbb518275','b6e3b5b0681d45bba959ba56f004d1cb','attempt','flow.update','pending','2026-11-24 22:52:09.078922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','["enabled"]','Closed over the holidays',NULL,NULL,'',NULL,'39c7344eb543cfb7eaa795b6dbee331e56eb8432a7a13e6843da3387da6bad88','6cd9b8c3a04cd9ebb4e7c990674f2f24cdaf118ff5ebd80ee913db90077b45f4','64dfe8f025eb0cbd48d657282bf20df93de2c836ed672c607d2daccd02fb4ca9',NULL),
(95,'61c0c2073fe24453854fdeaf8f0cd32e','4f451ebffbea4e8481d2e7cfbb518275','b6e3b5b0681d45bba959ba56f004d1cb','outcome','flow.update','succeeded','2026-11-24 22:52:09.626922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO09a6507ebd044261a2e289921f9a8c09','["enabled"]','Closed over the holidays',200,NULL,'RQ1847edaacecc4dabb0bfa3f05035fe64',4,'21294e87403493f1c1bfb91f648b2fa1ae90bc028eaa3520fbc5ac4e22810213','64dfe8f025eb0cbd48d657282bf20df93de2c836ed672c607d2daccd02fb4ca9','3a9201fee05c16d9c6338878089205a8b0a59445ba9aec1081ef9956c3d6a621',NULL),
(96,'93c9562adc5e4ffd9e952325a3e27123','01a34598dbb14b99ad61b09397b750dd','b6e3b5b0681d45bba959ba56f004d1cb','attempt','flow.update','pending','2026-11-24 22:52:10.448922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','["enabled"]','Closed over the holidays',NULL,NULL,'',NULL,'1410cf1ffb0acf37d750011c227473d4cdf15c16f4ac8e4532d24152788d288e','3a9201fee05c16d9c6338878089205a8b0a59445ba9aec1081ef9956c3d6a621','bab2d7bd111719799935b657d88f1b07af6676156b85e0aa58c4d6395b816aac',NULL),
(97,'3298647fde1a43f08fa9ce209b6ebf55','01a34598dbb14b99ad61b09397b750dd','b6e3b5b0681d45bba959ba56f004d1cb','outcome','flow.update','succeeded','2026-11-24 22:52:10.996922','2','omar','operator','192.0.2.10','Firefox','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','["enabled"]','Closed over the holidays',200,NULL,'RQa6503ba3f42d4687ac6534424e1f1f1c',6,'669cbb5282119d8d15e8e745c2e2fe1fd43c167fac62f3e8fde5d37d5d0f5fcf','bab2d7bd111719799935b657d88f1b07af6676156b85e0aa58c4d6395b816aac','914da711afdcb859a7371b5b472d9ea4ee8f41f4569d8059a58280da073b171d',NULL),
(98,'0f0f819a438b483ab52a1d8c123174de',NULL,'358f30ee51ae4817bc435b4045440dd7','access','plan.start','succeeded','2026-11-24 22:55:12.366922','4','ada','admin','192.0.2.10','Firefox','','','[]','Retry less',NULL,NULL,'',NULL,'3cc3c8ce8a9df2fb3b503f4f04cad8d78d5bff618f684e5f049c9c7fdea3dd38','914da711afdcb859a7371b5b472d9ea4ee8f41f4569d8059a58280da073b171d','af2c318b6a712a71c3e719ace580ede99d1dea4b8136e69fea64202545ab5025',NULL),
(99,'99048d098c024b4aa03e5ce445a29c35',NULL,'358f30ee51ae4817bc435b4045440dd7','access','plan.stop','succeeded','2026-11-24 22:55:12.777922','4','ada','admin','192.0.2.10','Firefox','','','[]','Retry less',NULL,NULL,'',NULL,'aa54715d46c2b188a9cb2375193bb5f52e559bd624187a90eb31af55160ed391','af2c318b6a712a71c3e719ace580ede99d1dea4b8136e69fea64202545ab5025','2792b7a1db8d3414ca10975cf8c80066fea30d4913e198cf5a3274431d0062b1',NULL),
(100,'d4c528a2e5844dd5bf99c0ddc6382255',NULL,'10c3d78b37d84d75aaf71084ed5fd28a','access','plan.start','succeeded','2026-11-24 22:55:13.462922','2','omar','operator','192.0.2.10','Firefox','','','[]','Open again',NULL,NULL,'',NULL,'feea53c89d2bf9834bdeadc47038764f8364dcad63b5542d5f05efcc86e49d28','2792b7a1db8d3414ca10975cf8c80066fea30d4913e198cf5a3274431d0062b1','6587e9eac2256f077a2919c87bb60666ec7d987ad6fed7c0b535a679bcbb198e',NULL),
(101,'9f7ec4b6482b4c35a4ae0172124560a0',NULL,NULL,'access','account.close','succeeded','2026-11-24 22:55:13.736922','4','ada','admin','192.0.2.10','Firefox','','','[]','Maintenance',NULL,NULL,'',NULL,'bdf0687c1702de982e0aac883571750ae064621ebddd3fc2cc29ea8077ed7cd3','6587e9eac2256f077a2919c87bb60666ec7d987ad6fed7c0b535a679bcbb198e','3febbab906c81d71c70af07e6014dcf959a473d9e56d2f0c0eb7fb83a886fb83',NULL),
(102,'f24c44135a7241fea6b524923cf256ae',NULL,NULL,'access','account.reopen','succeeded','2026-11-24 22:55:13.873922','4','ada','admin','192.0.2.10','Firefox','','','[]','Done',NULL,NULL,'',NULL,'8584feade3a0d484d260d359316ddc0465b74952fa7cc85ea524f1537cd6f638','3febbab906c81d71c70af07e6014dcf959a473d9e56d2f0c0eb7fb83a886fb83','45bbbaf48d761f28f6f45579c1d8a22a4d06077b643ac76a9c35da788c37e022',NULL),
(103,'74a430338acb4274887e4824c2bf6287',NULL,NULL,'access','account.ask_again','succeeded','2026-11-24 22:55:14.558922','4','ada','admin','192.0.2.10','Firefox','AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','','[]','',NULL,NULL,'',NULL,'811244185bbae5161d9aced0ed25c95c6444e900e027ae16f3ea6149f7ae95f2','45bbbaf48d761f28f6f45579c1d8a22a4d06077b643ac76a9c35da788c37e022','8bff7e08b3513a6e5e20dc235c0f042b85a316d541164568d785677783a057cd',NULL),
(104,'b271f224f0a048fcb3a5d86e3b19e574',NULL,'2acd11cd535d4ae6ab8258bdd1868088','access','account.close','succeeded','2026-11-24 22:55:15.928922','4','ada','admin','192.0.2.20','Firefox','AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','','[]','Frozen until the move',NULL,NULL,'',NULL,'484a7e1d5da10ce1863c36b13f248b6ba45aa19cb453b7368ff6773bf651d096','8bff7e08b3513a6e5e20dc235c0f042b85a316d541164568d785677783a057cd','e4ead79b5178fbcdae6ff881ecb9e06b038e8944ce88d8efadc95c766652bca8',NULL),
(105,'7d1348519b8f420e81aed547975df4ca',NULL,'ccdf151021b94cb99ce969d29df2c666','access','flow.export','succeeded','2026-11-24 22:55:16.202922','2','omar','operator','192.0.2.22','Firefox','','','[]','',NULL,NULL,'',NULL,'c3479dad21ecf59298873ccea36a55ac2cb27695bdb575f5dd03594652f99cfd','e4ead79b5178fbcdae6ff881ecb9e06b038e8944ce88d8efadc95c766652bca8','96f37a289a799b6eb2fece72bfde4ebf4f23b9e193f872392cf6ca1046a1789c',NULL),
(106,'e479e7adf7ef4c5d9ccd71f1845096ce',NULL,'04bf81e6dd4f4256aa2d46cf3896700f','access','audit.export','succeeded','2026-11-24 22:55:16.613922','3','aude','auditor','192.0.2.23','Firefox','','','[]','csv, all events after 0',NULL,NULL,'',NULL,'378a5e537c9071c3420ed29ca063ff2c165ad530ee16f45213ec189b9442cb64','96f37a289a799b6eb2fece72bfde4ebf4f23b9e193f872392cf6ca1046a1789c','9232cf7186b7476608064669d04212b38452b49355b4e2afd2ee203fe6d20fe6',NULL),
(107,'c5ee05444ff8496bb1eb551aa0ab678c',NULL,NULL,'access','audit.restore','succeeded','2026-11-24 22:55:17.024922','','migrate','','','','','','[]','',NULL,NULL,'',NULL,'b1860c77d9284c3d93a7b7faf87589b449bfef538481a9d026e6c88e29f063db','9232cf7186b7476608064669d04212b38452b49355b4e2afd2ee203fe6d20fe6','ca97ba34a38758022210858ae5f58e408d8faeca128b8642f9a9f600a38fe46a',NULL),
(108,'dd8b47be64974d38981319f35affcf25',NULL,NULL,'access','audit.verify','succeeded','2026-11-24 22:55:17.161922','','command line: deploy','','','','','','[]','107 events are as they were written.',NULL,NULL,'',NULL,'6980de0ce44d6c388b2eb77414e3d768a1b65aa990694a3feae1835dde6121d1','ca97ba34a38758022210858ae5f58e408d8faeca128b8642f9a9f600a38fe46a','ebecd660c910bf611d48f69cdc4b0194dd82fada9e7fee977935a68b2718e608',NULL);
INSERT INTO "flows_auditpayload" VALUES
(1,'9e53a98cec9b24144046978602de3a64','vera','',NULL,NULL,'{"active": true, "role": "viewer", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(2,'5323296dca7cc78cf104d1d025b231d1','omar','',NULL,NULL,'{"active": true, "role": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(3,'30fe975ea63ff9b59fc021a640733f89','aude','',NULL,NULL,'{"active": true, "role": "auditor", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(4,'7d5480e5e3a8a08b96a38db35f04bb71','ada','',NULL,NULL,'{"active": true, "role": "admin", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(5,'9995092db011ffece96538539125d466','Återköp – Jönköping (WhatsApp)','whatsapp:+46313900600',NULL,NULL,'{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 0, "sid": "FOc541013d0326324dfb695ffb3a1890c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "\u00c5terk\u00f6p \u2013 J\u00f6nk\u00f6ping (WhatsApp)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "whatsapp", "contact_identity": "whatsapp:+46313900600", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-07-13T04:41:41Z", "date_updated": "2026-07-13T10:51:16Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc541013d0326324dfb695ffb3a1890c7"}','',NULL,NULL),
(6,'e5ed1013016df1f32c55d2f65bab8ae2','Störungsmeldung – Düsseldorf (WhatsApp)','whatsapp:+493023125000',NULL,NULL,'{"integration_workspace_sid": "WSafbd67f9619699cfe1988ad9f06c144a", "integration_workflow_sid": "WWad45f23d3b1a11df587fd2803bab6c39", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 0, "sid": "FO5fec898fbcfbb050acab1a6bc69d4bd8", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "St\u00f6rungsmeldung \u2013 D\u00fcsseldorf (WhatsApp)", "chat_service_sid": "IS78e510617311d8a3c2ce6f447ed4d57b", "channel_type": "whatsapp", "contact_identity": "whatsapp:+493023125000", "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": true, "date_created": "2025-08-14T00:46:31Z", "date_updated": "2026-04-30T09:12:19Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5fec898fbcfbb050acab1a6bc69d4bd8"}','',NULL,NULL),
(7,'3ffc2b191c0efda1c3f483769c2cbfa6','Citas médicas · Ciudad de México SMS','+14245550100',NULL,NULL,'{"integration_workspace_sid": "WSc381e88f38c0c8fd8712b8bc076f3787", "integration_workflow_sid": "WW6a8ac4ba05805975ed2f89d94a2f20aa", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 10, "sid": "FO6c0f3459f79b17aeefba91fc803468b6", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS", "chat_service_sid": "IS1e2feb89414c343c1027c4d1c386bbc4", "channel_type": "sms", "contact_identity": "+14245550100", "enabled": false, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2024-12-01T08:24:43Z", "date_updated": "2026-05-21T03:59:02Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6c0f3459f79b17aeefba91fc803468b6"}','',NULL,NULL),
(8,'91ea3d21f18cb90bdae1b4eb141fca49','Weihnachtsaktion Köln (SMS)','+4915550100999',NULL,'{"chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "friendly_name": "Weihnachtsaktion K\u00f6ln (SMS)", "channel_type": "sms", "contact_identity": "+4915550100999", "integration_type": "studio", "enabled": false}',NULL,'',NULL,NULL),
(9,'9ee9070da0f3cf7aab2f35ccf8fab973','Weihnachtsaktion Köln (SMS)','+4915550100999',NULL,'{"chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "friendly_name": "Weihnachtsaktion K\u00f6ln (SMS)", "channel_type": "sms", "contact_identity": "+4915550100999", "integration_type": "studio", "enabled": false}','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FOe132abf4c9ef4f27baef3717f207b8cb", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Weihnachtsaktion K\u00f6ln (SMS)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+4915550100999", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-15T08:59:29Z", "date_updated": "2026-11-15T08:59:29Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOe132abf4c9ef4f27baef3717f207b8cb"}','',NULL,NULL),
(10,'4cee658cdbfbf6304e5580276e7fae22','Störungsmeldung – Düsseldorf (WhatsApp)','whatsapp:+493023125000','{"integration_workspace_sid": "WSafbd67f9619699cfe1988ad9f06c144a", "integration_workflow_sid": "WWad45f23d3b1a11df587fd2803bab6c39", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 0, "sid": "FO5fec898fbcfbb050acab1a6bc69d4bd8", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "St\u00f6rungsmeldung \u2013 D\u00fcsseldorf (WhatsApp)", "chat_service_sid": "IS78e510617311d8a3c2ce6f447ed4d57b", "channel_type": "whatsapp", "contact_identity": "whatsapp:+493023125000", "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": true, "date_created": "2025-08-14T00:46:31Z", "date_updated": "2026-04-30T09:12:19Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5fec898fbcfbb050acab1a6bc69d4bd8"}','{"integration_timeout": 14400}',NULL,'',NULL,NULL),
(11,'5a520c760b243ec98d61883218c5970f','Störungsmeldung – Düsseldorf (WhatsApp)','whatsapp:+493023125000','{"integration_workspace_sid": "WSafbd67f9619699cfe1988ad9f06c144a", "integration_workflow_sid": "WWad45f23d3b1a11df587fd2803bab6c39", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 0, "sid": "FO5fec898fbcfbb050acab1a6bc69d4bd8", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "St\u00f6rungsmeldung \u2013 D\u00fcsseldorf (WhatsApp)", "chat_service_sid": "IS78e510617311d8a3c2ce6f447ed4d57b", "channel_type": "whatsapp", "contact_identity": "whatsapp:+493023125000", "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": true, "date_created": "2025-08-14T00:46:31Z", "date_updated": "2026-04-30T09:12:19Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5fec898fbcfbb050acab1a6bc69d4bd8"}','{"integration_timeout": 14400}',NULL,'Invalid parameter',NULL,NULL),
(12,'a1b19e7865fcbec64218c0eb1e79015f','Weihnachtsaktion Köln (SMS) pilot','+4915550100999','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FOe132abf4c9ef4f27baef3717f207b8cb", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Weihnachtsaktion K\u00f6ln (SMS)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+4915550100999", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-15T08:59:29Z", "date_updated": "2026-11-15T08:59:29Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOe132abf4c9ef4f27baef3717f207b8cb"}',NULL,'{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FOe132abf4c9ef4f27baef3717f207b8cb", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Weihnachtsaktion K\u00f6ln (SMS) pilot", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+4915550100999", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-15T08:59:29Z", "date_updated": "2026-11-19T19:30:40Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOe132abf4c9ef4f27baef3717f207b8cb"}','',NULL,NULL),
(13,'a55983c93bf588f8b432ab3e04c7e1f2','Weihnachtsaktion Köln (SMS) pilot','+4915550100999','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FOe132abf4c9ef4f27baef3717f207b8cb", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Weihnachtsaktion K\u00f6ln (SMS) pilot", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+4915550100999", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-15T08:59:29Z", "date_updated": "2026-11-19T19:30:40Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOe132abf4c9ef4f27baef3717f207b8cb"}','{"friendly_name": "Weihnachtsaktion K\u00f6ln (SMS)."}',NULL,'Someone else changed Friendly name in the meantime. Nothing was sent.',NULL,NULL),
(14,'c4ddd8d9e20e9e8cdd60a89bc4d1d30c','','',NULL,NULL,NULL,'',NULL,NULL),
(15,'f7a272540fa7997a79a1f255253de5c8','Återköp – Jönköping (WhatsApp)','whatsapp:+46313900600','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 0, "sid": "FOc541013d0326324dfb695ffb3a1890c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "\u00c5terk\u00f6p \u2013 J\u00f6nk\u00f6ping (WhatsApp)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "whatsapp", "contact_identity": "whatsapp:+46313900600", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-07-13T04:41:41Z", "date_updated": "2026-07-13T10:51:16Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc541013d0326324dfb695ffb3a1890c7"}',NULL,NULL,'',NULL,NULL),
(16,'eca5078c39794ce0bf577f5c3bc9b0ed','Återköp – Jönköping (WhatsApp)','whatsapp:+46313900600','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 0, "sid": "FOc541013d0326324dfb695ffb3a1890c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "\u00c5terk\u00f6p \u2013 J\u00f6nk\u00f6ping (WhatsApp)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "whatsapp", "contact_identity": "whatsapp:+46313900600", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-07-13T04:41:41Z", "date_updated": "2026-07-13T10:51:16Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc541013d0326324dfb695ffb3a1890c7"}',NULL,NULL,'',NULL,NULL),
(17,'c6e28f694060e395c224cdc75c25aa9d','Störungsmeldung – Düsseldorf (WhatsApp)','whatsapp:+493023125000','{"integration_workspace_sid": "WSafbd67f9619699cfe1988ad9f06c144a", "integration_workflow_sid": "WWad45f23d3b1a11df587fd2803bab6c39", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 0, "sid": "FO5fec898fbcfbb050acab1a6bc69d4bd8", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "St\u00f6rungsmeldung \u2013 D\u00fcsseldorf (WhatsApp)", "chat_service_sid": "IS78e510617311d8a3c2ce6f447ed4d57b", "channel_type": "whatsapp", "contact_identity": "whatsapp:+493023125000", "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": true, "date_created": "2025-08-14T00:46:31Z", "date_updated": "2026-04-30T09:12:19Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5fec898fbcfbb050acab1a6bc69d4bd8"}',NULL,'{"integration_workspace_sid": "WSafbd67f9619699cfe1988ad9f06c144a", "integration_workflow_sid": "WWad45f23d3b1a11df587fd2803bab6c39", "integration_channel": "chat", "integration_timeout": 7200, "integration_priority": 5, "sid": "FO5fec898fbcfbb050acab1a6bc69d4bd8", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "St\u00f6rungsmeldung \u2013 D\u00fcsseldorf (WhatsApp)", "chat_service_sid": "IS78e510617311d8a3c2ce6f447ed4d57b", "channel_type": "whatsapp", "contact_identity": "whatsapp:+493023125000", "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": true, "date_created": "2025-08-14T00:46:31Z", "date_updated": "2026-11-23T19:38:50Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5fec898fbcfbb050acab1a6bc69d4bd8"}','',NULL,NULL),
(18,'00de3deefdb8141271c513760759cd60','Citas médicas · Ciudad de México SMS','+14245550100','{"integration_workspace_sid": "WSc381e88f38c0c8fd8712b8bc076f3787", "integration_workflow_sid": "WW6a8ac4ba05805975ed2f89d94a2f20aa", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 10, "sid": "FO6c0f3459f79b17aeefba91fc803468b6", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS", "chat_service_sid": "IS1e2feb89414c343c1027c4d1c386bbc4", "channel_type": "sms", "contact_identity": "+14245550100", "enabled": false, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2024-12-01T08:24:43Z", "date_updated": "2026-05-21T03:59:02Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6c0f3459f79b17aeefba91fc803468b6"}','{"friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS (new team)"}',NULL,'',NULL,NULL),
(19,'b098b363c8b9cd93269e6b124d49062e','Citas médicas · Ciudad de México SMS','+14245550100','{"integration_workspace_sid": "WSc381e88f38c0c8fd8712b8bc076f3787", "integration_workflow_sid": "WW6a8ac4ba05805975ed2f89d94a2f20aa", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 10, "sid": "FO6c0f3459f79b17aeefba91fc803468b6", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS", "chat_service_sid": "IS1e2feb89414c343c1027c4d1c386bbc4", "channel_type": "sms", "contact_identity": "+14245550100", "enabled": false, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2024-12-01T08:24:43Z", "date_updated": "2026-05-21T03:59:02Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6c0f3459f79b17aeefba91fc803468b6"}','{"friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS (new team)"}',NULL,'the connection to Twilio was lost',NULL,NULL),
(20,'f5881c9ae678154c15397559126353f1','Citas médicas · Ciudad de México SMS','+14245550100','{"integration_workspace_sid": "WSc381e88f38c0c8fd8712b8bc076f3787", "integration_workflow_sid": "WW6a8ac4ba05805975ed2f89d94a2f20aa", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 10, "sid": "FO6c0f3459f79b17aeefba91fc803468b6", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS", "chat_service_sid": "IS1e2feb89414c343c1027c4d1c386bbc4", "channel_type": "sms", "contact_identity": "+14245550100", "enabled": false, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2024-12-01T08:24:43Z", "date_updated": "2026-05-21T03:59:02Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6c0f3459f79b17aeefba91fc803468b6"}','{"friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS (new team)"}','{"integration_workspace_sid": "WSc381e88f38c0c8fd8712b8bc076f3787", "integration_workflow_sid": "WW6a8ac4ba05805975ed2f89d94a2f20aa", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 10, "sid": "FO6c0f3459f79b17aeefba91fc803468b6", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS (new team)", "chat_service_sid": "IS1e2feb89414c343c1027c4d1c386bbc4", "channel_type": "sms", "contact_identity": "+14245550100", "enabled": false, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2024-12-01T08:24:43Z", "date_updated": "2026-11-24T01:39:16Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6c0f3459f79b17aeefba91fc803468b6"}','Found out by reading; nothing was sent.',NULL,NULL),
(21,'8476120a278fb47dc813fd0f1c693c42','Rückrufwunsch Bern (SMS)','+41315550100',NULL,'{"chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "friendly_name": "R\u00fcckrufwunsch Bern (SMS)", "channel_type": "sms", "contact_identity": "+41315550100", "integration_type": "studio", "enabled": false}',NULL,'',NULL,NULL),
(22,'0aaf79c32d804c150350ce003f2d98fd','Rückrufwunsch Bern (SMS)','+41315550100',NULL,'{"chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "friendly_name": "R\u00fcckrufwunsch Bern (SMS)", "channel_type": "sms", "contact_identity": "+41315550100", "integration_type": "studio", "enabled": false}',NULL,'the connection to Twilio was lost',NULL,NULL),
(23,'9791231e0fbf396807096406090ea4f6','Rückrufwunsch Bern (SMS)','+41315550100',NULL,'{"chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "friendly_name": "R\u00fcckrufwunsch Bern (SMS)", "channel_type": "sms", "contact_identity": "+41315550100", "integration_type": "studio", "enabled": false}','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FO2521932777284e45b991b24435bfb2c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00fcckrufwunsch Bern (SMS)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+41315550100", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T05:04:09Z", "date_updated": "2026-11-24T05:04:09Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO2521932777284e45b991b24435bfb2c7"}','Found out by reading; nothing was sent.',NULL,NULL),
(24,'ccf35cfea506b7f35535a57a779f1e61','test (delete me)','',NULL,NULL,'{"integration_url": "https://hooks.example.com/pilot", "integration_retry_count": 3, "sid": "FO36c383ee62e048adbd75aa64a7e5e85b", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "test (delete me)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": null, "enabled": false, "integration_type": "external", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T10:58:27Z", "date_updated": "2026-11-24T10:58:27Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO36c383ee62e048adbd75aa64a7e5e85b"}','',NULL,NULL),
(25,'db768a407e0efc32abecabc16cbf80ff','Rückrufwunsch Bern (SMS)','+41315550100','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FO2521932777284e45b991b24435bfb2c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00fcckrufwunsch Bern (SMS)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+41315550100", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T05:04:09Z", "date_updated": "2026-11-24T05:04:09Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO2521932777284e45b991b24435bfb2c7"}','{"friendly_name": "R\u00fcckrufwunsch Bern (SMS) (new team)"}',NULL,'',NULL,NULL),
(26,'83a76dbaf1f97adf8d3e39e973bf6d50','Rückrufwunsch Bern (SMS)','+41315550100','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FO2521932777284e45b991b24435bfb2c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00fcckrufwunsch Bern (SMS)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+41315550100", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T05:04:09Z", "date_updated": "2026-11-24T05:04:09Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO2521932777284e45b991b24435bfb2c7"}','{"friendly_name": "R\u00fcckrufwunsch Bern (SMS) (new team)"}',NULL,'the connection to Twilio was lost',NULL,NULL),
(27,'d3e9d4fb733f8f30cbcf7a4dd5a56862','Averías A Coruña web chat','',NULL,NULL,'{"integration_workspace_sid": "WSe8624fab5186ee32ee8d7ee9770348a0", "integration_workflow_sid": "WWfec3f6b32e8d4b8a8f54f8ceacaab39e", "integration_channel": "sms", "integration_timeout": 1800, "integration_priority": 10, "sid": "FOc1066932f4767f26294365b2721dea3b", "account_sid": "AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e", "friendly_name": "Aver\u00edas A Coru\u00f1a web chat", "chat_service_sid": "IScf1822ffbc6887782b491044d5e34124", "channel_type": "web", "contact_identity": null, "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2025-06-07T19:03:18Z", "date_updated": "2026-08-22T10:21:55Z", "url": "http://127.0.0.1:33011/v1/FlexFlows/FOc1066932f4767f26294365b2721dea3b"}','',NULL,NULL),
(28,'eb698acd95cbe52625a20b898fc95b45','ada','',NULL,NULL,'{"by": "password"}','',NULL,NULL),
(29,'e269cec14a65e6ecebb3b0994faa4c6a','nora','',NULL,NULL,'{"active": true, "role": "none", "role on AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(30,'09ae36be8ad973a52bdacceb8b0389de','nora','','{"active": true, "role": "none", "role on AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e": "operator", "second factors": "none", "single sign-on": "none"}',NULL,'{"active": true, "role": "none", "role on AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(31,'96aae43422537b0245ae99fbf2dffb61','nora','',NULL,NULL,'{"by": "password"}','',NULL,NULL),
(32,'b0c5d74bbb9e19275a834f80541df27c','nora','',NULL,NULL,NULL,'',NULL,NULL),
(33,'e4b4e7ffc46f5a5abb64aeeb74e5cafe','nils','',NULL,NULL,'{"active": true, "role": "viewer", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(34,'c9465726eb03eaf2c6f475d32015f49e','nils','','{"active": true, "role": "viewer", "second factors": "none", "single sign-on": "none"}',NULL,'{"active": true, "role": "auditor", "role on AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(35,'ddd6cde80bd08d6dc4db8886a7c4b37b','nils','','{"active": true, "role": "auditor", "role on AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a": "operator", "second factors": "none", "single sign-on": "none"}',NULL,'{"active": false, "role": "auditor", "role on AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(36,'213ae32a33fee6aa6eeb84f8b8831263','nils','','{"active": false, "role": "auditor", "role on AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a": "operator", "second factors": "none", "single sign-on": "none"}',NULL,'{"active": true, "role": "auditor", "role on AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(37,'0715aa4a21c77d4ecd93617699b29fba','nils','','{"active": true, "role": "auditor", "role on AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a": "operator", "second factors": "none", "single sign-on": "none"}',NULL,'{"active": false, "role": "auditor", "role on AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(38,'a01051d9f33caa5cfa91d35c82fc5af2','omar','',NULL,NULL,'{"by": "password"}','',NULL,NULL),
(39,'0996f34c1fad3a8ef3014eae7392a13d','omar','',NULL,NULL,NULL,'wrong password',NULL,NULL),
(40,'8fb532c8a0312edcd6f7c9c79831eb6a','omar','',NULL,NULL,'{"factor": "authenticator app"}','',NULL,NULL),
(41,'64e82cf799f1f3d6081cf194111e084b','nora','',NULL,NULL,'{"factor": "authenticator app"}','',NULL,NULL),
(42,'83a153f3bbd2ac26086018a3e08c86ca','nora','',NULL,NULL,'{"factor": "authenticator app"}','',NULL,NULL),
(43,'77b00e312a36b22e80a1e347a4696e75','nora','','{"active": true, "role": "none", "role on AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e": "operator", "second factors": "none", "single sign-on": "none"}',NULL,'{"active": true, "role": "none", "role on AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e": "operator", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(44,'0b1daa077e652b722231a0c3df76fbbb','omar','',NULL,NULL,'{"by": "password, then authenticator app"}','',NULL,NULL),
(45,'3f96cd4933d91e99c353a1f8b8114d7e','omar','',NULL,NULL,NULL,'',NULL,NULL),
(46,'1f7358712714e807876b0db3f2691111','omar','',NULL,NULL,NULL,'wrong second factor',NULL,NULL),
(47,'8c6b0e47ef9bd5b8f4a8504b5bd75b35','omar','',NULL,NULL,NULL,'too many wrong codes',NULL,NULL),
(48,'31bbacb13c01d911f1bb516ed5ca2e40','nina','',NULL,NULL,'{"by": "single sign-on", "subject": "https://id.example.com 7f3a", "active": true, "role": "none"}','',NULL,NULL),
(49,'bfa5911a0ad0c5c0d43a87a071702c73','nina','',NULL,NULL,'{"by": "socialaccount"}','',NULL,NULL),
(50,'73619c93cc43e038a2c1c7c11c420a1f','ned','',NULL,NULL,'{"by": "single sign-on", "subject": "https://id.example.com 8b1c", "active": true, "role": "none"}','',NULL,NULL),
(51,'ec7759e9c91d6a46814f8e7b3c11ebf4','ned','',NULL,NULL,'{"by": "socialaccount"}','',NULL,NULL),
(52,'f14e886c88e532f292f9d6728da193c0','ned','','{"active": true, "role": "none", "second factors": "none", "single sign-on": "https://id.example.com 8b1c"}',NULL,'{"active": true, "role": "none", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(53,'e0dd3df9624c59484b4b8c41d34dbecc','vera','',NULL,NULL,'{"by": "password"}','',NULL,NULL),
(54,'ebba6e16b55d9a80c06a0ed81c926065','stan','','{"superuser flag": "none", "staff flag": "none", "direct permissions": "none", "other groups": "none"}',NULL,'{"superuser flag": "set", "staff flag": "set", "direct permissions": "auth.change_user", "other groups": "Reporting"}','Given outside this dashboard. These rights have no effect here.',NULL,NULL),
(55,'6975f04065ed6f35a0b19bb2c8310394','zoe','','{"staff flag": "none", "direct permissions": "none", "other groups": "none"}',NULL,'{"staff flag": "set", "direct permissions": "auth.change_user", "other groups": "Reporting"}','Given outside this dashboard. These rights have no effect here.',NULL,NULL),
(56,'3cdcdbe46224ff4d60cca35dbdcb1d7e','zoe','','{"active": true, "role": "none", "second factors": "none", "single sign-on": "none", "staff flag": "set", "direct permissions": "auth.change_user", "other groups": "Reporting"}',NULL,'{"active": true, "role": "none", "second factors": "none", "single sign-on": "none"}','',NULL,NULL),
(57,'76fae9f1b387969514c2b624b304d06e','a name that nobody has','',NULL,NULL,NULL,'wrong name or password',NULL,NULL),
(58,'02e4371082433d02af323ffeb454e3b8','Citas médicas · Ciudad de México SMS (new team)','+14245550100',NULL,NULL,NULL,'',NULL,NULL),
(59,'218adf78fafe1abf229a5d89bddd0309','','',NULL,NULL,NULL,'',NULL,NULL),
(60,'8ae6e5617a84f976b3ea5c059528de97','vera','',NULL,NULL,NULL,'',NULL,NULL),
(61,'d9bc4cd2e0f7362dbd132de64af3b1ad','aude','',NULL,NULL,'{"by": "password"}','',NULL,NULL),
(62,'','','',NULL,NULL,NULL,'','2026-11-24 22:17:52.227922',NULL),
(63,'','','',NULL,NULL,NULL,'','2026-11-24 22:17:52.227922',NULL),
(64,'','','',NULL,NULL,NULL,'','2026-11-24 22:17:52.227922',NULL),
(65,'','','',NULL,NULL,NULL,'','2026-11-24 22:17:52.227922',NULL),
(66,'c723a86cb6143e51a3da0eab50976919','','',NULL,'{"events": [[62, 65]], "copies": 1}',NULL,'The contents of 4 events were erased.',NULL,NULL),
(67,'8d4d105b31afe5a2158e738c2bdc9d9b','Réclamations Łódź','whatsapp:+48425550100',NULL,'{"friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "integration_type": "external", "integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "enabled": true}',NULL,'',NULL,NULL),
(68,'3026f84cf6e2cc8d198fc0632827e787','Réclamations Łódź','whatsapp:+48425550100',NULL,'{"friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "integration_type": "external", "integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "enabled": true}','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:17:52Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','',NULL,NULL),
(69,'394f198079712509701cda05e86f5a06','Réclamations Łódź','whatsapp:+48425550100','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:17:52Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','{"friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "janitor_enabled": true}',NULL,'',NULL,NULL),
(70,'1dcd713ed14090daefa586a2b5af843d','Réclamations Łódź “VIP”','whatsapp:+48425550100','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:17:52Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','{"friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "janitor_enabled": true}','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": true, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:20:53Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','',NULL,NULL),
(71,'51da94746f9359e40eff970e541e6f99','Réclamations Łódź “VIP”','whatsapp:+48425550100','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": true, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:20:53Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','{"janitor_enabled": false}',NULL,'',NULL,NULL),
(72,'2b14c89b44eb36c846804cfd58753d4f','Réclamations Łódź “VIP”','whatsapp:+48425550100','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": true, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:20:53Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','{"janitor_enabled": false}',NULL,'''janitor'' is not “allowed” for % and \ here',NULL,NULL),
(73,'628dceaefba6c89b8b8bd839cd474d4f','Hotline Essen','hotline-essen',NULL,NULL,'{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOcc79a67e9252484aa16f86d7c03790c4", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Essen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-essen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:56Z", "date_updated": "2026-11-24T22:26:56Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOcc79a67e9252484aa16f86d7c03790c4"}','',NULL,NULL),
(74,'e66b3e857a8ad5e1962b31e3f6fe8bc0','Hotline Düren','hotline-düren',NULL,NULL,'{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO5d9f55fe39e74592b4cbc2ded3b105f3", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline D\u00fcren", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-d\u00fcren", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5d9f55fe39e74592b4cbc2ded3b105f3"}','',NULL,NULL),
(75,'0f96ceb0b8286b34162efbcdf68e9471','Hotline Celle','hotline-celle',NULL,NULL,'{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO6eb8a43acebc4c95ab747640e702a304", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Celle", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-celle", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6eb8a43acebc4c95ab747640e702a304"}','',NULL,NULL),
(76,'f8d8f2b6be70a8dec114daa5a0f50b2c','Hotline Bonn','hotline-bonn',NULL,NULL,'{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','',NULL,NULL),
(77,'7e0f882068ff850e7a88d5b01a85a084','Hotline Aachen','hotline-aachen',NULL,NULL,'{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','',NULL,NULL),
(78,'36016338c124fe5d932002334c652386','Hotline Aachen','hotline-aachen',NULL,NULL,NULL,'',NULL,NULL),
(79,'cfc63fa3f58308bd65d369d0de7a2476','Hotline Aachen','hotline-aachen','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','{"friendly_name": "Hotline Aachen (day)"}',NULL,'',NULL,NULL),
(80,'c5ba964a257bb0511e54ef32360d153c','Hotline Aachen','hotline-aachen','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','{"friendly_name": "Hotline Aachen (day)"}',NULL,'the connection to Twilio was lost',NULL,NULL),
(81,'40fa2d776151c30259d236a7cd19fe92','Hotline Aachen','hotline-aachen','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','{"friendly_name": "Hotline Aachen (day)"}','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','Found out by reading; nothing was sent.',NULL,NULL),
(82,'bd32d1744642151682dbf89fe5337011','Hotline Bonn','hotline-bonn','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','{"friendly_name": "Hotline Bonn (day)"}',NULL,'',NULL,NULL),
(83,'e0cf7f3b9ccb34dd3b09c1d7abdb9575','Hotline Bonn','hotline-bonn','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','{"friendly_name": "Hotline Bonn (day)"}',NULL,'the connection to Twilio was lost',NULL,NULL),
(84,'4b3e12f4cc2234ce41b29e6db0220d3a','Hotline Bonn','hotline-bonn','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','{"friendly_name": "Hotline Bonn (day)"}','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn (day)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','A person decided; reading could not tell. Twilio has neither what was there before nor what was asked for: somebody else changed it since.',NULL,'{"puzzle": "Twilio has neither what was there before nor what was asked for: somebody else changed it since.", "is_unreadable": false, "candidates": [], "reading": {"FOc6feaef88bb3400c88b18be1d60c9079": {"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn (night)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:36:00Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}}, "read_at": "2026-11-24T22:38:01.680922+00:00"}'),
(85,'7ef5172cf4127782b95559f0fb00f1ec','','',NULL,NULL,NULL,'',NULL,NULL),
(86,'674e6c492eb3f32234f2d9923eab7061','Hotline Düren','hotline-düren','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO5d9f55fe39e74592b4cbc2ded3b105f3", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline D\u00fcren", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-d\u00fcren", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5d9f55fe39e74592b4cbc2ded3b105f3"}','{"friendly_name": "Hotline D\u00fcren (day)"}',NULL,'',NULL,NULL),
(87,'a640f90471a0c5bab82b8a7f8caba5e5','Hotline Düren','hotline-düren','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO5d9f55fe39e74592b4cbc2ded3b105f3", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline D\u00fcren", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-d\u00fcren", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5d9f55fe39e74592b4cbc2ded3b105f3"}','{"friendly_name": "Hotline D\u00fcren (day)"}',NULL,'the connection to Twilio was lost',NULL,NULL),
(88,'a7bb8b2db69742834e8a63ad5949b8d3','Hotline Bonn (night)','hotline-bonn','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn (day)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}',NULL,'{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn (night)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:36:00Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','',NULL,NULL),
(89,'d2b5987bcd73bf6e65f4b4298b5b31f4','Hotline Bonn (night)','hotline-bonn','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn (night)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:36:00Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','{"friendly_name": "Hotline Bonn"}',NULL,'',NULL,NULL),
(90,'16c37818a274573b36fbfb23abbc8f7f','Hotline Bonn','hotline-bonn','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn (night)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:36:00Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','{"friendly_name": "Hotline Bonn"}','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:43:04Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','',NULL,NULL),
(91,'217dcd1427c7716bccbbb4b0fe623977','Hotline Essen','hotline-essen','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOcc79a67e9252484aa16f86d7c03790c4", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Essen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-essen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:56Z", "date_updated": "2026-11-24T22:26:56Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOcc79a67e9252484aa16f86d7c03790c4"}',NULL,NULL,'',NULL,NULL),
(92,'d86177dcf6d239764c8028a82f1714c8','','',NULL,NULL,'{"field": "flavour", "kind": "not known to this dashboard", "first seen on": "FO09a6507ebd044261a2e289921f9a8c09"}','',NULL,NULL),
(93,'9594b3a2b1d8f50fd85739abe022b083','','',NULL,'{"plan": "Turn off 2 flows in production", "flows": 2}',NULL,'',NULL,NULL),
(94,'94f6b006c24b177bc7159d1c6639fa7b','Hotline Aachen','hotline-aachen','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:46:05Z", "flavour": "odd", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','{"enabled": false}',NULL,'',NULL,NULL),
(95,'e90ee14d21f0659cc9622ba0cad3bfcc','Hotline Aachen','hotline-aachen','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:46:05Z", "flavour": "odd", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','{"enabled": false}','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:52:09Z", "flavour": "odd", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','',NULL,NULL),
(96,'a3aa0c12e94b56bb2973264d667f065e','Réclamations Łódź “VIP”','whatsapp:+48425550100','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": true, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:20:53Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','{"enabled": false}',NULL,'',NULL,NULL),
(97,'37b2591111370fc9bae2dab9e4ca121f','Réclamations Łódź “VIP”','whatsapp:+48425550100','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": true, "integration_type": "external", "long_lived": false, "janitor_enabled": true, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:20:53Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','{"enabled": false}','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": false, "integration_type": "external", "long_lived": false, "janitor_enabled": true, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:52:10Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','',NULL,NULL),
(98,'0c30d6223f33ff11301d53393f3463e9','','',NULL,'{"plan": "Set the retry count of 2 flows in production to 2", "flows": 2}',NULL,'',NULL,NULL),
(99,'5c20f78cf33fb3f01689ddaef97122ac','','',NULL,'{"plan": "Set the retry count of 2 flows in production to 2", "flows": 2}',NULL,'',NULL,NULL),
(100,'fd5549f0316f3a2aad11b1e4474b9d5e','','',NULL,'{"plan": "Turn on 2 flows in production", "flows": 2}',NULL,'',NULL,NULL),
(101,'a3f73f79351df8c54ed29940094fea34','','',NULL,'{"of": "the whole site"}',NULL,'',NULL,NULL),
(102,'f179094a3db0270e4aacba463ec7d45d','','',NULL,'{"of": "the whole site"}',NULL,'',NULL,NULL),
(103,'133efdab44a33f0d7331641b3f27db44','','',NULL,'{"of": "AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e"}',NULL,'',NULL,NULL),
(104,'ed83d3e35c7b3a0d3207321278170cfb','','',NULL,'{"of": "AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e"}',NULL,'',NULL,NULL),
(105,'b6dfe5837c2b4f6d7c98ea9a647cfef4','','',NULL,'{"format": "csv", "flows": 2}',NULL,'',NULL,NULL),
(106,'146f8b3c24ea19ecf57237fa23104bba','','',NULL,'{"format": "csv", "filters": null, "after": 0, "through": 106}',NULL,'',NULL,NULL),
(107,'6477d3e5249773fe615fef3de9f60c5a','','',NULL,'{"triggers": ["audit_days"]}',NULL,'',NULL,NULL),
(108,'afc7828d75706f1a64e47b16e3cf3a49','','',NULL,NULL,'{"through": 107, "events": 107, "bad_seq": null, "fault": "", "head": false}','',NULL,NULL);
INSERT INTO "flows_chainhead" VALUES
('audit',108,'ebecd660c910bf611d48f69cdc4b0194dd82fada9e7fee977935a68b2718e608');
INSERT INTO "flows_closure" VALUES
(3,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','list','2026-11-24 22:55:15.380922',403,20003,'',''),
(4,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','change','2026-11-24 22:55:15.791922',NULL,NULL,'ada','Frozen until the move');
INSERT INTO "flows_flow" VALUES
('FO6c0f3459f79b17aeefba91fc803468b6','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Citas médicas · Ciudad de México SMS (new team)','citas medicas · ciudad de mexico sms (new team)','sms','+14245550100','+14245550100',0,'task','2024-12-01 08:24:43','2026-11-24 01:39:16','{"integration_workspace_sid": "WSc381e88f38c0c8fd8712b8bc076f3787", "integration_workflow_sid": "WW6a8ac4ba05805975ed2f89d94a2f20aa", "integration_channel": "chat", "integration_timeout": 1800, "integration_priority": 10, "sid": "FO6c0f3459f79b17aeefba91fc803468b6", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Citas m\u00e9dicas \u00b7 Ciudad de M\u00e9xico SMS (new team)", "chat_service_sid": "IS1e2feb89414c343c1027c4d1c386bbc4", "channel_type": "sms", "contact_identity": "+14245550100", "enabled": false, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2024-12-01T08:24:43Z", "date_updated": "2026-11-24T01:39:16Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6c0f3459f79b17aeefba91fc803468b6"}','2026-11-24 01:39:17.765760',NULL),
('FOc541013d0326324dfb695ffb3a1890c7','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Återköp – Jönköping (WhatsApp)','aterkop - jonkoping (whatsapp)','whatsapp','whatsapp:+46313900600','whatsapp:+46313900600',1,'studio','2026-07-13 04:41:41','2026-07-13 10:51:16','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 0, "sid": "FOc541013d0326324dfb695ffb3a1890c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "\u00c5terk\u00f6p \u2013 J\u00f6nk\u00f6ping (WhatsApp)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "whatsapp", "contact_identity": "whatsapp:+46313900600", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-07-13T04:41:41Z", "date_updated": "2026-07-13T10:51:16Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc541013d0326324dfb695ffb3a1890c7"}','2026-11-23 04:13:39.376497','2026-11-23 04:13:39.376497'),
('FO5fec898fbcfbb050acab1a6bc69d4bd8','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Störungsmeldung – Düsseldorf (WhatsApp)','storungsmeldung - dusseldorf (whatsapp)','whatsapp','whatsapp:+493023125000','whatsapp:+493023125000',1,'task','2025-08-14 00:46:31','2026-11-24 10:58:26','{"integration_workspace_sid": "WSafbd67f9619699cfe1988ad9f06c144a", "integration_workflow_sid": "WWad45f23d3b1a11df587fd2803bab6c39", "integration_channel": "chat", "integration_timeout": 7200, "integration_priority": 5, "sid": "FO5fec898fbcfbb050acab1a6bc69d4bd8", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "St\u00f6rungsmeldung \u2013 D\u00fcsseldorf (WhatsApp)", "chat_service_sid": "IS78e510617311d8a3c2ce6f447ed4d57b", "channel_type": "whatsapp", "contact_identity": "whatsapp:+493023125000", "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": true, "date_created": "2025-08-14T00:46:31Z", "date_updated": "2026-11-24T10:58:26Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5fec898fbcfbb050acab1a6bc69d4bd8"}','2026-11-24 10:58:27.274249',NULL),
('FOe132abf4c9ef4f27baef3717f207b8cb','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Weihnachtsaktion Köln (SMS) pilot','weihnachtsaktion koln (sms) pilot','sms','+4915550100999','+4915550100999',0,'studio','2026-11-15 08:59:29','2026-11-19 19:30:40','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FOe132abf4c9ef4f27baef3717f207b8cb", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Weihnachtsaktion K\u00f6ln (SMS) pilot", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+4915550100999", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-15T08:59:29Z", "date_updated": "2026-11-19T19:30:40Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOe132abf4c9ef4f27baef3717f207b8cb"}','2026-11-19 19:30:41.414619',NULL),
('FO2521932777284e45b991b24435bfb2c7','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Rückrufwunsch Bern (SMS)','ruckrufwunsch bern (sms)','sms','+41315550100','+41315550100',0,'studio','2026-11-24 05:04:09','2026-11-24 05:04:09','{"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FO2521932777284e45b991b24435bfb2c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00fcckrufwunsch Bern (SMS)", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+41315550100", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T05:04:09Z", "date_updated": "2026-11-24T05:04:09Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO2521932777284e45b991b24435bfb2c7"}','2026-11-24 05:04:10.172716',NULL),
('FO36c383ee62e048adbd75aa64a7e5e85b','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','test (delete me)','test (delete me)','web','','',0,'external','2026-11-24 10:58:27','2026-11-24 10:58:27','{"integration_url": "https://hooks.example.com/pilot", "integration_retry_count": 3, "sid": "FO36c383ee62e048adbd75aa64a7e5e85b", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "test (delete me)", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": null, "enabled": false, "integration_type": "external", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T10:58:27Z", "date_updated": "2026-11-24T10:58:27Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO36c383ee62e048adbd75aa64a7e5e85b"}','2026-11-24 10:58:28.370249',NULL),
('FOc1066932f4767f26294365b2721dea3b','AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','Averías A Coruña web chat','averias a coruna web chat','web','','',1,'task','2025-06-07 19:03:18','2026-08-22 10:21:55','{"integration_workspace_sid": "WSe8624fab5186ee32ee8d7ee9770348a0", "integration_workflow_sid": "WWfec3f6b32e8d4b8a8f54f8ceacaab39e", "integration_channel": "sms", "integration_timeout": 1800, "integration_priority": 10, "sid": "FOc1066932f4767f26294365b2721dea3b", "account_sid": "AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e", "friendly_name": "Aver\u00edas A Coru\u00f1a web chat", "chat_service_sid": "IScf1822ffbc6887782b491044d5e34124", "channel_type": "web", "contact_identity": null, "enabled": true, "integration_type": "task", "long_lived": false, "janitor_enabled": false, "date_created": "2025-06-07T19:03:18Z", "date_updated": "2026-08-22T10:21:55Z", "url": "http://127.0.0.1:33011/v1/FlexFlows/FOc1066932f4767f26294365b2721dea3b"}','2026-11-24 21:51:22.361922',NULL),
('FO02a6bbcf03c64fe8afdcdb00c2b38a6d','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Réclamations Łódź “VIP”','reclamations lodz “vip”','whatsapp','whatsapp:+48425550100','whatsapp:+48425550100',0,'external','2026-11-24 22:17:52','2026-11-24 22:52:10','{"integration_url": "https://masked-24d5f8@hooks.example.com/in?team=care&token=masked-9fd4a6", "integration_retry_count": 3, "sid": "FO02a6bbcf03c64fe8afdcdb00c2b38a6d", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00e9clamations \u0141\u00f3d\u017a \u201cVIP\u201d", "chat_service_sid": "IS22222222222222222222222222222222", "channel_type": "whatsapp", "contact_identity": "whatsapp:+48425550100", "enabled": false, "integration_type": "external", "long_lived": false, "janitor_enabled": true, "date_created": "2026-11-24T22:17:52Z", "date_updated": "2026-11-24T22:52:10Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO02a6bbcf03c64fe8afdcdb00c2b38a6d"}','2026-11-24 22:52:11.133922',NULL),
('FO09a6507ebd044261a2e289921f9a8c09','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Hotline Aachen','hotline aachen','web','hotline-aachen','hotline-aachen',0,'studio','2026-11-24 22:26:55','2026-11-24 22:52:09','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO09a6507ebd044261a2e289921f9a8c09", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Aachen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-aachen", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:52:09Z", "flavour": "odd", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO09a6507ebd044261a2e289921f9a8c09"}','2026-11-24 22:52:09.763922',NULL),
('FO5d9f55fe39e74592b4cbc2ded3b105f3','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Hotline Düren','hotline duren','web','hotline-düren','hotline-duren',1,'studio','2026-11-24 22:26:55','2026-11-24 22:26:55','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO5d9f55fe39e74592b4cbc2ded3b105f3", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline D\u00fcren", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-d\u00fcren", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO5d9f55fe39e74592b4cbc2ded3b105f3"}','2026-11-24 22:26:57.433922',NULL),
('FO6eb8a43acebc4c95ab747640e702a304','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Hotline Celle','hotline celle','web','hotline-celle','hotline-celle',1,'studio','2026-11-24 22:26:55','2026-11-24 22:26:55','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FO6eb8a43acebc4c95ab747640e702a304", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Celle", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-celle", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:26:55Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO6eb8a43acebc4c95ab747640e702a304"}','2026-11-24 22:26:57.433922',NULL),
('FOcc79a67e9252484aa16f86d7c03790c4','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Hotline Essen','hotline essen','web','hotline-essen','hotline-essen',1,'studio','2026-11-24 22:26:56','2026-11-24 22:26:56','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOcc79a67e9252484aa16f86d7c03790c4", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Essen", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-essen", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:56Z", "date_updated": "2026-11-24T22:26:56Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOcc79a67e9252484aa16f86d7c03790c4"}','2026-11-24 22:46:06.064922','2026-11-24 22:46:06.064922'),
('FOc6feaef88bb3400c88b18be1d60c9079','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','Hotline Bonn','hotline bonn','web','hotline-bonn','hotline-bonn',1,'studio','2026-11-24 22:26:55','2026-11-24 22:43:04','{"integration_flow_sid": "FW11111111111111111111111111111111", "integration_retry_count": 3, "sid": "FOc6feaef88bb3400c88b18be1d60c9079", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "Hotline Bonn", "chat_service_sid": "IS5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c", "channel_type": "web", "contact_identity": "hotline-bonn", "enabled": true, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T22:26:55Z", "date_updated": "2026-11-24T22:43:04Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FOc6feaef88bb3400c88b18be1d60c9079"}','2026-11-24 22:43:04.831922',NULL);
INSERT INTO "flows_flowentry" VALUES
(1,'FO6c0f3459f79b17aeefba91fc803468b6','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','citas medicas · ciudad de mexico sms (new team)','+14245550100','sms','task',0,'2026-11-24 01:39:16',NULL),
(2,'FOc541013d0326324dfb695ffb3a1890c7','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','aterkop - jonkoping (whatsapp)','whatsapp:+46313900600','whatsapp','studio',1,'2026-07-13 10:51:16','2026-11-23 04:13:39.376497'),
(3,'FO5fec898fbcfbb050acab1a6bc69d4bd8','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','storungsmeldung - dusseldorf (whatsapp)','whatsapp:+493023125000','whatsapp','task',1,'2026-11-24 10:58:26',NULL),
(4,'FOe132abf4c9ef4f27baef3717f207b8cb','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','weihnachtsaktion koln (sms) pilot','+4915550100999','sms','studio',0,'2026-11-19 19:30:40',NULL),
(5,'FO2521932777284e45b991b24435bfb2c7','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','ruckrufwunsch bern (sms)','+41315550100','sms','studio',0,'2026-11-24 05:04:09',NULL),
(6,'FO36c383ee62e048adbd75aa64a7e5e85b','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','test (delete me)','','web','external',0,'2026-11-24 10:58:27',NULL),
(7,'FOc1066932f4767f26294365b2721dea3b','AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','averias a coruna web chat','','web','task',1,'2026-08-22 10:21:55',NULL),
(9,'FO02a6bbcf03c64fe8afdcdb00c2b38a6d','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','reclamations lodz “vip”','whatsapp:+48425550100','whatsapp','external',0,'2026-11-24 22:52:10',NULL),
(10,'FO09a6507ebd044261a2e289921f9a8c09','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','hotline aachen','hotline-aachen','web','studio',0,'2026-11-24 22:52:09',NULL),
(11,'FO5d9f55fe39e74592b4cbc2ded3b105f3','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','hotline duren','hotline-duren','web','studio',1,'2026-11-24 22:26:55',NULL),
(12,'FO6eb8a43acebc4c95ab747640e702a304','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','hotline celle','hotline-celle','web','studio',1,'2026-11-24 22:26:55',NULL),
(13,'FOcc79a67e9252484aa16f86d7c03790c4','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','hotline essen','hotline-essen','web','studio',1,'2026-11-24 22:26:56','2026-11-24 22:46:06.064922'),
(14,'FOc6feaef88bb3400c88b18be1d60c9079','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','hotline bonn','hotline-bonn','web','studio',1,'2026-11-24 22:43:04',NULL);
INSERT INTO "flows_flowtally" VALUES
(1,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','sms','task','false',1),
(2,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','whatsapp','studio','true',0),
(3,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','whatsapp','task','true',1),
(4,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','sms','studio','false',2),
(5,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','whatsapp','studio','gone',1),
(7,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','web','external','false',1),
(8,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','web','task','true',1),
(9,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','sms','external','true',0),
(10,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','sms','external','gone',0),
(11,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','whatsapp','external','true',0),
(12,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','web','studio','true',3),
(17,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','web','studio','gone',1),
(18,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','web','studio','false',1),
(19,'AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','whatsapp','external','false',1);
INSERT INTO "flows_missingflow" VALUES
('FO6c0f3459f79b17aeefba91fc803468b6','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','2026-11-24 22:49:06.338922','2026-11-24 22:49:06.338922'),
('FO09a6507ebd044261a2e289921f9a8c09','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','2026-11-24 22:49:06.338922','2026-11-24 22:49:06.338922'),
('FO6eb8a43acebc4c95ab747640e702a304','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','2026-11-24 22:49:06.338922','2026-11-24 22:49:06.338922'),
('FO36c383ee62e048adbd75aa64a7e5e85b','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','2026-11-24 22:49:06.338922','2026-11-24 22:49:06.338922'),
('FOe132abf4c9ef4f27baef3717f207b8cb','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a','2026-11-24 22:49:06.338922','2026-11-24 22:49:06.338922');
INSERT INTO "flows_openchange" VALUES
('570dc1951c2442f9a98cb3a570ccec31','flow.update','FO2521932777284e45b991b24435bfb2c7',NULL,'Twilio has neither what was there before nor what was asked for: somebody else changed it since.','[]',25,26,0,'{"FO2521932777284e45b991b24435bfb2c7": {"integration_flow_sid": "FW05b6e6e307d4bedc51431193e6c3f339", "integration_retry_count": 3, "sid": "FO2521932777284e45b991b24435bfb2c7", "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", "friendly_name": "R\u00fcckrufwunsch Bern (SMS) 2", "chat_service_sid": "IScd613e30d8f16adf91b7584a2265b1f5", "channel_type": "sms", "contact_identity": "+41315550100", "enabled": false, "integration_type": "studio", "long_lived": false, "janitor_enabled": false, "date_created": "2026-11-24T05:04:09Z", "date_updated": "2026-11-24T10:58:29Z", "url": "http://127.0.0.1:36217/v1/FlexFlows/FO2521932777284e45b991b24435bfb2c7"}}','2026-11-24 10:58:30.699249'),
('986e86cb0ab84b67a26b7f62b1852f27','flow.update','FO6eb8a43acebc4c95ab747640e702a304',NULL,'','[]',85,85,0,'{}',NULL),
('73f778aaf6fa4db8a56abd72fb710734','flow.update','FO5d9f55fe39e74592b4cbc2ded3b105f3',NULL,'','[]',86,87,0,'{}',NULL);
INSERT INTO "flows_opendrift" VALUES
(12,'FOe132abf4c9ef4f27baef3717f207b8cb'),
(17,'FO5fec898fbcfbb050acab1a6bc69d4bd8'),
(24,'FO36c383ee62e048adbd75aa64a7e5e85b'),
(73,'FOcc79a67e9252484aa16f86d7c03790c4'),
(74,'FO5d9f55fe39e74592b4cbc2ded3b105f3'),
(75,'FO6eb8a43acebc4c95ab747640e702a304'),
(76,'FOc6feaef88bb3400c88b18be1d60c9079'),
(91,'FOcc79a67e9252484aa16f86d7c03790c4');
INSERT INTO "flows_plan" VALUES
('b6e3b5b0681d45bba959ba56f004d1cb','Turn off 2 flows in production','2026-11-24 22:52:07.434922','omar','Closed over the holidays','{"id": "2", "label": "omar", "role": "operator", "source_ip": "192.0.2.10", "user_agent": "Firefox", "request_id": null}','2026-11-24 22:52:07.571922',NULL,'2026-11-24 22:52:11.407922','',NULL,'2026-11-24 22:52:10.037922',NULL),
('87233fedddd14e3f8d9e7988bd2684a4','Roll back: Turn off 2 flows in production','2026-11-24 22:55:11.818922','ada','','{}',NULL,NULL,NULL,'',NULL,NULL,'b6e3b5b0681d45bba959ba56f004d1cb'),
('358f30ee51ae4817bc435b4045440dd7','Set the retry count of 2 flows in production to 2','2026-11-24 22:55:11.955922','ada','Retry less','{"id": "4", "label": "ada", "role": "admin", "source_ip": "192.0.2.10", "user_agent": "Firefox", "request_id": null}','2026-11-24 22:55:12.092922','2026-11-24 22:55:12.503922','2026-11-24 22:55:12.640922','Stopped.',NULL,'2026-11-24 22:55:12.092922',NULL),
('ca81bfbf428041a9985ffdeb1478a0ee','Import: change 1 flow, create 1 flow in production','2026-11-24 22:55:12.914922','omar','','{}',NULL,NULL,NULL,'',NULL,NULL,NULL),
('10c3d78b37d84d75aaf71084ed5fd28a','Turn on 2 flows in production','2026-11-24 22:55:13.051922','omar','Open again','{"id": "2", "label": "omar", "role": "operator", "source_ip": "192.0.2.10", "user_agent": "Firefox", "request_id": null}','2026-11-24 22:55:13.188922',NULL,NULL,'',NULL,'2026-11-24 22:55:13.188922',NULL);
INSERT INTO "flows_plannedchange" VALUES
(1,0,'4f451ebffbea4e8481d2e7cfbb518275','flow.update','FO09a6507ebd044261a2e289921f9a8c09','Hotline Aachen','{"enabled": true}','{"enabled": false}',NULL,NULL,'','2026-11-24 22:52:09.900922','b6e3b5b0681d45bba959ba56f004d1cb','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(2,1,'1a0423913cc244d9abb299fd2df42135','flow.update','FO6eb8a43acebc4c95ab747640e702a304','Hotline Celle','{}','{}',NULL,NULL,'Has an unresolved change.',NULL,'b6e3b5b0681d45bba959ba56f004d1cb','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(3,2,'01a34598dbb14b99ad61b09397b750dd','flow.update','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','Réclamations Łódź “VIP”','{"enabled": true}','{"enabled": false}',NULL,NULL,'','2026-11-24 22:52:11.270922','b6e3b5b0681d45bba959ba56f004d1cb','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(4,0,'19d66d618dea435086db8cc060645ade','flow.update','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','Réclamations Łódź “VIP”','{"enabled": false}','{"enabled": true}','3298647fde1a43f08fa9ce209b6ebf55',NULL,'',NULL,'87233fedddd14e3f8d9e7988bd2684a4','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(5,1,'789146eb52114995ba04157284c28cbb','flow.update','FO09a6507ebd044261a2e289921f9a8c09','Hotline Aachen','{"enabled": false}','{"enabled": true}','61c0c2073fe24453854fdeaf8f0cd32e',NULL,'',NULL,'87233fedddd14e3f8d9e7988bd2684a4','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(6,0,'bdb8af847f9f48ae8840cda4dc073331','flow.update','FO09a6507ebd044261a2e289921f9a8c09','Hotline Aachen','{"integration_retry_count": 3}','{"integration_retry_count": 2}',NULL,NULL,'',NULL,'358f30ee51ae4817bc435b4045440dd7','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(7,1,'af37783f4798446c8a860f3b937e073f','flow.update','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','Réclamations Łódź “VIP”','{"integration_retry_count": 3}','{"integration_retry_count": 2}',NULL,NULL,'',NULL,'358f30ee51ae4817bc435b4045440dd7','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(8,0,'d14a9db3060942f49cf4a09945293922','flow.create','','Neue Filiale Hof','{}','{"friendly_name": "Neue Filiale Hof", "channel_type": "web", "integration_type": "studio", "integration_flow_sid": "FW11111111111111111111111111111111", "chat_service_sid": "IS22222222222222222222222222222222"}',NULL,NULL,'',NULL,'ca81bfbf428041a9985ffdeb1478a0ee','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(9,1,'dbce842038f1488d96f1df9f6ed45ec0','flow.update','FO09a6507ebd044261a2e289921f9a8c09','Hotline Aachen','{"friendly_name": "Hotline Aachen"}','{"friendly_name": "Hotline Aachen (neu)"}',NULL,NULL,'',NULL,'ca81bfbf428041a9985ffdeb1478a0ee','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(10,2,'88d917ab9c8f41a7972bf41fa09a7a87','flow.update','FO99999999999999999999999999999999','','{}','{}',NULL,NULL,'Line 4: No flow with this SID has been synced. An entry without a SID creates a new flow.',NULL,'ca81bfbf428041a9985ffdeb1478a0ee',''),
(11,0,'e08ca2beb0a74f65ba71fd88f59bd927','flow.update','FO09a6507ebd044261a2e289921f9a8c09','Hotline Aachen','{"enabled": false}','{"enabled": true}',NULL,NULL,'',NULL,'10c3d78b37d84d75aaf71084ed5fd28a','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'),
(12,1,'9d49c075097a41fcb2c917ebb093798c','flow.update','FO02a6bbcf03c64fe8afdcdb00c2b38a6d','Réclamations Łódź “VIP”','{"enabled": false}','{"enabled": true}',NULL,NULL,'',NULL,'10c3d78b37d84d75aaf71084ed5fd28a','AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a');
INSERT INTO "flows_ratelimit" VALUES
(1,'AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e','list','[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1795643184.522]');
INSERT INTO "flows_savedview" VALUES
(1,'SMS in Lyon & elsewhere','q=r%C3%A9clamations&channel=sms&sort=updated',2),
(2,'Studio, off','integration=studio&enabled=false',3);
INSERT INTO "flows_syncstate" VALUES
('AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a',NULL,'2026-11-24 22:46:06.201922','2026-11-24 22:49:07.297922','Twilio''s list of flows leaves out flows that it still has',10,'2026-11-13 03:36:41.753443',0,0,5,''),
('AC0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e',NULL,'2026-11-24 22:55:14.969922','2026-11-24 22:55:15.517922','Twilio refused with status 403, code 20003',1,'2026-11-24 21:51:21.950922',0,0,0,'');
INSERT INTO "mfa_authenticator" VALUES
(1,'totp','{"secret": "gAAAAABrB1cyegrVTrShR68yk1El-cbjUnTPTxdrPcwAt6vzRomwyHZvcGtfvK6sOBAQbPqHWJccy9KzPbOTggHpbnTDgIFLYEM3joFFVAj-yCdJE2AozWMAjWJObYm3q6zJcyX1WGRK", "used_steps": [59854771, 59854772]}',2,'2026-11-25 21:46:26.304655','2026-11-24 22:11:36.883922'),
(2,'recovery_codes','{"seed": "gAAAAABrB1cyPu-yCDu8DOJXgs9kr5R_g2DjTKEQXrB1D58RPm6cv4F3wyF_sG09rTfesfUDp224PwQPgT6Igi1jiuHYBwlkTEGbscQmPYPL-9Hefq7Y9mjFSAg7MkRk6nN2pdrB06WJ673UpHhlzEeNy2aChIIrrhOuuL5vd_rGiAsCyE9lB4W5HWuV8YX7gQMy_akhlrUv", "used_mask": 0}',2,'2026-11-25 21:46:26.311381',NULL);
INSERT INTO "socialaccount_socialaccount" VALUES
(1,'oidc','https://id.example.com 7f3a','2026-11-24 22:11:41.815922','2026-11-24 22:11:41.952922',7,'{"userinfo": {"sub": "7f3a", "preferred_username": "nina"}, "id_token": {"sub": "7f3a", "preferred_username": "nina", "iss": "https://id.example.com", "aud": "flexadmin", "iat": 1795643187, "exp": 1795643247}}');
INSERT INTO "usersessions_usersession" VALUES
(1,'2026-11-25 21:46:24.336690','192.0.2.20','2026-11-25 21:46:24.336705','jxr1cus9icdv5t0hg6773lsvric9d1my','Firefox','{}',4),
(4,'2026-11-25 21:46:25.729592','192.0.2.22','2026-11-25 21:46:25.729605','ngciz18p9qqnddjal56ct6z3imbg2oyf','Firefox','{}',2),
(6,'2026-11-25 21:46:27.411652','192.0.2.25','2026-11-25 21:46:27.411667','myzvh9qs2taqp0m9xtr6ctdoguc37yk3','Firefox','{}',7),
(8,'2026-11-25 21:46:27.891955','192.0.2.26','2026-11-25 21:46:27.891969','7gfk68gptjmryevij87izurg8sfeni0m','Firefox','{}',1),
(9,'2026-11-25 21:46:28.285077','192.0.2.23','2026-11-25 21:46:28.285090','47x2bqp0m3x673696e4clui8e8hhzrrc','Firefox','{}',3);
INSERT INTO "sqlite_sequence" VALUES
('account_emailaddress',0),
('auth_group',5),
('auth_group_permissions',18),
('auth_permission',143),
('auth_user',10),
('auth_user_groups',8),
('auth_user_user_permissions',2),
('django_content_type',36),
('django_migrations',75),
('flexadmin_accountrole',2),
('flexadmin_signintry',18),
('flows_closure',4),
('flows_flowentry',14),
('flows_flowtally',19),
('flows_plannedchange',12),
('flows_ratelimit',1),
('flows_savedview',2),
('mfa_authenticator',4),
('socialaccount_socialaccount',2),
('socialaccount_socialapp',0),
('socialaccount_socialtoken',0),
('usersessions_usersession',9);
CREATE INDEX "account_emailaddress_email_03be32b2" ON "account_emailaddress" ("email");
CREATE INDEX "account_emailaddress_user_id_2c513194" ON "account_emailaddress" ("user_id");
CREATE UNIQUE INDEX "account_emailaddress_user_id_email_987c8728_uniq" ON "account_emailaddress" ("user_id", "email");
CREATE INDEX "account_emailconfirmation_email_address_id_5b7f8c58" ON "account_emailconfirmation" ("email_address_id");
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");
CREATE INDEX "auth_user_groups_group_id_97559544" ON "auth_user_groups" ("group_id");
CREATE INDEX "auth_user_groups_user_id_6a12ed8b" ON "auth_user_groups" ("user_id");
CREATE UNIQUE INDEX "auth_user_groups_user_id_group_id_94350c0c_uniq" ON "auth_user_groups" ("user_id", "group_id");
CREATE INDEX "auth_user_user_permissions_permission_id_1fbb5f2c" ON "auth_user_user_permissions" ("permission_id");
CREATE INDEX "auth_user_user_permissions_user_id_a95ead1b" ON "auth_user_user_permissions" ("user_id");
CREATE UNIQUE INDEX "auth_user_user_permissions_user_id_permission_id_14a6b632_uniq" ON "auth_user_user_permissions" ("user_id", "permission_id");
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
CREATE INDEX "django_task_backend_071754_idx" ON "django_tasks_database_dbtaskresult" ("backend_name");
CREATE INDEX "django_task_queue_n_99c321_idx" ON "django_tasks_database_dbtaskresult" ("queue_name");
CREATE INDEX "entry_gone" ON "flows_flowentry" ("gone_at") WHERE "gone_at" IS NOT NULL;
CREATE INDEX "entry_identity" ON "flows_flowentry" ("identity_folded", "sid", "gone_at") WHERE "gone_at" IS NULL;
CREATE INDEX "entry_name" ON "flows_flowentry" ("name_folded", "sid", "account_sid", "channel_type", "integration_type", "enabled", "gone_at") WHERE "gone_at" IS NULL;
CREATE INDEX "entry_updated" ON "flows_flowentry" ("date_updated", "name_folded", "sid", "gone_at") WHERE "gone_at" IS NULL;
CREATE INDEX "event_action" ON "flows_auditevent" ("action", "seq" DESC);
CREATE INDEX "event_change" ON "flows_auditevent" ("change_id", "stage");
CREATE INDEX "event_refers_to" ON "flows_auditevent" ("refers_to") WHERE "refers_to" IS NOT NULL;
CREATE INDEX "event_remote_request" ON "flows_auditevent" ("remote_request_id");
CREATE INDEX "event_request" ON "flows_auditevent" ("request_id", "seq");
CREATE INDEX "event_target" ON "flows_auditevent" ("target_sid", "seq" DESC);
CREATE INDEX "flexadmin_accountrole_person_id_7acb0e2d" ON "flexadmin_accountrole" ("person_id");
CREATE INDEX "flexadmin_accountrole_role_id_1a4e7422" ON "flexadmin_accountrole" ("role_id");
CREATE INDEX "flexadmin_cache_expires" ON "flexadmin_cache" ("expires");
CREATE INDEX "flow_identity" ON "flows_flow" ("channel_type", "contact_identity");
CREATE INDEX "flow_name" ON "flows_flow" ("name_folded", "sid");
CREATE INDEX "flow_updated" ON "flows_flow" ("date_updated" DESC, "sid");
CREATE INDEX "flows_flow_account_sid_10b32baa" ON "flows_flow" ("account_sid");
CREATE INDEX "flows_missingflow_account_sid_88e7ac94" ON "flows_missingflow" ("account_sid");
CREATE INDEX "flows_openchange_latest_id_62feaa3e" ON "flows_openchange" ("latest_id");
CREATE INDEX "flows_openchange_target_sid_690c2496" ON "flows_openchange" ("target_sid");
CREATE INDEX "flows_opendrift_target_sid_12135193" ON "flows_opendrift" ("target_sid");
CREATE INDEX "flows_plan_undoes_id_c637b724" ON "flows_plan" ("undoes_id");
CREATE INDEX "flows_plannedchange_plan_id_24b842db" ON "flows_plannedchange" ("plan_id");
CREATE INDEX "flows_savedview_person_id_d77c8eaa" ON "flows_savedview" ("person_id");
CREATE INDEX "log_account" ON "flows_auditentry" ("account_sid", "seq" DESC);
CREATE INDEX "log_account_action" ON "flows_auditentry" ("account_sid", "action", "seq" DESC);
CREATE INDEX "log_account_actor" ON "flows_auditentry" ("account_sid", "actor_label", "seq" DESC);
CREATE INDEX "log_account_result" ON "flows_auditentry" ("account_sid", "result", "seq" DESC);
CREATE INDEX "log_action" ON "flows_auditentry" ("action", "seq" DESC);
CREATE INDEX "log_actor" ON "flows_auditentry" ("actor_label", "seq" DESC);
CREATE INDEX "log_request" ON "flows_auditentry" ("request_id", "seq" DESC);
CREATE INDEX "log_resolved" ON "flows_auditentry" ("seq" DESC, "resolved_by") WHERE "resolved_by" IS NOT NULL;
CREATE INDEX "log_resolver" ON "flows_auditentry" ("resolved_by", "seq" DESC) WHERE "resolved_by" IS NOT NULL;
CREATE INDEX "log_result" ON "flows_auditentry" ("result", "seq" DESC);
CREATE INDEX "log_target" ON "flows_auditentry" ("target_sid", "seq" DESC);
CREATE INDEX "mfa_authenticator_user_id_0c3a50c0" ON "mfa_authenticator" ("user_id");
CREATE UNIQUE INDEX "one_event_per_stage" ON "flows_auditevent" ("change_id", "stage") WHERE "stage" IN ('attempt', 'outcome', 'reconciled');
CREATE INDEX "planned_target" ON "flows_plannedchange" ("target_sid");
CREATE UNIQUE INDEX "socialaccount_socialaccount_provider_uid_fc810c6e_uniq" ON "socialaccount_socialaccount" ("provider", "uid");
CREATE INDEX "socialaccount_socialaccount_user_id_8146e70c" ON "socialaccount_socialaccount" ("user_id");
CREATE INDEX "socialaccount_socialtoken_account_id_951f210e" ON "socialaccount_socialtoken" ("account_id");
CREATE INDEX "socialaccount_socialtoken_app_id_636a42d7" ON "socialaccount_socialtoken" ("app_id");
CREATE UNIQUE INDEX "socialaccount_socialtoken_app_id_account_id_fca4e0ac_uniq" ON "socialaccount_socialtoken" ("app_id", "account_id");
CREATE INDEX "tasks_db_new_ordering_idx" ON "django_tasks_database_dbtaskresult" ("status", "priority" DESC, "run_after" ASC, "enqueued_at" ASC) WHERE "status" = 'READY';
CREATE INDEX "try_at" ON "flexadmin_signintry" ("at");
CREATE INDEX "try_name" ON "flexadmin_signintry" ("name_hash");
CREATE INDEX "try_pair" ON "flexadmin_signintry" ("address", "name_hash");
CREATE UNIQUE INDEX "unique_authenticator_type" ON "mfa_authenticator" ("user_id", "type") WHERE "type" IN ('totp', 'recovery_codes');
CREATE UNIQUE INDEX "unique_primary_email" ON "account_emailaddress" ("user_id", "primary") WHERE "primary";
CREATE INDEX "usersessions_usersession_user_id_af5e0a6d" ON "usersessions_usersession" ("user_id");
CREATE VIRTUAL TABLE flow_trigram USING fts5(name_folded, identity_folded, content='flows_flowentry', content_rowid='id', tokenize='trigram');
INSERT INTO flow_trigram (flow_trigram) VALUES ('rebuild');
CREATE TRIGGER audit_days AFTER INSERT ON flows_auditevent BEGIN INSERT INTO flows_auditday (day, first, last) VALUES (date(NEW.at), NEW.seq, NEW.seq) ON CONFLICT (day) DO UPDATE SET first = min(flows_auditday.first, excluded.first), last = max(flows_auditday.last, excluded.last); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON flows_auditevent BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON flows_auditevent WHEN EXISTS (
        SELECT 1 FROM flows_auditevent WHERE rowid = NEW.rowid OR seq = NEW.seq OR event_id = NEW.event_id OR hash = NEW.hash
        OR (change_id = NEW.change_id AND stage = NEW.stage AND stage IN ('attempt', 'outcome', 'reconciled'))) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON flows_auditevent BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER flow_tally_delete AFTER DELETE ON flows_flow BEGIN UPDATE flows_flowtally SET flows = flows - 1 WHERE (account_sid, channel_type, integration_type, state) = (old.account_sid, old.channel_type, old.integration_type, CASE WHEN old.gone_at IS NOT NULL THEN 'gone' WHEN old.enabled IS NULL THEN 'unset' WHEN old.enabled THEN 'true' ELSE 'false' END); END;
CREATE TRIGGER flow_tally_insert AFTER INSERT ON flows_flow BEGIN INSERT INTO flows_flowtally (account_sid, channel_type, integration_type, state, flows) VALUES (new.account_sid, new.channel_type, new.integration_type, CASE WHEN new.gone_at IS NOT NULL THEN 'gone' WHEN new.enabled IS NULL THEN 'unset' WHEN new.enabled THEN 'true' ELSE 'false' END, 1) ON CONFLICT (account_sid, channel_type, integration_type, state) DO UPDATE SET flows = flows + 1; END;
CREATE TRIGGER flow_tally_update AFTER UPDATE ON flows_flow WHEN (old.account_sid, old.channel_type, old.integration_type, CASE WHEN old.gone_at IS NOT NULL THEN 'gone' WHEN old.enabled IS NULL THEN 'unset' WHEN old.enabled THEN 'true' ELSE 'false' END) IS NOT (new.account_sid, new.channel_type, new.integration_type, CASE WHEN new.gone_at IS NOT NULL THEN 'gone' WHEN new.enabled IS NULL THEN 'unset' WHEN new.enabled THEN 'true' ELSE 'false' END) BEGIN UPDATE flows_flowtally SET flows = flows - 1 WHERE (account_sid, channel_type, integration_type, state) = (old.account_sid, old.channel_type, old.integration_type, CASE WHEN old.gone_at IS NOT NULL THEN 'gone' WHEN old.enabled IS NULL THEN 'unset' WHEN old.enabled THEN 'true' ELSE 'false' END); INSERT INTO flows_flowtally (account_sid, channel_type, integration_type, state, flows) VALUES (new.account_sid, new.channel_type, new.integration_type, CASE WHEN new.gone_at IS NOT NULL THEN 'gone' WHEN new.enabled IS NULL THEN 'unset' WHEN new.enabled THEN 'true' ELSE 'false' END, 1) ON CONFLICT (account_sid, channel_type, integration_type, state) DO UPDATE SET flows = flows + 1; END;
CREATE TRIGGER narrow_delete AFTER delete ON flows_flow BEGIN DELETE FROM flows_flowentry WHERE sid = old.sid; END;
CREATE TRIGGER narrow_insert AFTER insert ON flows_flow BEGIN INSERT INTO flows_flowentry (sid, account_sid, name_folded, identity_folded, channel_type, integration_type, enabled, date_updated, gone_at) VALUES (new.sid, new.account_sid, new.name_folded, new.identity_folded, new.channel_type, new.integration_type, new.enabled, new.date_updated, new.gone_at); END;
CREATE TRIGGER narrow_update AFTER update ON flows_flow WHEN (old.sid, old.account_sid, old.name_folded, old.identity_folded, old.channel_type, old.integration_type, old.enabled, old.date_updated, old.gone_at) IS NOT (new.sid, new.account_sid, new.name_folded, new.identity_folded, new.channel_type, new.integration_type, new.enabled, new.date_updated, new.gone_at) BEGIN UPDATE flows_flowentry SET (sid, account_sid, name_folded, identity_folded, channel_type, integration_type, enabled, date_updated, gone_at) = (new.sid, new.account_sid, new.name_folded, new.identity_folded, new.channel_type, new.integration_type, new.enabled, new.date_updated, new.gone_at) WHERE sid = old.sid; END;
CREATE TRIGGER trigram_delete AFTER DELETE ON flows_flowentry BEGIN INSERT INTO flow_trigram (flow_trigram, rowid, name_folded, identity_folded) VALUES ('delete', old.id, old.name_folded, old.identity_folded); END;
CREATE TRIGGER trigram_insert AFTER INSERT ON flows_flowentry BEGIN INSERT INTO flow_trigram (rowid, name_folded, identity_folded) VALUES (new.id, new.name_folded, new.identity_folded); END;
CREATE TRIGGER trigram_update AFTER UPDATE OF id, name_folded, identity_folded ON flows_flowentry BEGIN INSERT INTO flow_trigram (flow_trigram, rowid, name_folded, identity_folded) VALUES ('delete', old.id, old.name_folded, old.identity_folded); INSERT INTO flow_trigram (rowid, name_folded, identity_folded) VALUES (new.id, new.name_folded, new.identity_folded); END;
COMMIT;
