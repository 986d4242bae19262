using System.Data;
using Npgsql;

namespace CobaltGraph.Reliability.Audit;

/// <summary>What an audit of a whole database found.</summary>
/// <param name="Connections">Stored connections.</param>
/// <param name="Devices">Stored devices.</param>
/// <param name="Indexes">Indexes that were held against their tables; 0 where the server cannot, or was not asked to.</param>
/// <param name="Findings">What is wrong; empty when all is well.</param>
public sealed record AuditReport(long Connections, long Devices, int Indexes, IReadOnlyList<string> Findings);

/// <summary>Sums of one snapshot, which must be equal whenever it was taken.</summary>
/// <param name="Rows">Connections with a device.</param>
/// <param name="ByDevice">Sum of <c>devices.connection_count</c>.</param>
/// <param name="ByDestination">Sum of <c>device_destinations.connection_count</c>.</param>
/// <param name="ThreatRows">Threats with a device.</param>
/// <param name="ThreatsByDevice">Sum of <c>devices.threat_count</c>.</param>
/// <param name="ThreatsByDestination">Sum of <c>device_destinations.threat_count</c>.</param>
public sealed record SnapshotSums(
    long Rows, long ByDevice, long ByDestination, long ThreatRows, long ThreatsByDevice, long ThreatsByDestination)
{
    /// <summary>Whether they agree.</summary>
    public bool IsConsistent
        => Rows == ByDevice && Rows == ByDestination && ThreatRows == ThreatsByDevice && ThreatRows == ThreatsByDestination;
}

/// <summary>
/// Recomputes everything that is derived from connections from the raw rows, in one snapshot and by scanning the tables
/// from end to end, and compares. For databases whose devices nothing but connections made known, with rows that are
/// past by more than an hour.
/// </summary>
public static class DatabaseAudit
{
    private const int MaxFindings = 20;

    // The threshold of CONTRACT.md §2, rule 4, stands here once more on purpose.
    private static readonly (string What, string Sql)[] Checks =
    [
        ("device", """
            SELECT concat_ws(' ', coalesce(d.mac_address, c.mac), 'has',
                             (d.connection_count, d.threat_count, d.first_seen, d.last_seen, d.last_activity), 'and its rows give',
                             (c.connections, c.threats, c.first_at, c.last_at, c.last_at))
            FROM (SELECT src_mac AS mac, count(*) AS connections, count(*) FILTER (WHERE threat_score >= 7) AS threats,
                         min("timestamp") AS first_at, max("timestamp") AS last_at
                  FROM connections WHERE src_mac IS NOT NULL GROUP BY 1) AS c
            FULL JOIN devices AS d ON d.mac_address = c.mac
            WHERE (d.connection_count, d.threat_count, d.first_seen, d.last_seen, d.last_activity)
                  IS DISTINCT FROM (c.connections, c.threats, c.first_at, c.last_at, c.last_at)
            """),
        ("destination", """
            SELECT concat_ws(' ', coalesce(e.src_mac, c.mac), coalesce(e.dst_ip, c.ip), 'has',
                             (e.connection_count, e.threat_count, e.max_threat_score, e.first_seen, e.last_seen), 'and its rows give',
                             (c.connections, c.threats, c.score, c.first_at, c.last_at))
            FROM (SELECT src_mac AS mac, dst_ip AS ip, count(*) AS connections, count(*) FILTER (WHERE threat_score >= 7) AS threats,
                         max(threat_score) AS score, min("timestamp") AS first_at, max("timestamp") AS last_at
                  FROM connections WHERE src_mac IS NOT NULL GROUP BY 1, 2) AS c
            FULL JOIN device_destinations AS e ON e.src_mac = c.mac AND e.dst_ip = c.ip
            WHERE (e.connection_count, e.threat_count, e.max_threat_score, e.first_seen, e.last_seen)
                  IS DISTINCT FROM (c.connections, c.threats, c.score, c.first_at, c.last_at)
            """),
        ("device's threats", """
            SELECT concat_ws(' ', d.mac_address, 'has', (d.max_threat_score, d.last_threat, d.threat_score), 'and its rows give',
                             (c.score, c.last_threat, c.points))
            FROM (SELECT src_mac AS mac, max(threat_score) AS score, max("timestamp") FILTER (WHERE threat_score >= 7) AS last_threat,
                         coalesce(sum(threat_category_weight(threat_category)), 0) AS points
                  FROM connections WHERE src_mac IS NOT NULL GROUP BY 1) AS c
            JOIN devices AS d ON d.mac_address = c.mac
            WHERE (d.max_threat_score, d.last_threat, d.threat_score) IS DISTINCT FROM (c.score, c.last_threat, c.points)
            """),
        ("device's destinations", """
            SELECT concat_ws(' ', d.mac_address, 'has', (d.unique_destinations, d.last_connection), 'and its rows give',
                             (c.destinations, c.last_at))
            FROM (SELECT src_mac AS mac, count(DISTINCT dst_ip) AS destinations, max("timestamp") AS last_at
                  FROM connections WHERE src_mac IS NOT NULL GROUP BY 1) AS c
            JOIN devices AS d ON d.mac_address = c.mac
            WHERE (d.unique_destinations, d.last_connection) IS DISTINCT FROM (c.destinations, c.last_at)
            """),
        ("category", """
            SELECT concat_ws(' ', coalesce(k.src_mac, c.mac), coalesce(k.threat_category, c.category), 'has', k.connection_count, 'and its rows give', c.connections)
            FROM (SELECT src_mac AS mac, threat_category::text AS category, count(*) AS connections
                  FROM connections WHERE src_mac IS NOT NULL AND threat_category IS NOT NULL GROUP BY 1, 2) AS c
            FULL JOIN device_threat_counts AS k ON k.src_mac = c.mac AND k.threat_category::text = c.category
            WHERE k.connection_count IS DISTINCT FROM c.connections
            """),
        ("hour", """
            SELECT concat_ws(' ', coalesce(h.src_mac, c.mac), coalesce(h.hour, c.hour), 'has',
                             (h.connection_count, h.threat_count, h.max_threat_score, h.bytes_sent, h.bytes_received), 'and its rows give',
                             (c.connections, c.threats, c.score, c.sent, c.received))
            FROM (SELECT src_mac AS mac, date_trunc('hour', "timestamp", 'UTC') AS hour, count(*) AS connections,
                         count(*) FILTER (WHERE threat_score >= 7) AS threats, max(threat_score) AS score,
                         coalesce(sum(bytes_sent), 0) AS sent, coalesce(sum(bytes_received), 0) AS received
                  FROM connections WHERE src_mac IS NOT NULL GROUP BY 1, 2) AS c
            FULL JOIN device_activity_hourly AS h ON h.src_mac = c.mac AND h.hour = c.hour
            WHERE (h.connection_count, h.threat_count, h.max_threat_score, h.bytes_sent, h.bytes_received)
                  IS DISTINCT FROM (c.connections, c.threats, c.score, c.sent, c.received)
            """),
        ("address", """
            SELECT concat_ws(' ', coalesce(a.mac_address, c.mac), coalesce(a.ip_address, c.ip), 'has', (a.first_seen, a.last_seen, a.latest_connection), 'and its rows give', (c.first_at, c.last_at, c.last_at))
            FROM (SELECT mac, ip, min(at) AS first_at, max(at) AS last_at
                  FROM (SELECT mac, ip, at, count(*) FILTER (WHERE starts) OVER (PARTITION BY mac, ip ORDER BY at) AS island
                        FROM (SELECT src_mac AS mac, src_ip AS ip, "timestamp" AS at,
                                     "timestamp" > lag("timestamp") OVER (PARTITION BY src_mac, src_ip ORDER BY "timestamp") + interval '24 hours' AS starts
                              FROM connections WHERE src_mac IS NOT NULL AND src_ip IS NOT NULL) AS s) AS i
                  GROUP BY mac, ip, island) AS c
            FULL JOIN (SELECT * FROM device_addresses WHERE source = 'traffic') AS a
                   ON a.mac_address = c.mac AND a.ip_address = c.ip AND a.first_seen = c.first_at
            WHERE (a.first_seen, a.last_seen, a.latest_connection) IS DISTINCT FROM (c.first_at, c.last_at, c.last_at)
            """),
        ("said of a destination", """
            SELECT concat_ws(' ', coalesce(d.dst_ip, c.ip), coalesce(d.dst_port, c.port), coalesce(d.dst_hostname, c.hostname),
                             CASE WHEN c.ip IS NULL THEN 'was never said' ELSE 'is not known' END)
            FROM (SELECT DISTINCT dst_ip AS ip, dst_port AS port, coalesce(protocol, '') AS protocol, coalesce(dst_country, '') AS country,
                         coalesce(dst_org, '') AS org, coalesce(dst_hostname, '') AS hostname FROM connections) AS c
            FULL JOIN destinations AS d
                   ON d.dst_ip = c.ip AND d.dst_port = c.port AND d.protocol = c.protocol AND d.dst_country = c.country AND d.dst_org = c.org AND d.dst_hostname = c.hostname
            WHERE c.ip IS NULL OR d.dst_ip IS NULL
            """),
        ("discovered event", """
            SELECT concat_ws(' ', coalesce(c.mac, e.mac), 'has', coalesce(e.events, 0), 'and must have', CASE WHEN c.mac IS NULL THEN 0 ELSE 1 END)
            FROM (SELECT DISTINCT src_mac AS mac FROM connections WHERE src_mac IS NOT NULL) AS c
            FULL JOIN (SELECT device_mac AS mac, count(*) AS events FROM device_events WHERE event_type = 'discovered' GROUP BY 1) AS e
                   ON e.mac = c.mac
            WHERE c.mac IS NULL OR e.events IS DISTINCT FROM 1
            """),
        ("threat event", """
            SELECT concat_ws(' ', coalesce(c.mac, e.mac), coalesce(c.ip, e.ip), 'has', coalesce(e.events, 0), 'and must have',
                             CASE WHEN c.mac IS NULL THEN 0 ELSE 1 END)
            FROM (SELECT DISTINCT src_mac AS mac, abbrev(dst_ip) AS ip
                  FROM connections WHERE src_mac IS NOT NULL AND threat_score >= 7) AS c
            FULL JOIN (SELECT device_mac AS mac, new_value AS ip, count(*) AS events
                       FROM device_events WHERE event_type = 'threat_detected' GROUP BY 1, 2) AS e
                   ON e.mac = c.mac AND e.ip = c.ip
            WHERE c.mac IS NULL OR e.events IS DISTINCT FROM 1
            """),
        ("other event", """
            SELECT concat_ws(' ', device_mac, event_type, old_value, new_value)
            FROM device_events WHERE event_type NOT IN ('discovered', 'threat_detected')
            """),
        ("status", """
            SELECT concat_ws(' ', mac_address, status) FROM devices WHERE status::text <> 'discovered'
            """),
        ("ledger", """
            SELECT concat_ws(' ', source, batch_key, 'read', rows_read, 'stored', rows_stored, 'duplicate', rows_duplicate, 'rejected', rows_rejected)
            FROM ingest_batches WHERE rows_read <> rows_stored + rows_duplicate + rows_rejected
            """),
    ];

    /// <summary>Audits a database.</summary>
    /// <param name="dataSource">The database, as superuser.</param>
    /// <param name="everyRowByLedger">
    /// Whether all rows were stored under a key of the ledger, so that its counts must add up to the rows.
    /// </param>
    /// <param name="indexes">Whether every index is held against its table; after a server was killed, or it is not worth the time.</param>
    /// <param name="cancellationToken">Ends the audit.</param>
    public static async Task<AuditReport> RunAsync(
        NpgsqlDataSource dataSource, bool everyRowByLedger = false, bool indexes = true, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        var findings = new List<string>();
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        long connections, devices;
        await using (var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken))
        {
            // An index that lost an entry must not hide a row.
            await ExecuteAsync("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off");
            foreach (var (what, sql) in Checks)
                findings.AddRange((await TextsAsync(sql)).Select(text => $"{what}: {text}"));

            connections = await NumberAsync("SELECT count(*) FROM connections");
            devices = await NumberAsync("SELECT count(*) FROM devices");
            if (everyRowByLedger)
            {
                var stored = await NumberAsync("SELECT coalesce(sum(rows_stored), 0)::bigint FROM ingest_batches");
                if (stored != connections)
                    findings.Add($"ledger: its batches stored {stored} rows, and there are {connections}");
            }
        }

        return new AuditReport(connections, devices, indexes ? await CheckIndexesAsync() : 0, findings);

        async Task<int> CheckIndexesAsync()
        {
            if (await NumberAsync("SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'") == 0)
                return 0;
            await ExecuteAsync("CREATE EXTENSION IF NOT EXISTS amcheck");
            var names = await TextsAsync(
                """
                SELECT i.indexrelid::regclass::text
                FROM pg_index AS i
                JOIN pg_class AS c ON c.oid = i.indexrelid
                JOIN pg_am AS a ON a.oid = c.relam
                JOIN pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.relkind = 'i' AND a.amname = 'btree' AND n.nspname <> 'pg_toast' AND n.nspname <> 'information_schema'
                """,
                int.MaxValue);
            foreach (var name in names)
            {
                try
                {
                    await ExecuteAsync($"SELECT bt_index_check('{name.Replace("'", "''", StringComparison.Ordinal)}'::regclass, true)");
                }
                catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.IndexCorrupted or PostgresErrorCodes.DataCorrupted)
                {
                    findings.Add($"index: {name}: {e.MessageText}");
                    // Npgsql takes such an error for the end of the connection.
                    if (connection.State != ConnectionState.Open)
                        await connection.OpenAsync(cancellationToken);
                }
            }

            return names.Count;
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        async Task<long> NumberAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        }

        async Task<List<string>> TextsAsync(string sql, int most = MaxFindings)
        {
            await using var command = new NpgsqlCommand($"{sql} LIMIT {most}", connection);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var texts = new List<string>();
            while (await reader.ReadAsync(cancellationToken))
                texts.Add(reader.GetString(0));
            return texts;
        }
    }

    /// <summary>Takes the sums in one snapshot of several statements, while others write.</summary>
    /// <param name="connection">A connection without a transaction.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<SnapshotSums> SumAsync(NpgsqlConnection connection, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var devices = await PairAsync("SELECT coalesce(sum(connection_count), 0)::bigint, coalesce(sum(threat_count), 0)::bigint FROM devices");
        var rows = await PairAsync("SELECT count(*), count(*) FILTER (WHERE threat_score >= 7) FROM connections WHERE src_mac IS NOT NULL");
        var destinations = await PairAsync("SELECT coalesce(sum(connection_count), 0)::bigint, coalesce(sum(threat_count), 0)::bigint FROM device_destinations");
        await transaction.CommitAsync(cancellationToken);
        return new SnapshotSums(rows.First, devices.First, destinations.First, rows.Second, devices.Second, destinations.Second);

        async Task<(long First, long Second)> PairAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return (reader.GetInt64(0), reader.GetInt64(1));
        }
    }
}
