using System.Buffers.Binary;
using System.Data;
using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace CobaltGraph.Data.Schema;

/// <summary>Who holds the migration lock of a schema.</summary>
/// <param name="ProcessId">The server process.</param>
/// <param name="ApplicationName">What the client calls itself.</param>
/// <param name="User">The role.</param>
/// <param name="Client">Address of the client; null on a local socket or for another role's session.</param>
/// <param name="Since">When the session began; null for another role's session.</param>
internal sealed record MigrationLockHolder(
    int ProcessId, string? ApplicationName, string? User, string? Client, DateTimeOffset? Since)
{
    public override string ToString()
    {
        var name = string.IsNullOrEmpty(ApplicationName) ? "a session without a name" : $"\"{ApplicationName}\"";
        var client = Client is null ? "" : $" from {Client}";
        var since = Since is { } time ? $", connected since {time.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : "";
        return $"{name} of {User ?? "another role"}{client} (pid {ProcessId}{since})";
    }
}

/// <summary>
/// The lock that makes migrations of one schema take turns: an advisory lock on a session of its own, for the whole
/// run. It is tried for and never waited for inside the server, because a session that waits holds a snapshot, and
/// CREATE INDEX CONCURRENTLY of the session that has the lock would wait for that snapshot. It ends with its session,
/// so no crash leaves it behind. Scripts, and EF Core's own way, have another lock, that of <see cref="SiteMigrator"/>, which
/// the session that migrates has too then, so that a run waits for those as long as for another of its kind.
/// </summary>
internal sealed class MigrationLock : IAsyncDisposable
{
    // "CBLT"
    private const int ClassId = 0x43424C54;

    private readonly NpgsqlConnection _connection;
    private readonly int _key;
    private readonly NpgsqlConnection? _migrating;
    private readonly string _schema;

    private MigrationLock(NpgsqlConnection connection, int key, NpgsqlConnection? migrating, string schema)
    {
        _connection = connection;
        _key = key;
        _migrating = migrating;
        _schema = schema;
    }

    /// <summary>Who had the lock while this run waited for it; null when it did not have to wait.</summary>
    public MigrationLockHolder? WaitedFor { get; private init; }

    /// <summary>Gets the lock, trying again until it is free or the time is up.</summary>
    /// <param name="dataSource">The database.</param>
    /// <param name="schema">The schema that is to be migrated.</param>
    /// <param name="migrating">The session that is to migrate, which then has the lock of <see cref="SiteMigrator"/>; null for none.</param>
    /// <param name="timeout">How long to try.</param>
    /// <param name="clock">The clock to wait by.</param>
    /// <param name="waiting">Told now and then who is in the way.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MigrationLockedException">The time is up.</exception>
    public static async Task<MigrationLock> AcquireAsync(
        NpgsqlDataSource dataSource,
        string schema,
        NpgsqlConnection? migrating,
        TimeSpan timeout,
        TimeProvider clock,
        Action<MigrationLockHolder> waiting,
        CancellationToken cancellationToken)
    {
        var shortest = TimeSpan.FromMilliseconds(50);
        var longest = TimeSpan.FromSeconds(2);
        var sayEvery = TimeSpan.FromSeconds(10);

        var key = KeyOf(schema);
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await KeepSessionAsync(connection, cancellationToken).ConfigureAwait(false);

            var started = clock.GetTimestamp();
            MigrationLockHolder? holder = null;
            TimeSpan? lastSaid = null;
            var pause = shortest;
            var isFirst = false;
            while (!await TryBothAsync().ConfigureAwait(false))
            {
                var waited = clock.GetElapsedTime(started);
                holder = await FindHolderAsync(connection, schema, cancellationToken).ConfigureAwait(false) ?? holder;
                if (waited >= timeout) throw new MigrationLockedException(schema, waited, holder);
                if (holder is not null && (lastSaid is null || waited - lastSaid >= sayEvery))
                {
                    waiting(holder);
                    lastSaid = waited;
                }

                // The jitter keeps several that wait from asking in step.
                var jittered = pause * (0.5 + Random.Shared.NextDouble());
                await Task.Delay(jittered < timeout - waited ? jittered : timeout - waited, clock, cancellationToken)
                    .ConfigureAwait(false);
                pause = pause * 2 < longest ? pause * 2 : longest;
            }

            var taken = new MigrationLock(connection, key, migrating, schema) { WaitedFor = holder };
            await taken.VerifyAsync(cancellationToken).ConfigureAwait(false);
            return taken;

            async Task<bool> TryBothAsync()
            {
                isFirst = isFirst || await TryAsync(connection, key, cancellationToken).ConfigureAwait(false);
                return isFirst
                    && (migrating is null || await SiteMigrator.TryLockAsync(migrating, schema, cancellationToken).ConfigureAwait(false));
            }
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Who migrates a schema now, by this lock or by that of <c>dotnet ef</c> alone; null when nobody does.</summary>
    public static async Task<MigrationLockHolder?> FindHolderAsync(
        NpgsqlConnection connection, string schema, CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT l.pid, a.application_name, a.usename, host(a.client_addr), a.backend_start
            FROM pg_catalog.pg_locks AS l
            LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
            WHERE l.locktype = 'advisory' AND l.granted
              AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
              AND l.objsubid = 2 AND l.pid <> pg_backend_pid()
              AND (l.classid, l.objid) IN (
                  ($1::bigint::oid, $2::bigint::oid), ($3::bigint::oid, (pg_catalog.hashtext($4)::bigint & 4294967295)::oid))
            ORDER BY l.classid = $1::bigint::oid DESC
            LIMIT 1
            """;
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new() { Value = (long)(uint)ClassId });
            command.Parameters.Add(new() { Value = (long)(uint)KeyOf(schema) });
            command.Parameters.Add(new() { Value = (long)(uint)SiteMigrator.LockClass });
            command.Parameters.Add(new() { Value = schema });
            var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken)
                .ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false)) return null;
                return new MigrationLockHolder(
                    reader.GetInt32(0),
                    reader.IsDBNull(1) ? null : reader.GetString(1),
                    reader.IsDBNull(2) ? null : reader.GetString(2),
                    reader.IsDBNull(3) ? null : reader.GetString(3),
                    reader.IsDBNull(4) ? null : new DateTimeOffset(reader.GetDateTime(4)));
            }
        }
    }

    /// <summary>Makes sure that the session still is the one that has the lock.</summary>
    /// <exception cref="InvalidOperationException">The lock is gone.</exception>
    public async Task VerifyAsync(CancellationToken cancellationToken)
    {
        const string sql = """
            SELECT EXISTS (
                SELECT 1 FROM pg_catalog.pg_locks
                WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
                  AND classid = $1::bigint::oid AND objid = $2::bigint::oid AND objsubid = 2)
            """;
        var command = new NpgsqlCommand(sql, _connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new() { Value = (long)(uint)ClassId });
            command.Parameters.Add(new() { Value = (long)(uint)_key });
            if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true) return;
        }

        throw new InvalidOperationException(
            "The migration lock is gone: statements of one connection reach different server sessions. A connection " +
            "pooler in transaction mode does that. Connect to the server itself, or to a pool in session mode.");
    }

    public async ValueTask DisposeAsync()
    {
        if (_migrating is not null)
            await ReleaseAsync(() => SiteMigrator.UnlockAsync(_migrating, _schema)).ConfigureAwait(false);
        await ReleaseAsync(async () =>
        {
            var command = new NpgsqlCommand("SELECT pg_advisory_unlock($1, $2)", _connection);
            await using (command.ConfigureAwait(false))
            {
                command.Parameters.Add(new() { Value = ClassId });
                command.Parameters.Add(new() { Value = _key });
                await command.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task ReleaseAsync(Func<Task> unlock)
    {
        try
        {
            await unlock().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            // The session is broken, and the lock went with it.
        }
    }

    // The session does nothing for as long as the migrations take, which must not end it.
    private static async Task KeepSessionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (connection.PostgreSqlVersion.Major < 14) return;
        var command = new NpgsqlCommand("SET idle_session_timeout = 0", connection);
        await using (command.ConfigureAwait(false))
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<bool> TryAsync(NpgsqlConnection connection, int key, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1, $2)", connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new() { Value = ClassId });
            command.Parameters.Add(new() { Value = key });
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
        }
    }

    // Advisory locks belong to a database; the key needs to tell only its schemas apart.
    private static int KeyOf(string schema)
        => BinaryPrimitives.ReadInt32BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(schema)));
}

/// <summary>Another session went on holding the migration lock.</summary>
internal sealed class MigrationLockedException(string schema, TimeSpan waited, MigrationLockHolder? holder)
    : Exception(
        $"Schema \"{schema}\" is being migrated by {holder?.ToString() ?? "another session"}; " +
        $"waited {waited.TotalSeconds:0} s for it.")
{
    /// <summary>Who has the lock.</summary>
    public MigrationLockHolder? Holder => holder;
}
