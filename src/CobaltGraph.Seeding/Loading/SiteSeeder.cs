using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Seeding;

/// <summary>Stores a whole site in a migrated database: devices, then connections by COPY, in constant memory.</summary>
/// <param name="timeProvider">Gives the reference time when the options name none; null for the system's clock.</param>
public sealed class SiteSeeder(TimeProvider? timeProvider = null)
{
    private const int DevicesPerStatement = 5_000;

    private readonly TimeProvider _timeProvider = timeProvider ?? TimeProvider.System;

    /// <summary>
    /// Seeds the database. Each batch of connections is stored as a whole or not at all; what was stored before a
    /// cancellation or an error stays, with exact counters.
    /// </summary>
    /// <param name="dataSource">The database, with all migrations applied; its search path names the site.</param>
    /// <param name="options">What to seed.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <param name="cancellationToken">Ends the work after the batches that are complete.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="DatabaseNotEmptyException">There is data, and the options do not say to append.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    /// <exception cref="NpgsqlException">The database failed or cannot be reached.</exception>
    public async Task<SeedResult> SeedAsync(
        NpgsqlDataSource dataSource,
        SeedOptions options,
        IProgress<SeedProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();

        var started = Stopwatch.GetTimestamp();
        progress?.Report(new SeedProgress(SeedPhase.Preparing, 0, 0));
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            // Before a site is made, which takes a moment when it is large; the decision falls with the first devices.
            if (!options.Append)
                await RefuseDataAsync(connection, cancellationToken).ConfigureAwait(false);
            var site = Site.Create(options, _timeProvider);
            if (options.Connections > 0)
                await EnsurePartitionsAsync(connection, site, cancellationToken).ConfigureAwait(false);

            var inserted = await StoreDevicesAsync(connection, site, progress, cancellationToken).ConfigureAwait(false);
            var changes = new Queue<AddressChange>(site.AddressChanges);
            var stored = await StoreConnectionsAsync(connection, site, changes, progress, cancellationToken).ConfigureAwait(false);
            await ApplyAsync(connection, changes, site.To, cancellationToken).ConfigureAwait(false);

            progress?.Report(new SeedProgress(SeedPhase.Finishing, 0, 0));
            await ExecuteAsync(connection, "SELECT sweep_device_status()", cancellationToken).ConfigureAwait(false);
            return new SeedResult
            {
                DevicesInserted = inserted,
                DevicesMerged = site.Devices.Count - inserted,
                Connections = stored,
                AddressChanges = site.AddressChanges.Count,
                From = site.From,
                To = site.To,
                Elapsed = Stopwatch.GetElapsedTime(started),
            };
        }
    }

    private static async Task RefuseDataAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(
            "SELECT EXISTS (SELECT 1 FROM devices) OR EXISTS (SELECT 1 FROM connections)", connection);
        if (await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true)
            throw new DatabaseNotEmptyException();
    }

    private static async Task EnsurePartitionsAsync(NpgsqlConnection connection, Site site, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand("SELECT ensure_connection_partitions($1, $2)", connection)
        {
            Parameters = { new() { Value = site.From.UtcDateTime }, new() { Value = site.To.UtcDateTime } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<long> StoreDevicesAsync(
        NpgsqlConnection connection, Site site, IProgress<SeedProgress>? progress, CancellationToken cancellationToken)
    {
        // In MAC order, as every other writer locks them.
        var devices = site.Devices.OrderBy(device => device.MacAddress).ToArray();
        long inserted = 0, done = 0;
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            if (!site.Options.Append)
            {
                // Of two seeders that start together the second one waits here, and then sees the first one's data.
                await ExecuteAsync(connection, "LOCK TABLE devices IN SHARE ROW EXCLUSIVE MODE", cancellationToken)
                    .ConfigureAwait(false);
                await RefuseDataAsync(connection, cancellationToken).ConfigureAwait(false);
            }
            foreach (var chunk in devices.Chunk(DevicesPerStatement))
            {
                inserted += await StoreDevicesAsync(connection, chunk, cancellationToken).ConfigureAwait(false);
                done += chunk.Length;
                if (done < devices.Length)
                    progress?.Report(new SeedProgress(SeedPhase.Devices, 0, devices.Length));
            }
            await CommitAsync(transaction, cancellationToken).ConfigureAwait(false);
        }
        progress?.Report(new SeedProgress(SeedPhase.Devices, devices.Length, devices.Length));
        return inserted;
    }

    /// <returns>How many were new.</returns>
    private static async Task<long> StoreDevicesAsync(
        NpgsqlConnection connection, Device[] devices, CancellationToken cancellationToken)
    {
        // What is known of a device that is there already stays; the address too, for only a renewal changes it.
        using var command = new NpgsqlCommand(
            """
            WITH given AS (
                SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                    AS g(mac, ip, vendor, device_type, hostname, first_seen, last_seen, last_activity, confidence, metadata)
            ), stored AS (
                INSERT INTO devices AS d
                    (mac_address, ip_address, vendor, device_type, hostname, first_seen, last_seen, last_activity,
                     confidence_score, metadata)
                SELECT mac, ip, vendor, device_type, hostname, first_seen, last_seen, last_activity, confidence, metadata
                FROM given
                ORDER BY mac
                ON CONFLICT (mac_address) DO UPDATE
                SET ip_address = coalesce(d.ip_address, excluded.ip_address),
                    vendor = coalesce(d.vendor, excluded.vendor),
                    device_type = coalesce(d.device_type, excluded.device_type),
                    hostname = coalesce(d.hostname, excluded.hostname),
                    first_seen = least(d.first_seen, excluded.first_seen),
                    last_seen = greatest(d.last_seen, excluded.last_seen),
                    last_activity = greatest(d.last_activity, excluded.last_activity),
                    metadata = excluded.metadata || d.metadata
                RETURNING (xmax = 0) AS is_new
            )
            SELECT count(*) FILTER (WHERE is_new) FROM stored
            """,
            connection);
        Add(NpgsqlDbType.MacAddr, Array.ConvertAll(devices, d => d.MacAddress.ToPhysicalAddress()));
        Add(NpgsqlDbType.Inet, Array.ConvertAll(devices, d => d.IpAddress));
        Add(NpgsqlDbType.Text, Array.ConvertAll(devices, d => d.Vendor));
        Add(NpgsqlDbType.Text, Array.ConvertAll(devices, d => d.DeviceType));
        Add(NpgsqlDbType.Text, Array.ConvertAll(devices, d => d.Hostname));
        Add(NpgsqlDbType.TimestampTz, Array.ConvertAll(devices, d => d.FirstSeen.UtcDateTime));
        Add(NpgsqlDbType.TimestampTz, Array.ConvertAll(devices, d => d.LastSeen.UtcDateTime));
        Add(NpgsqlDbType.TimestampTz, Array.ConvertAll(devices, d => d.LastActivity.UtcDateTime));
        Add(NpgsqlDbType.Real, Array.ConvertAll(devices, d => d.ConfidenceScore));
        Add(NpgsqlDbType.Jsonb, Array.ConvertAll(devices, d => d.Metadata.ToJson()));
        return (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;

        void Add<T>(NpgsqlDbType type, T[] values)
            => command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = type | NpgsqlDbType.Array });
    }

    private static async Task<long> StoreConnectionsAsync(
        NpgsqlConnection connection, Site site, Queue<AddressChange> changes, IProgress<SeedProgress>? progress,
        CancellationToken cancellationToken)
    {
        var total = site.Options.Connections;
        var done = 0L;
        progress?.Report(new SeedProgress(SeedPhase.Connections, 0, total));
        using var rows = site.Connections().GetEnumerator();
        while (done < total)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var until = default(DateTimeOffset);
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                var size = (int)Math.Min(site.Options.BatchSize, total - done);
                var stored = await ConnectionCopy.WriteAsync(connection, Batch(size), cancellationToken).ConfigureAwait(false);
                await CommitAsync(transaction, cancellationToken).ConfigureAwait(false);
                done += stored;
            }
            progress?.Report(new SeedProgress(SeedPhase.Connections, done, total));
            // In a transaction of its own: one that holds the batch's devices must not ask for others.
            await ApplyAsync(connection, changes, until, cancellationToken).ConfigureAwait(false);

            IEnumerable<Connection> Batch(int size)
            {
                while (size-- > 0 && rows.MoveNext())
                {
                    until = rows.Current.Timestamp;
                    yield return rows.Current;
                }
            }
        }
        return done;
    }

    /// <summary>Makes the changes up to a time, as a DHCP sensor would: an ordinary update, one change of a device at a time.</summary>
    private static async Task ApplyAsync(
        NpgsqlConnection connection, Queue<AddressChange> changes, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var round = new Dictionary<MacAddress, IPAddress>();
        while (changes.TryPeek(out var change) && change.At <= until)
        {
            if (!round.TryAdd(change.Device, change.Address))
            {
                await ApplyAsync(connection, round, cancellationToken).ConfigureAwait(false);
                round.Clear();
                continue;
            }
            changes.Dequeue();
        }
        if (round.Count > 0)
            await ApplyAsync(connection, round, cancellationToken).ConfigureAwait(false);
    }

    private static async Task ApplyAsync(
        NpgsqlConnection connection, Dictionary<MacAddress, IPAddress> round, CancellationToken cancellationToken)
    {
        var order = round.OrderBy(change => change.Key).ToArray();
        var macs = Array.ConvertAll(order, change => change.Key.ToPhysicalAddress());
        var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            using (var command = new NpgsqlCommand(
                "SELECT FROM devices WHERE mac_address = ANY ($1) ORDER BY mac_address FOR NO KEY UPDATE", connection))
            {
                command.Parameters.Add(new NpgsqlParameter<PhysicalAddress[]> { TypedValue = macs });
                await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            using (var command = new NpgsqlCommand(
                """
                UPDATE devices AS d
                SET ip_address = r.ip
                FROM unnest($1, $2) AS r(mac, ip)
                WHERE d.mac_address = r.mac
                """,
                connection))
            {
                command.Parameters.Add(new NpgsqlParameter<PhysicalAddress[]> { TypedValue = macs });
                command.Parameters.Add(new NpgsqlParameter<IPAddress[]> { TypedValue = Array.ConvertAll(order, change => change.Value) });
                await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            await CommitAsync(transaction, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    // A commit that was sent is not taken back: whoever cancels it cannot know whether it happened.
    private static async Task CommitAsync(NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
