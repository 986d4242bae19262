using CobaltGraph.Data.Schema;
using Npgsql;

namespace CobaltGraph.Data.Adoption;

/// <summary>One adoption, in the transaction of its session. Nothing of it stays unless that is committed.</summary>
internal sealed class AdoptionRun(
    AdoptionSession session, OriginalDatabase original, int rowsPerPiece, Action<AdoptionProgress> progress)
{
    // Rough shares of the whole, so that a progress bar moves evenly.
    private const double SurveyShare = 0.1;
    private const double RowsShare = 0.45;
    private const double IndexesShare = 0.15;

    private readonly string _target = SqlText.Identifier(original.Target);
    private string _prefix = "";
    private string _macs = "";
    private string _edges = "";
    private long _copied;
    private long _total;

    public async Task<AdoptionReport> ExecuteAsync(CancellationToken cancellationToken)
    {
        progress(new(AdoptionStep.Survey, 0, 0));
        _prefix = await OldObjects.FindPrefixAsync(session, original, cancellationToken).ConfigureAwait(false);
        _macs = Ours(_prefix + "adoption_macs");
        _edges = Ours(_prefix + "adoption_edges");
        if (!original.TargetExists)
            await session.ExecuteAsync($"CREATE SCHEMA {_target}", cancellationToken).ConfigureAwait(false);

        var found = new AdoptionSql(original, table => Adopter.Qualify(original.Schema, table));
        await session.ExecuteAsync($"CREATE TABLE {_macs} AS {found.Macs}; ANALYZE {_macs}", cancellationToken).ConfigureAwait(false);
        var survey = await Adopter.SurveyAsync(
            session, original, found, $"WITH macs AS (SELECT * FROM {_macs})", cancellationToken).ConfigureAwait(false);
        _total = survey.Tables.Where(table => table.Name != OriginalTable.Devices).Sum(table => table.Rows);

        progress(new(AdoptionStep.Tables, 0, SurveyShare));
        await OldObjects.MoveAsideAsync(session, original, _prefix, cancellationToken).ConfigureAwait(false);
        var sql = new AdoptionSql(original, table => Adopter.Qualify(original.Schema, _prefix + table));
        await MigrateAsync("0", Adopter.First, cancellationToken).ConfigureAwait(false);
        foreach (var month in survey.Months)
        {
            await session.ExecuteAsync(
                $"SELECT {_target}.ensure_connection_partitions($1, $1)", cancellationToken, DateTime.SpecifyKind(month, DateTimeKind.Utc))
                .ConfigureAwait(false);
        }

        // The history is stored as it was: nothing of ours may write events for it, or count it row by row.
        await session.ExecuteAsync(Triggers("DISABLE"), cancellationToken).ConfigureAwait(false);
        await CopyAsync(sql, cancellationToken).ConfigureAwait(false);
        await DeriveAsync(sql, cancellationToken).ConfigureAwait(false);
        var setAside = await SetAsideAsync(sql, survey, cancellationToken).ConfigureAwait(false);
        await session.ExecuteAsync(Triggers("ENABLE"), cancellationToken).ConfigureAwait(false);
        await MigrateAsync(Adopter.First, null, cancellationToken).ConfigureAwait(false);
        await session.ExecuteAsync($"DROP TABLE {_macs}, {_edges}", cancellationToken).ConfigureAwait(false);
        await session.GrantAsync(original.Target, cancellationToken).ConfigureAwait(false);
        var stored = await CheckAsync(survey, cancellationToken).ConfigureAwait(false);

        progress(new(AdoptionStep.Commit, _copied, 1));
        return new(
            survey, stored,
            [.. original.TableNames.Select(table => Adopter.Qualify(original.Schema, _prefix + table))],
            setAside,
            TimeSpan.Zero);
    }

    private async Task MigrateAsync(string from, string? to, CancellationToken cancellationToken)
    {
        await session.ExecuteAsync(
            "SELECT set_config('search_path', $1, true)", cancellationToken,
            // The connection's path may name the schema only since a moment ago.
            session.SearchPath).ConfigureAwait(false);
        try
        {
            await session.ExecuteAsync(SchemaMigrator.PlainScript(from, to), cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateObject)
        {
            throw new AdoptionRefusedException(
                $"Schema {_target} has something of another program that is in the way: {e.MessageText}. " +
                "Rename it, or adopt into a schema of its own (Search Path=NAME,…). Nothing was changed.");
        }

        await session.ExecuteAsync("SET LOCAL search_path = pg_catalog", cancellationToken).ConfigureAwait(false);
    }

    private async Task CopyAsync(AdoptionSql sql, CancellationToken cancellationToken)
    {
        var connections = Ours("connections");
        var events = Ours("device_events");
        var edges = Ours("device_destinations");
        IReadOnlyList<string> keys =
        [
            .. await TakeKeysAsync(connections, cancellationToken).ConfigureAwait(false),
            .. await TakeKeysAsync(events, cancellationToken).ConfigureAwait(false),
            .. await TakeKeysAsync(edges, cancellationToken).ConfigureAwait(false),
        ];
        await CopyPiecesAsync(OriginalTable.Connections, sql, sql.CopyConnections(connections, _macs), cancellationToken).ConfigureAwait(false);
        await CopyPiecesAsync(OriginalTable.DeviceEvents, sql, sql.CopyEvents(events, _macs), cancellationToken).ConfigureAwait(false);
        await CopyDevicesAsync(sql, cancellationToken).ConfigureAwait(false);

        progress(new(AdoptionStep.Indexes, _copied, SurveyShare + RowsShare));
        await session.ExecuteAsync(
            $"""
            INSERT INTO {edges} (src_mac, dst_ip, first_seen, last_seen, connection_count, threat_count, max_threat_score)
            SELECT src_mac, dst_ip, first_seen, last_seen, connection_count, threat_count, max_threat_score
            FROM {_edges}
            ORDER BY src_mac, dst_ip
            """,
            cancellationToken).ConfigureAwait(false);
        foreach (var key in keys)
            await session.ExecuteAsync(key, cancellationToken).ConfigureAwait(false);
    }

    // Keys and indexes are built faster than they are filled, and a deferred key would remember every row until the commit.
    /// <summary>Drops indexes and keys of a table, and gives the statements that make them again.</summary>
    private async Task<IReadOnlyList<string>> TakeKeysAsync(string table, CancellationToken cancellationToken)
    {
        var constraints = await session.QueryAsync(
            """
            SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = $1::regclass AND contype IN ('p', 'f') ORDER BY contype DESC
            """,
            cancellationToken, table).ConfigureAwait(false);
        foreach (var constraint in constraints)
        {
            await session.ExecuteAsync(
                $"ALTER TABLE {table} DROP CONSTRAINT {SqlText.Identifier((string)constraint[0]!)}", cancellationToken).ConfigureAwait(false);
        }

        var indexes = await session.QueryAsync(
            "SELECT c.relname::text, pg_get_indexdef(c.oid) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = $1::regclass ORDER BY c.oid",
            cancellationToken, table).ConfigureAwait(false);
        foreach (var index in indexes)
            await session.ExecuteAsync($"DROP INDEX {Ours((string)index[0]!)}", cancellationToken).ConfigureAwait(false);

        // The server writes an index of a partitioned table as one without its partitions.
        return
        [
            .. indexes.Select(index => ((string)index[1]!).Replace(
                $"INDEX {index[0]} ON ONLY ", $"INDEX {index[0]} ON ", StringComparison.Ordinal)),
            .. constraints.Select(constraint =>
                $"ALTER TABLE {table} ADD CONSTRAINT {SqlText.Identifier((string)constraint[0]!)} {constraint[1]}"),
        ];
    }

    private async Task CopyPiecesAsync(string table, AdoptionSql sql, string copy, CancellationToken cancellationToken)
    {
        var last = long.MinValue;
        while (true)
        {
            progress(new(AdoptionStep.Rows, _copied, SurveyShare + RowsShare * _copied / Math.Max(1, _total)));
            var piece = (await session.QueryAsync(sql.NextPiece(table), cancellationToken, last, rowsPerPiece).ConfigureAwait(false))[0];
            if (piece[0] is not long end)
                return;

            await session.ExecuteAsync(copy, cancellationToken, last, end).ConfigureAwait(false);
            _copied += (long)piece[1]!;
            last = end;
        }
    }

    private async Task CopyDevicesAsync(AdoptionSql sql, CancellationToken cancellationToken)
    {
        await session.ExecuteAsync($"ANALYZE {Ours("connections")}", cancellationToken).ConfigureAwait(false);
        await session.ExecuteAsync(
            $"""
            CREATE TABLE {_edges} AS
            SELECT src_mac, dst_ip, least(min("timestamp"), now()) AS first_seen, least(max("timestamp"), now()) AS last_seen,
                   count(*) AS connection_count, count(*) FILTER (WHERE threat_score >= {_target}.threat_threshold()) AS threat_count,
                   max(threat_score) AS max_threat_score
            FROM {Ours("connections")}
            WHERE src_mac IS NOT NULL
            GROUP BY src_mac, dst_ip
            """,
            cancellationToken).ConfigureAwait(false);
        var traffic = $"""
            (SELECT src_mac AS mac, sum(connection_count)::bigint AS connections, sum(threat_count)::bigint AS threats,
                    min(first_seen) AS first_at, max(last_seen) AS last_at
             FROM {_edges} GROUP BY src_mac)
            """;
        await session.ExecuteAsync(sql.CopyDevices(Ours("devices"), _macs, traffic), cancellationToken).ConfigureAwait(false);
        await session.ExecuteAsync($"ANALYZE {Ours("devices")}", cancellationToken).ConfigureAwait(false);
    }

    private async Task DeriveAsync(AdoptionSql sql, CancellationToken cancellationToken)
    {
        progress(new(AdoptionStep.Derived, _copied, SurveyShare + RowsShare + IndexesShare));
        foreach (var table in (string[])[OriginalTable.Connections, OriginalTable.DeviceEvents])
            await ContinueSequenceAsync(table, sql, cancellationToken).ConfigureAwait(false);
        await session.ExecuteAsync($"ANALYZE {Ours("device_destinations")}; ANALYZE {Ours("device_events")}", cancellationToken)
            .ConfigureAwait(false);
    }

    // Beyond every id that was ever given, also to rows that are gone.
    private async Task ContinueSequenceAsync(string table, AdoptionSql sql, CancellationToken cancellationToken)
    {
        var used = (await session.QueryAsync(
            $"""
            SELECT greatest(
                (SELECT max(id)::bigint FROM {sql.SourceOf(table)}),
                (SELECT s.last_value FROM pg_sequences AS s
                 WHERE format('%I.%I', s.schemaname, s.sequencename) = pg_get_serial_sequence($1, 'id')))
            """,
            cancellationToken, sql.SourceOf(table)).ConfigureAwait(false))[0][0];
        if (used is long and > 0)
        {
            await session.ExecuteAsync(
                "SELECT setval(pg_get_serial_sequence($1, 'id')::regclass, $2)", cancellationToken, Ours(table), used)
                .ConfigureAwait(false);
        }
    }

    private async Task<string?> SetAsideAsync(AdoptionSql sql, AdoptionSurvey survey, CancellationToken cancellationToken)
    {
        if (survey.SetAside == 0)
            return null;

        var table = Ours(_prefix + "set_aside");
        await OldObjects.CreateSetAsideAsync(session, original.Target, table, cancellationToken).ConfigureAwait(false);
        foreach (var source in original.Tables)
            await session.ExecuteAsync(sql.CopySetAside(source.Name, table, _macs), cancellationToken).ConfigureAwait(false);
        return table;
    }

    private async Task<IReadOnlyList<SurveyedTable>> CheckAsync(AdoptionSurvey survey, CancellationToken cancellationToken)
    {
        var stored = new List<SurveyedTable>();
        foreach (var table in survey.Tables)
        {
            var counts = (await session.QueryAsync(
                $"""
                SELECT count(*), coalesce(
                    (SELECT sum(pg_total_relation_size(relid))::bigint FROM pg_partition_tree($1::regclass)),
                    pg_total_relation_size($1::regclass))
                FROM {Ours(table.Name)}
                """,
                cancellationToken, Ours(table.Name)).ConfigureAwait(false))[0];
            stored.Add(new(table.Name, (long)counts[0]!, (long)counts[1]!));
        }

        // Devices are merged and made; a connection or an event is there or set aside.
        var expected = survey.Tables.Where(table => table.Name != OriginalTable.Devices).Sum(table => table.Rows);
        var kept = stored.Where(table => table.Name != OriginalTable.Devices).Sum(table => table.Rows)
            + survey.Cases.Where(one => one.Table == OriginalTable.Devices && one.SetsAside).Sum(one => -one.Rows) + survey.SetAside;
        return kept == expected
            ? stored
            : throw new InvalidOperationException(
                $"Of {expected} connections and events {kept} were carried or set aside. Nothing was changed. Are there two rows of one id?");
    }

    private string Triggers(string what)
        => string.Concat(((string[])["devices", "connections"]).Select(table => $"ALTER TABLE {Ours(table)} {what} TRIGGER USER;\n"));

    private string Ours(string name) => $"{_target}.{SqlText.Identifier(name)}";
}
