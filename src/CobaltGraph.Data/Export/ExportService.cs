using System.Data;
using System.Runtime.CompilerServices;
using CobaltGraph.Data.Import;
using CobaltGraph.Data.Queries;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace CobaltGraph.Data.Export;

/// <inheritdoc cref="IExportService"/>
internal sealed class ExportService : IExportService
{
    // Rows between two writes to the target.
    private const int RowsAtOnce = 256;

    // Devices whose addresses are held at a time.
    private const int DevicesAtOnce = 100;

    private readonly DbContextOptions<CobaltGraphContext> _options;

    /// <param name="dataSource">The database, with all migrations applied. The caller's to dispose.</param>
    public ExportService(NpgsqlDataSource dataSource)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        // A query that may be tried again is held until all its rows are there; this one is passed on row by row.
        options.UseCobaltGraph(
            dataSource, npgsql => npgsql.ExecutionStrategy(services => new NonRetryingExecutionStrategy(services)));
        options.UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking);
        _options = options.Options;
    }

    public Task<ExportResult> ExportConnectionsAsync(
        Stream target,
        ExportFormat format,
        ConnectionFilter? filter = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        filter ??= new ConnectionFilter();
        filter.Check();
        return WriteAsync(
            target, format, TableKind.Connections,
            context => context.Connections.Readable(filter).OrderBy(c => c.Timestamp).ThenBy(c => c.Id).AsAsyncEnumerable(),
            Put, progress, cancellationToken);
    }

    public Task<ExportResult> ExportConnectionsAsync(
        string path,
        ExportFormat format,
        ConnectionFilter? filter = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
        => WriteFileAsync(
            path, target => ExportConnectionsAsync(target, format, filter, progress, cancellationToken), cancellationToken);

    public Task<ExportResult> ExportDevicesAsync(
        Stream target, ExportFormat format, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
        => WriteAsync(target, format, TableKind.Sightings, context => Devices(context), Put, progress, cancellationToken);

    public Task<ExportResult> ExportDevicesAsync(
        string path, ExportFormat format, IProgress<long>? progress = null, CancellationToken cancellationToken = default)
        => WriteFileAsync(path, target => ExportDevicesAsync(target, format, progress, cancellationToken), cancellationToken);

    // One connection reads one answer at a time: the addresses of some devices are read and held, then these devices row by row.
    private static async IAsyncEnumerable<ExportedDevice> Devices(
        CobaltGraphContext context, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var from = new MacAddress(0);
        while (true)
        {
            var after = from;
            var macs = await context.Devices.Where(d => d.MacAddress > after)
                .OrderBy(d => d.MacAddress).Select(d => d.MacAddress).Take(DevicesAtOnce)
                .ToListAsync(cancellationToken).ConfigureAwait(false);
            if (macs.Count == 0)
                yield break;
            var (first, last) = (macs[0], macs[^1]);
            var claims = (await context.DeviceAddresses
                .Where(a => macs.Contains(a.MacAddress) && a.Source == AddressSource.Sighting)
                .ToListAsync(cancellationToken).ConfigureAwait(false)).ToLookup(claim => claim.MacAddress);
            await foreach (var device in Devices(context, first, last).WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                device.Claims = [.. claims[device.MacAddress]];
                yield return device;
            }

            from = last;
        }
    }

    private static IAsyncEnumerable<ExportedDevice> Devices(CobaltGraphContext context, MacAddress first, MacAddress last)
        => (from device in context.Devices
            join sighted in context.SightedDevices on device.MacAddress equals sighted.MacAddress into sightings
            from sighted in sightings.DefaultIfEmpty()
            where device.MacAddress >= first && device.MacAddress <= last
            orderby device.MacAddress
            select new ExportedDevice
            {
                MacAddress = device.MacAddress,
                IpAddress = device.IpAddress,
                Hostname = device.Hostname,
                Vendor = device.Vendor,
                DeviceType = device.DeviceType,
                FirstSeen = device.FirstSeen,
                LastSeen = device.LastSeen,
                ConfidenceScore = device.ConfidenceScore,
                Metadata = device.Metadata,
                Sighted = sighted,
            }).AsAsyncEnumerable();

    private static int Put(IRowWriter writer, Connection row)
    {
        writer.Write(row);
        return 1;
    }

    private static int Put(IRowWriter writer, ExportedDevice row)
    {
        var count = 0;
        foreach (var sighting in row.Sightings())
        {
            writer.Write(sighting);
            count++;
        }

        return count;
    }

    private static async Task<ExportResult> WriteFileAsync(
        string path, Func<Stream, Task<ExportResult>> write, CancellationToken cancellationToken)
    {
        var file = new ExportFile(path);
        await using (file.ConfigureAwait(false))
        {
            var result = await write(file.Stream).ConfigureAwait(false);
            await file.CompleteAsync(cancellationToken).ConfigureAwait(false);
            return result;
        }
    }

    private async Task<ExportResult> WriteAsync<T>(
        Stream target,
        ExportFormat format,
        TableKind kind,
        Func<CobaltGraphContext, IAsyncEnumerable<T>> query,
        Func<IRowWriter, T, int> put,
        IProgress<long>? progress,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        IRowWriter writer = format switch
        {
            ExportFormat.Ndjson => new JsonRowWriter(target),
            ExportFormat.Csv => new CsvRowWriter(target, kind),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Accepted are Ndjson and Csv."),
        };
        await using (writer.ConfigureAwait(false))
        {
            var context = new CobaltGraphContext(_options);
            await using (context.ConfigureAwait(false))
            {
                // Until the first row the server may have to sort, and between two rows whoever reads the target may pause.
                context.Database.SetCommandTimeout(0);
                var snapshot = await context.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken)
                    .ConfigureAwait(false);
                await using (snapshot.ConfigureAwait(false))
                {
                    long rows = 0;
                    var unflushed = 0;
                    await foreach (var row in query(context)
                        .WithCancellation(cancellationToken).ConfigureAwait(false))
                    {
                        var written = put(writer, row);
                        rows += written;
                        unflushed += written;
                        if (unflushed < RowsAtOnce)
                            continue;
                        await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
                        unflushed = 0;
                        progress?.Report(rows);
                    }

                    await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
                    progress?.Report(rows);
                    return new ExportResult(rows);
                }
            }
        }
    }
}
