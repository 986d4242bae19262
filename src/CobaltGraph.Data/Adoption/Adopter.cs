using System.Globalization;
using CobaltGraph.Data.Schema;
using Npgsql;

namespace CobaltGraph.Data.Adoption;

/// <summary>
/// Makes a database of the original one of ours, in one transaction: the old tables are moved aside, the first migration
/// makes ours, the rows are copied, and the later migrations derive from them what they derive in any database of ours.
/// </summary>
internal sealed class Adopter(NpgsqlDataSource dataSource, TimeProvider? clock = null)
{
    private const string FirstMigration = "20261124000001_DeviceInventory";

    // Times farther back are not worth a partition for each month; the default partition takes any.
    private const int YearsOfPartitions = 20;

    private static readonly TimeSpan LockAttempt = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;

    /// <summary>Rows that one statement copies.</summary>
    public int RowsPerPiece { get; init; } = 200_000;

    /// <summary>Looks at every row, and changes nothing.</summary>
    /// <exception cref="AdoptionRefusedException">There is nothing to adopt, or it cannot be adopted.</exception>
    public async Task<AdoptionSurvey> SurveyAsync(CancellationToken cancellationToken)
    {
        var session = await AdoptionSession.BeginAsync(dataSource, readOnly: true, cancellationToken).ConfigureAwait(false);
        await using var openSession = session.ConfigureAwait(false);
        var (target, exists) = await FindTargetAsync(session, cancellationToken).ConfigureAwait(false);
        var original = await OriginalFinder.FindAsync(session, target, exists, cancellationToken).ConfigureAwait(false);
        var sql = new AdoptionSql(original, table => Qualify(original.Schema, table));
        return await SurveyAsync(session, original, sql, $"WITH macs AS ({sql.Macs})", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adopts. A database that was adopted before is left as it is.</summary>
    /// <param name="lockTimeout">How long to wait for migrations, and for whoever uses the old tables.</param>
    /// <param name="waiting">Told now and then for whom this run waits.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="cancellationToken">Ends the run, which then has changed nothing.</param>
    /// <exception cref="AdoptionRefusedException">There is nothing to adopt, or it cannot be adopted.</exception>
    /// <exception cref="MigrationLockedException">A migration of the schema did not end in time.</exception>
    public async Task<AdoptionReport> AdoptAsync(
        TimeSpan lockTimeout,
        Action<MigrationLockHolder> waiting,
        Action<AdoptionProgress> progress,
        CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        var target = await ReadTargetAsync(cancellationToken).ConfigureAwait(false);
        var taken = await MigrationLock
            .AcquireAsync(dataSource, target, null, lockTimeout, _clock, waiting, cancellationToken).ConfigureAwait(false);
        await using var heldLock = taken.ConfigureAwait(false);

        var (session, original) = await BeginAsync(lockTimeout, cancellationToken).ConfigureAwait(false);
        await using var openSession = session.ConfigureAwait(false);
        if (original is null)
        {
            var old = await OldObjects.FindAsync(session, target, cancellationToken).ConfigureAwait(false);
            return new(null, [], [.. old.Tables.Select(table => Qualify(old.Schema, table))], null, _clock.GetElapsedTime(started));
        }

        var run = new AdoptionRun(session, original, RowsPerPiece, progress);
        var report = await run.ExecuteAsync(cancellationToken).ConfigureAwait(false);
        await taken.VerifyAsync(cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return report with { Elapsed = _clock.GetElapsedTime(started) };
    }

    /// <summary>What an adoption set aside, and rows that only the table of those that have no place holds.</summary>
    public async Task<OldTables> FindOldAsync(CancellationToken cancellationToken)
    {
        var session = await AdoptionSession.BeginAsync(dataSource, readOnly: true, cancellationToken).ConfigureAwait(false);
        await using var openSession = session.ConfigureAwait(false);
        var (target, _) = await FindTargetAsync(session, cancellationToken).ConfigureAwait(false);
        return await OldObjects.FindAsync(session, target, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Drops what an adoption set aside, but for the rows that have no place in our tables.</summary>
    /// <exception cref="AdoptionRefusedException">Something of others depends on it.</exception>
    public async Task<OldTables> DropOldAsync(CancellationToken cancellationToken)
    {
        var session = await AdoptionSession.BeginAsync(dataSource, readOnly: false, cancellationToken).ConfigureAwait(false);
        await using var openSession = session.ConfigureAwait(false);
        var (target, _) = await FindTargetAsync(session, cancellationToken).ConfigureAwait(false);
        var old = await OldObjects.FindAsync(session, target, cancellationToken).ConfigureAwait(false);
        var dependents = await OldObjects
            .FindDependentsAsync(session, old.Schema, old.Tables, old.Views, cancellationToken).ConfigureAwait(false);
        if (dependents.Count > 0)
        {
            throw new AdoptionRefusedException(
                $"Something else depends on the old tables: {string.Join("; ", dependents)}. Change or drop that first. Nothing was dropped.");
        }

        await session.ExecuteAsync("SET LOCAL lock_timeout = '5s'", cancellationToken).ConfigureAwait(false);
        await OldObjects.DropAsync(session, old, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        return old;
    }

    internal static string Qualify(string schema, string name) => $"{SqlText.Identifier(schema)}.{SqlText.Identifier(name)}";

    /// <summary>Counts, in the order of the tables and their rules.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="original">The database.</param>
    /// <param name="sql">Its SQL.</param>
    /// <param name="macs">A WITH clause that makes <c>macs</c> known.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task<AdoptionSurvey> SurveyAsync(
        AdoptionSession session, OriginalDatabase original, AdoptionSql sql, string macs, CancellationToken cancellationToken)
    {
        var tables = new List<SurveyedTable>();
        var cases = new List<AdoptionCase>();
        long setAside = 0;
        foreach (var table in original.Tables)
        {
            var counts = (await session.QueryAsync($"{macs}\n{sql.Count(table.Name)}", cancellationToken).ConfigureAwait(false))[0];
            tables.Add(new(table.Name, (long)counts[0]!, table.Bytes));
            setAside += (long)counts[1]!;
            cases.AddRange(sql.Rules.Where(rule => rule.Table == table.Name)
                .Zip(counts.Skip(2), (rule, rows) => new AdoptionCase(
                    rule.Table, rule.Column, rule.Problem, (long)rows!, rule.Outcome, rule.SetsAside)));
        }

        var devices = (await session.QueryAsync($"{macs},\ntraffic AS ({sql.Traffic})\n{sql.CountDevices}", cancellationToken)
            .ConfigureAwait(false))[0].Select(value => (long)value!).ToArray();
        AddDevice("mac_address", "several notations of one address", devices[2],
            string.Create(CultureInfo.InvariantCulture, $"merged into {devices[1]} devices; the rows go to metadata"));
        AddDevice("mac_address", "unknown, but has connections", devices[3], "a new device");
        AddDevice("last_seen", "not as late, or first_seen not as early, as its connections", devices[4], "the times of its connections");
        AddDevice("connection_count", $"not what its rows give ({devices[6]} in all, rows {devices[7]})", devices[5], "counted from its rows");
        AddDevice("threat_count", $"not what its rows give ({devices[9]} in all, rows {devices[10]})", devices[8], "counted from its rows");

        var months = await session.QueryAsync(
            $"""
            SELECT date_trunc('month', t."timestamp" AT TIME ZONE 'UTC') FROM {sql.Connections} AS t
            WHERE t."timestamp" >= now() - make_interval(years => $1) AND t."timestamp" < now() + interval '1 year'
            GROUP BY 1 ORDER BY 1
            """,
            cancellationToken, YearsOfPartitions).ConfigureAwait(false);

        return new(
            original, tables, [.. cases.Where(one => one.Rows > 0)], setAside, [.. months.Select(row => (DateTime)row[0]!)],
            await OldObjects.FindLeftBehindAsync(session, original, cancellationToken).ConfigureAwait(false));

        void AddDevice(string column, string problem, long rows, string outcome)
            => cases.Add(new(OriginalTable.Devices, column, problem, rows, outcome, SetsAside: false));
    }

    internal static string First => FirstMigration;

    private async Task<string> ReadTargetAsync(CancellationToken cancellationToken)
    {
        var session = await AdoptionSession.BeginAsync(dataSource, readOnly: true, cancellationToken).ConfigureAwait(false);
        await using var openSession = session.ConfigureAwait(false);
        return (await FindTargetAsync(session, cancellationToken).ConfigureAwait(false)).Schema;
    }

    private Task<(string Schema, bool Exists)> FindTargetAsync(AdoptionSession session, CancellationToken cancellationToken)
        => OriginalFinder.FindTargetAsync(
            session, new NpgsqlConnectionStringBuilder(dataSource.ConnectionString).SearchPath, cancellationToken);

    // Whoever waits for a lock makes all others wait behind him: the tables are asked for a second at a time.
    private async Task<(AdoptionSession Session, OriginalDatabase? Original)> BeginAsync(
        TimeSpan lockTimeout, CancellationToken cancellationToken)
    {
        var started = _clock.GetTimestamp();
        while (true)
        {
            var session = await AdoptionSession.BeginAsync(dataSource, readOnly: false, cancellationToken).ConfigureAwait(false);
            try
            {
                var (target, exists) = await FindTargetAsync(session, cancellationToken).ConfigureAwait(false);
                if (exists && await OriginalFinder.HasMigrationsAsync(session, target, cancellationToken).ConfigureAwait(false)
                    && !(await OldObjects.FindAsync(session, target, cancellationToken).ConfigureAwait(false)).IsEmpty)
                {
                    return (session, null);
                }

                await session.BecomeOwnerAsync(target, cancellationToken).ConfigureAwait(false);
                var original = await OriginalFinder.FindAsync(session, target, exists, cancellationToken).ConfigureAwait(false);
                if (await LockAsync(session, original, cancellationToken).ConfigureAwait(false))
                {
                    // Once more, now that nobody can change it any more.
                    return (session, await OriginalFinder.FindAsync(session, target, exists, cancellationToken).ConfigureAwait(false));
                }

                if (_clock.GetElapsedTime(started) >= lockTimeout)
                    throw new AdoptionRefusedException($"Schema \"{target}\" is being migrated. Run it again when that is done. Nothing was changed.");
                await session.DisposeAsync().ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
            {
                await session.DisposeAsync().ConfigureAwait(false);
                if (_clock.GetElapsedTime(started) >= lockTimeout)
                {
                    throw new AdoptionRefusedException(
                        $"The old tables are in use{await DescribeUsersAsync(cancellationToken).ConfigureAwait(false)}. " +
                        "Stop what writes to them or reads them, and run it again. Nothing was changed.");
                }
            }
            catch
            {
                await session.DisposeAsync().ConfigureAwait(false);
                throw;
            }

            await Task.Delay(LockAttempt * (0.5 + Random.Shared.NextDouble()), _clock, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>False when somebody migrates by a script or by EF Core's own way, which do not know the lock of ours.</returns>
    private static async Task<bool> LockAsync(AdoptionSession session, OriginalDatabase original, CancellationToken cancellationToken)
    {
        var tables = string.Join(", ", original.TableNames.Select(table => Qualify(original.Schema, table)));
        await session.ExecuteAsync(
            $"SET LOCAL lock_timeout = {(long)LockAttempt.TotalMilliseconds}; LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE; SET LOCAL lock_timeout = '5s'",
            cancellationToken).ConfigureAwait(false);
        var free = await session.QueryAsync(
            "SELECT pg_try_advisory_xact_lock($1, hashtext($2))", cancellationToken, SiteMigrator.LockClass, original.Target)
            .ConfigureAwait(false);
        return free[0][0] is true;
    }

    private async Task<string> DescribeUsersAsync(CancellationToken cancellationToken)
    {
        var session = await AdoptionSession.BeginAsync(dataSource, readOnly: true, cancellationToken).ConfigureAwait(false);
        await using var openSession = session.ConfigureAwait(false);
        var (target, exists) = await FindTargetAsync(session, cancellationToken).ConfigureAwait(false);
        var original = await OriginalFinder.FindAsync(session, target, exists, cancellationToken).ConfigureAwait(false);
        var users = await session.TextsAsync(
            """
            SELECT DISTINCT coalesce(nullif(a.application_name, ''), 'a session without a name') || ' of ' || coalesce(a.usename, 'another role')
                || ' (pid ' || l.pid || ')'
            FROM pg_locks AS l
            JOIN pg_class AS c ON c.oid = l.relation AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
            WHERE n.nspname = $1 AND c.relname = ANY ($2) AND l.granted AND l.pid <> pg_backend_pid()
            ORDER BY 1
            LIMIT 5
            """,
            cancellationToken, original.Schema, original.TableNames.ToArray()).ConfigureAwait(false);
        return users.Count == 0 ? "" : $" by {string.Join(", ", users)}";
    }
}
