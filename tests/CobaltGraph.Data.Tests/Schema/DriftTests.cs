using CobaltGraph.Data.Schema;
using CobaltGraph.Data.Schema.Catalog;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

// Each mutant is made in a transaction of one database, compared and rolled back.
public class DriftTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private const string Month = "{month}";

    // What is done, the object that must be named, and what of it; null when the object itself is missing or too many.
    private static readonly (string Sql, string Object, string? Property)[] Mutants =
    [
        ("DROP INDEX ix_devices_status", "index devices.ix_devices_status", null),
        ("DROP INDEX ix_connections_dst_ip_timestamp", "index connections.ix_connections_dst_ip_timestamp", null),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_devices_status'::regclass", "index devices.ix_devices_status", "state"),
        ("UPDATE pg_index SET indisready = false WHERE indexrelid = 'ix_devices_status'::regclass", "index devices.ix_devices_status", "state"),
        ("DROP INDEX ix_devices_status; CREATE INDEX ix_devices_status ON devices (status DESC)", "index devices.ix_devices_status", "definition"),
        ("DROP INDEX ix_devices_status; CREATE UNIQUE INDEX ix_devices_status ON devices (status)", "index devices.ix_devices_status", "definition"),
        ("CREATE INDEX extra ON devices (vendor)", "index devices.extra", null),
        ($"CREATE INDEX extra ON {Month} (dst_port)", $"index {Month}.extra", null),
        ($"CREATE INDEX c ON ONLY connections (dst_port); DROP INDEX c; DELETE FROM pg_inherits WHERE inhrelid = '{Month}_src_mac_timestamp_idx'::regclass", $"index {Month}.ix_connections_src_mac_timestamp", null),
        ("ALTER INDEX ix_devices_status SET (fillfactor = 50)", "index devices.ix_devices_status", "definition"),
        ("ALTER INDEX ix_devices_status RENAME TO other", "index devices.other", null),

        ("CREATE OR REPLACE FUNCTION threat_threshold() RETURNS real LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS 'SELECT 9::real'", "function threat_threshold()", "body"),
        ("ALTER FUNCTION threat_threshold() VOLATILE", "function threat_threshold()", "volatility"),
        ("ALTER FUNCTION connections_count() SECURITY INVOKER", "function connections_count()", "security"),
        ("ALTER FUNCTION threat_threshold() SECURITY DEFINER", "function threat_threshold()", "security"),
        ("ALTER FUNCTION connections_count() SET search_path TO public", "function connections_count()", "settings"),
        ("ALTER FUNCTION connections_count() RESET search_path", "function connections_count()", "settings"),
        ("ALTER FUNCTION connections_count() SET work_mem TO '1GB'", "function connections_count()", "settings"),
        ("ALTER FUNCTION threat_threshold() STRICT", "function threat_threshold()", "on null"),
        ("ALTER FUNCTION threat_threshold() COST 77", "function threat_threshold()", "cost"),
        ("ALTER FUNCTION threat_threshold() LEAKPROOF", "function threat_threshold()", "leakproof"),
        ("ALTER FUNCTION connections_count() PARALLEL SAFE", "function connections_count()", "parallel"),
        ("ALTER FUNCTION connections_count() OWNER TO stranger", "function connections_count()", "owner"),
        ("GRANT EXECUTE ON FUNCTION connections_count() TO PUBLIC", "function connections_count()", "grants to PUBLIC"),
        ("REVOKE EXECUTE ON FUNCTION threat_threshold() FROM PUBLIC", "function threat_threshold()", "grants to PUBLIC"),
        ("GRANT EXECUTE ON FUNCTION sweep_device_status(timestamptz) TO stranger WITH GRANT OPTION", "function sweep_device_status(timestamp with time zone)", "grants to stranger"),
        ("COMMENT ON FUNCTION threat_threshold() IS NULL", "function threat_threshold()", "comment"),
        ("DROP FUNCTION sweep_device_status(timestamptz)", "function sweep_device_status(timestamp with time zone)", null),
        ("CREATE FUNCTION extra() RETURNS void LANGUAGE sql AS ''", "function extra()", null),
        ("CREATE FUNCTION threat_threshold(integer) RETURNS real LANGUAGE sql AS 'SELECT 1::real'", "function threat_threshold(integer)", null),
        ("CREATE PROCEDURE extra() LANGUAGE sql AS ''", "procedure extra()", null),
        ("CREATE AGGREGATE extra(integer) (sfunc = int4pl, stype = integer)", "aggregate extra(integer)", null),
        ("CREATE FUNCTION never(macaddr, text) RETURNS boolean LANGUAGE sql AS 'SELECT false'; CREATE OPERATOR = (leftarg = macaddr, rightarg = text, function = never)", "operator =(macaddr,text)", null),

        ("ALTER TABLE connections DISABLE TRIGGER connections_count", "trigger connections.connections_count", "state"),
        ("ALTER TABLE connections ENABLE REPLICA TRIGGER connections_count", "trigger connections.connections_count", "state"),
        ("ALTER TABLE connections ENABLE ALWAYS TRIGGER connections_count", "trigger connections.connections_count", "state"),
        ("ALTER TABLE device_events DISABLE TRIGGER ALL", "trigger device_events.device_events_refuse_change", "state"),
        ("ALTER TABLE device_destinations DISABLE TRIGGER ALL", "constraint trigger device_destinations.fk_device_destinations_devices_src_mac \"RI_FKey_check_ins\"", "state"),
        ($"ALTER TABLE {Month} DISABLE TRIGGER ALL", $"constraint trigger {Month}.fk_connections_devices_src_mac \"RI_FKey_check_ins\"", "state"),
        ("DROP TRIGGER devices_log_update ON devices", "trigger devices.devices_log_update", null),
        ("CREATE TRIGGER extra AFTER INSERT ON connections FOR EACH STATEMENT EXECUTE FUNCTION devices_log_truncate()", "trigger connections.extra", null),
        ("CREATE TRIGGER extra AFTER INSERT ON connections FOR EACH ROW EXECUTE FUNCTION devices_log_truncate()", "trigger connections.extra", null),
        ($"CREATE TRIGGER extra BEFORE INSERT ON {Month} FOR EACH ROW EXECUTE FUNCTION devices_keep_times()", $"trigger {Month}.extra", null),
        ("CREATE TRIGGER extra BEFORE INSERT ON connections_default FOR EACH ROW EXECUTE FUNCTION devices_keep_times()", "trigger connections_default.extra", null),
        ("DROP TRIGGER devices_log_delete ON devices; CREATE TRIGGER devices_log_delete AFTER DELETE ON devices REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION devices_log_delete()", "trigger devices.devices_log_delete", "definition"),

        ("ALTER TABLE device_sightings ALTER COLUMN source TYPE varchar(999)", "column device_sightings.source", "type"),
        ("ALTER TABLE connections ALTER COLUMN dst_org TYPE text", "column connections.dst_org", "type"),
        ("ALTER TABLE devices ALTER COLUMN status SET DEFAULT 'active'", "column devices.status", "default"),
        ("ALTER TABLE devices ALTER COLUMN first_seen DROP DEFAULT", "column devices.first_seen", "default"),
        ("ALTER TABLE devices ALTER COLUMN status DROP NOT NULL", "column devices.status", "null"),
        ("ALTER TABLE devices ALTER COLUMN vendor SET NOT NULL", "column devices.vendor", "null"),
        ($"ALTER TABLE {Month} ALTER COLUMN threat_score SET DEFAULT 1", $"column {Month}.threat_score", "default"),
        ("ALTER TABLE devices ALTER COLUMN metadata SET STORAGE EXTERNAL", "column devices.metadata", "storage"),
        ("ALTER TABLE devices ALTER COLUMN status SET STATISTICS 7", "column devices.status", "statistics target"),
        ("ALTER TABLE devices ALTER COLUMN status SET (n_distinct = 4)", "column devices.status", "options"),
        ("ALTER TABLE devices DROP COLUMN is_locally_administered; ALTER TABLE devices ADD COLUMN is_locally_administered boolean NOT NULL DEFAULT false", "column devices.is_locally_administered", "generated"),
        ("ALTER TABLE device_events ALTER COLUMN old_value TYPE text COLLATE \"POSIX\"", "column device_events.old_value", "collation"),
        ("ALTER SEQUENCE device_events_id_seq OWNED BY NONE; ALTER TABLE device_events ALTER COLUMN id DROP DEFAULT; ALTER TABLE device_events ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY", "column device_events.id", "identity"),
        ("ALTER TABLE devices ADD COLUMN extra integer", "column devices.extra", null),
        ("ALTER TABLE devices DROP COLUMN hostname CASCADE", "column devices.hostname", null),
        ("COMMENT ON COLUMN devices.vendor IS 'else'", "column devices.vendor", "comment"),
        ("GRANT UPDATE (connection_count) ON devices TO stranger", "column devices.connection_count", "grants to stranger"),

        ("ALTER TABLE devices DROP CONSTRAINT ck_devices_status", "constraint devices.ck_devices_status", null),
        ("ALTER TABLE connections DROP CONSTRAINT ck_connections_timestamp", "constraint connections.ck_connections_timestamp", null),
        ("ALTER TABLE devices DROP CONSTRAINT ck_devices_status; ALTER TABLE devices ADD CONSTRAINT ck_devices_status CHECK (status IN ('discovered', 'active', 'idle', 'offline')) NOT VALID", "constraint devices.ck_devices_status", "definition"),
        ("ALTER TABLE devices DROP CONSTRAINT ck_devices_confidence_score; ALTER TABLE devices ADD CONSTRAINT ck_devices_confidence_score CHECK (confidence_score BETWEEN 0 AND 2)", "constraint devices.ck_devices_confidence_score", "definition"),
        ("ALTER TABLE devices ADD CONSTRAINT extra CHECK (hostname <> '')", "constraint devices.extra", null),
        ($"ALTER TABLE {Month} ADD CONSTRAINT extra CHECK (threat_score < 5)", $"constraint {Month}.extra", null),
        ("ALTER TABLE connections ALTER CONSTRAINT fk_connections_devices_src_mac NOT DEFERRABLE", "constraint connections.fk_connections_devices_src_mac", "definition"),
        ("ALTER TABLE connections ALTER CONSTRAINT fk_connections_devices_src_mac DEFERRABLE INITIALLY IMMEDIATE", "constraint connections.fk_connections_devices_src_mac", "definition"),
        ("ALTER TABLE device_destinations DROP CONSTRAINT fk_device_destinations_devices_src_mac", "constraint device_destinations.fk_device_destinations_devices_src_mac", null),
        ("ALTER TABLE device_destinations DROP CONSTRAINT fk_device_destinations_devices_src_mac; ALTER TABLE device_destinations ADD CONSTRAINT fk_device_destinations_devices_src_mac FOREIGN KEY (src_mac) REFERENCES devices", "constraint device_destinations.fk_device_destinations_devices_src_mac", "definition"),
        ("ALTER TABLE ingest_batches DROP CONSTRAINT pk_ingest_batches", "constraint ingest_batches.pk_ingest_batches", null),

        ("CREATE OR REPLACE VIEW active_devices AS SELECT mac_address, ip_address, vendor, device_type, hostname, last_seen, connection_count, threat_count, status FROM devices", "view active_devices", "query"),
        ("ALTER VIEW active_devices SET (security_barrier = true)", "view active_devices", "options"),
        ("DROP VIEW device_threats", "view device_threats", null),
        ("CREATE VIEW extra AS SELECT 1 AS one", "view extra", null),
        ("ALTER VIEW active_devices OWNER TO stranger", "view active_devices", "owner"),
        ("GRANT SELECT ON active_devices TO PUBLIC", "view active_devices", "grants to PUBLIC"),
        ("CREATE MATERIALIZED VIEW extra AS SELECT 1 AS one", "materialized view extra", null),

        ("ALTER TABLE devices OWNER TO stranger", "table devices", "owner"),
        ($"ALTER TABLE {Month} OWNER TO stranger", $"table {Month}", "owner"),
        ("ALTER SCHEMA public OWNER TO stranger", "schema \"public\"", "owner"),
        ("GRANT SELECT ON devices TO PUBLIC", "table devices", "grants to PUBLIC"),
        ("GRANT INSERT ON device_events TO stranger", "table device_events", "grants to stranger"),
        ($"GRANT SELECT ON {Month} TO stranger", $"table {Month}", "grants to stranger"),
        ("REVOKE DELETE ON devices FROM postgres", "table devices", "grants to its owner"),
        ("GRANT CREATE ON SCHEMA public TO stranger", "schema \"public\"", "grants to stranger"),
        ("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO stranger", "default privileges of \"postgres\" for tables", null),
        ("CREATE TABLE extra (id integer)", "table extra", null),
        ("DROP TABLE ingest_batches", "table ingest_batches", null),
        ("CREATE TABLE extra () INHERITS (devices)", "table extra", null),
        ("CREATE TABLE base (source text); ALTER TABLE ingest_batches INHERIT base", "table ingest_batches", "inherits"),
        ("ALTER TABLE devices SET (fillfactor = 100)", "table devices", "options"),
        ("ALTER TABLE devices SET (autovacuum_enabled = false)", "table devices", "options"),
        ("ALTER TABLE devices SET (toast.autovacuum_enabled = false)", "table devices", "options"),
        ("ALTER TABLE ingest_batches SET UNLOGGED", "table ingest_batches", "persistence"),
        ("ALTER TABLE devices REPLICA IDENTITY FULL", "table devices", "replica identity"),
        ("ALTER TABLE devices ENABLE ROW LEVEL SECURITY", "table devices", "row security"),
        ("ALTER TABLE devices FORCE ROW LEVEL SECURITY", "table devices", "row security"),
        ("CREATE POLICY extra ON devices USING (false)", "policy devices.extra", null),
        ("CREATE RULE extra AS ON INSERT TO ingest_batches DO INSTEAD NOTHING", "rule ingest_batches.extra", null),
        ("COMMENT ON TABLE devices IS NULL", "table devices", "comment"),
        ("COMMENT ON VIEW device_summary IS 'else'", "view device_summary", "comment"),

        ("ALTER SEQUENCE device_events_id_seq INCREMENT BY 2", "sequence device_events_id_seq", "increment"),
        ("ALTER SEQUENCE device_events_id_seq CYCLE", "sequence device_events_id_seq", "cycle"),
        ("ALTER SEQUENCE device_events_id_seq CACHE 5", "sequence device_events_id_seq", "cache"),
        ("ALTER SEQUENCE device_events_id_seq AS integer", "sequence device_events_id_seq", "type"),
        ("ALTER SEQUENCE device_events_id_seq OWNED BY NONE", "sequence device_events_id_seq", "owned by"),
        ("ALTER SEQUENCE device_events_id_seq OWNED BY NONE; ALTER SEQUENCE device_events_id_seq OWNER TO stranger", "sequence device_events_id_seq", "owner"),
        ("GRANT USAGE ON SEQUENCE connections_id_seq TO PUBLIC", "sequence connections_id_seq", "grants to PUBLIC"),
        ("CREATE SEQUENCE extra", "sequence extra", null),
        ("CREATE TYPE extra AS ENUM ('a')", "type extra", null),
        ("CREATE DOMAIN extra AS text", "type extra", null),

        ("ALTER TABLE connections DETACH PARTITION connections_default", "table connections_default", "partition of"),
        ("DROP TABLE connections_default", "table connections_default", null),
        ($"ALTER TABLE connections DETACH PARTITION {Month}", $"table {Month}", null),
        ("CREATE TABLE extra PARTITION OF connections FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2002-01-01 00:00+00')", "table extra", "bounds"),
        ("CREATE TABLE connections_y2001m01 PARTITION OF connections FOR VALUES FROM ('2001-01-01 05:00+00') TO ('2001-02-01 05:00+00')", "table connections_y2001m01", "bounds"),
        ("CREATE TABLE connections_y2001m02 PARTITION OF connections FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-02-01 00:00+00')", "table connections_y2001m02", "bounds"),
        ("CREATE TABLE connections_y2001m13 PARTITION OF connections FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-02-01 00:00+00')", "table connections_y2001m13", "bounds"),
        ("CREATE SCHEMA away; CREATE TABLE away.connections_y2001m01 PARTITION OF connections FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-02-01 00:00+00')", "table away.connections_y2001m01", null),
        ("CREATE UNLOGGED TABLE connections_y2001m01 PARTITION OF connections FOR VALUES FROM ('2001-01-01 00:00+00') TO ('2001-02-01 00:00+00')", "table connections_y2001m01", "persistence"),
    ];

    [Fact]
    public async Task Every_mutant_is_found_and_named_and_the_suggested_patch_mends_it()
    {
        var role = $"stranger_{Database.Name[^8..]}";
        await Run($"CREATE ROLE {role}");
        try
        {
            var proof = new SchemaProof(Database.DataSource);
            var fresh = await proof.RunAsync(Cancel);
            var month = fresh.Found.Objects.First(o => o.Partition is not null).Partition!;
            var version = (await Server.GetVersionAsync()).Major;
            await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);

            var failures = new List<string>();
            var byHand = 0;
            var tried = 0;
            foreach (var (sql, name, property) in Mutants)
            {
                tried++;
                var mutant = Fill(sql);
                await using var transaction = await connection.BeginTransactionAsync(Cancel);
                try
                {
                    await ExecuteAsync(mutant);
                    var found = await SchemaCatalog.ReadAsync(connection, "public", null, Cancel);
                    var differences = SchemaCatalog.Compare(fresh.Expected, fresh.Respelled, found);
                    var lines = differences.Select(d => $"{d.Kind} {d.Name} | {d.Property}: {d.Expected} / {d.Found}").ToList();
                    if (!differences.Any(d => $"{d.Kind} {d.Name}" == Fill(name) && d.Property == (property is null ? null : Fill(property))))
                        failures.Add($"not found: {mutant}\n    {string.Join("\n    ", lines.DefaultIfEmpty("(no difference)"))}");

                    var patch = SchemaPatch.Statements(fresh.Expected, found, differences).SelectMany(p => p.Statements).ToList();
                    if (patch.Exists(line => line.StartsWith("-- No", StringComparison.Ordinal) || line.Contains('…', StringComparison.Ordinal) || line.StartsWith("-- Detach", StringComparison.Ordinal)))
                    {
                        byHand++;
                        continue;
                    }

                    // Commented drops are run too: the mutant holds nothing that anyone wants to keep.
                    var run = string.Join('\n', patch.Select(line => line.StartsWith("-- ", StringComparison.Ordinal) && line.EndsWith(';') ? line[3..] : line));
                    await ExecuteAsync("SET CONSTRAINTS ALL IMMEDIATE;\n" + run);
                    var after = await SchemaCatalog.ReadAsync(connection, "public", null, Cancel);
                    // A column that was dropped comes back as the last one.
                    var left = SchemaCatalog.Compare(fresh.Expected, fresh.Respelled, after).Where(d => d.Property != "column order").ToList();
                    if (left.Count > 0)
                        failures.Add($"not mended: {mutant}\n{run}\n    {string.Join("\n    ", left.Select(d => $"{d.Kind} {d.Name} | {d.Property}: {d.Expected} / {d.Found}"))}");
                }
                catch (PostgresException e)
                {
                    failures.Add($"{mutant}\n    {e.SqlState} {e.MessageText} {e.Where}");
                }
                finally
                {
                    await transaction.RollbackAsync(Cancel);
                }
            }

            Assert.True(failures.Count == 0, $"{failures.Count} of {tried} on {version}\n{string.Join('\n', failures)}");
            Assert.InRange(tried, 60, int.MaxValue);
            Assert.InRange(byHand, 0, tried / 4);
            Assert.Empty((await proof.RunAsync(Cancel)).Differences);
            TestContext.Current.SendDiagnosticMessage("{0} mutants on PostgreSQL {1}, all found, {2} to mend by hand", tried, version, byHand);

            string Fill(string text)
                => text.Replace(Month, month, StringComparison.Ordinal).Replace("stranger", role, StringComparison.Ordinal);

            async Task ExecuteAsync(string sql)
            {
                await using var command = new NpgsqlCommand(sql, connection);
                await command.ExecuteNonQueryAsync(Cancel);
            }
        }
        finally
        {
            await Run($"DROP ROLE {role}");
        }
    }
}
