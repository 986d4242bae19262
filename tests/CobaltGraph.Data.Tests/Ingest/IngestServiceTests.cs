using System.Net;
using System.Runtime.CompilerServices;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace CobaltGraph.Data.Tests.Ingest;

public sealed class IngestServiceTests(PostgresServerFixture server) : DatabaseTest(server)
{
    private IngestService Service => new(Database.DataSource);

    [Fact]
    public async Task Stream_is_stored_with_every_counter()
    {
        var rows = Rows(25_000).ToList();

        var result = await Service.StoreAsync(Stream(rows), cancellationToken: Cancel);

        Assert.Equal((25_000, 25_000, 0, 0, 3), (result.Read, result.Stored, result.Duplicate, result.Rejected, result.Batches));
        await AssertStoredAsync(25_000);
        Assert.Equal(3, await Count("ingest_batches WHERE source = 'application' AND content_hash IS NULL"));
    }

    [Fact]
    public async Task Empty_stream_stores_nothing()
    {
        var result = await Service.StoreAsync(Stream<Connection>([]), cancellationToken: Cancel);

        Assert.Equal(0, result.Read);
        Assert.Equal(0, await Count("ingest_batches"));
    }

    [Fact]
    public async Task Every_column_is_stored_as_it_was_given()
    {
        var full = new Connection
        {
            Timestamp = new DateTimeOffset(2026, 3, 29, 2, 30, 0, TimeSpan.FromHours(5.75)).AddTicks(1234560),
            SrcMac = MacAddress.Parse("02:00:00:00:00:01"),
            SrcIp = IPAddress.Parse("2001:db8::1"),
            SrcPort = 65535,
            DstIp = IPAddress.Parse("203.0.113.7"),
            DstPort = 0,
            Protocol = "UDP",
            DstCountry = "DE",
            DstLat = -89.5f,
            DstLon = 179.25f,
            DstOrg = "Ünïcode 組織 😀",
            DstHostname = new string('h', 255),
            ThreatScore = 9.75f,
            ThreatCategory = "c2",
            BytesSent = long.MaxValue,
            BytesReceived = 0,
            Duration = new TimeSpan(3, 4, 5, 6, 789, 123),
            Metadata = new() { Uid = "C1", Service = "dns\twith \"quotes\"" },
        };
        var bare = new Connection { Timestamp = DateTimeOffset.UnixEpoch, DstIp = IPAddress.IPv6Loopback, DstPort = 443 };
        var odd = new Connection
        {
            Timestamp = new DateTimeOffset(1969, 12, 31, 23, 59, 59, TimeSpan.Zero),
            DstIp = IPAddress.Loopback,
            Duration = TimeSpan.FromMicroseconds(-1),
            Protocol = "",
        };
        full.Metadata.Other["depth"] = System.Text.Json.JsonElement.Parse("""{"a":[1,2.50,null]}""");

        await Service.StoreAsync(Stream([full, bare, odd]), cancellationToken: Cancel);

        await using var context = Database.NewContext();
        foreach (var expected in new[] { full, bare, odd })
        {
            var actual = context.Connections.Single(c => c.Timestamp == expected.Timestamp);
            Assert.Equal(expected.Timestamp.UtcDateTime, actual.Timestamp.UtcDateTime);
            Assert.Equal(expected.SrcMac, actual.SrcMac);
            Assert.Equal(expected.SrcIp, actual.SrcIp);
            Assert.Equal(expected.SrcPort, actual.SrcPort);
            Assert.Equal(expected.DstIp, actual.DstIp);
            Assert.Equal(expected.DstPort, actual.DstPort);
            Assert.Equal(expected.Protocol ?? "TCP", actual.Protocol);
            Assert.Equal(expected.DstCountry, actual.DstCountry);
            Assert.Equal(expected.DstLat, actual.DstLat);
            Assert.Equal(expected.DstLon, actual.DstLon);
            Assert.Equal(expected.DstOrg, actual.DstOrg);
            Assert.Equal(expected.DstHostname, actual.DstHostname);
            Assert.Equal(expected.ThreatScore, actual.ThreatScore);
            Assert.Equal(expected.ThreatCategory, actual.ThreatCategory);
            Assert.Equal(expected.BytesSent, actual.BytesSent);
            Assert.Equal(expected.BytesReceived, actual.BytesReceived);
            Assert.Equal(expected.Duration, actual.Duration);
            Assert.Equal(expected.Metadata, actual.Metadata);
        }
    }

    // As a dual-stack socket gives them.
    [Fact]
    public async Task Mapped_address_is_the_address_of_IPv4_that_it_means()
    {
        var mac = MacAddress.Parse("02:00:00:00:00:01");
        var (plain, mapped) = (IPAddress.Parse("192.0.2.7"), IPAddress.Parse("::ffff:192.0.2.7"));
        Connection[] rows = [.. new[] { plain, mapped }.Select(ip => new Connection { SrcMac = mac, SrcIp = ip, DstIp = ip })];
        DeviceSighting[] sightings = [.. new[] { plain, mapped }.Select(ip => new DeviceSighting { MacAddress = mac, IpAddress = ip })];

        await Service.StoreBatchAsync("s", "plain", [rows[0]], Cancel);
        await Service.StoreBatchAsync("s", "mapped", [rows[1]], Cancel);
        await Service.StoreBatchAsync("s", "seen plain", [sightings[0]], Cancel);
        await Service.StoreBatchAsync("s", "seen mapped", [sightings[1]], Cancel);

        Assert.Equal(2, await Count("connections WHERE src_ip = '192.0.2.7' AND dst_ip = '192.0.2.7'"));
        Assert.Equal(["192.0.2.7 2"], await Texts("SELECT host(dst_ip) || ' ' || connection_count FROM device_destinations"));
        Assert.Equal(["192.0.2.7"], await Texts("SELECT host(ip_address) FROM devices"));
        // The same rows under the same key, whichever way they are written.
        Assert.Equal(1, (await Service.StoreBatchAsync("s", "plain", [rows[1]], Cancel)).Duplicate);
        Assert.Equal(1, (await Service.StoreBatchAsync("s", "seen plain", [sightings[1]], Cancel)).Duplicate);
    }

    [Fact]
    public async Task Metadata_that_is_too_much_for_one_statement_is_stored_in_parts()
    {
        var notes = new string('x', (int)(SightingMerge.MostMetadata / 3) + 1);
        DeviceSighting[] sightings = [.. Enumerable.Range(1, 3).Select(i => new DeviceSighting
        {
            MacAddress = new MacAddress(0x0200_0000_0000 + i),
            Metadata = new DeviceMetadata { Notes = notes },
        })];

        var result = await Service.StoreBatchAsync("s", "large", sightings, Cancel);

        Assert.Equal((3, 0), (result.Stored, result.Rejected));
        Assert.Equal(3, await Count($"devices WHERE length(metadata ->> 'notes') = {notes.Length}"));
        Assert.Equal(3, (await Service.StoreBatchAsync("s", "large", sightings, Cancel)).Duplicate);
    }

    [Fact]
    public async Task Time_left_out_is_the_time_of_storing()
    {
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);

        await Service.StoreAsync(Stream([new Connection { DstIp = IPAddress.Loopback }]), cancellationToken: Cancel);

        await using var context = Database.NewContext();
        Assert.InRange(context.Connections.Single().Timestamp, before, DateTimeOffset.UtcNow.AddSeconds(1));
    }

    [Fact]
    public async Task Keyed_stream_that_is_repeated_is_a_duplicate()
    {
        var rows = Rows(12_345).ToList();
        var options = new IngestOptions<Connection> { Source = "sensor", StreamKey = "2026-11-24" };

        await Service.StoreAsync(Stream(rows), options, cancellationToken: Cancel);
        var again = await Service.StoreAsync(Stream(rows), options with { Writers = 3 }, cancellationToken: Cancel);

        Assert.Equal((0, 12_345), (again.Stored, again.Duplicate));
        await AssertStoredAsync(12_345);
    }

    [Fact]
    public async Task Keyed_stream_that_has_grown_is_stored_from_where_it_ended()
    {
        var rows = Rows(23_456).ToList();
        var options = new IngestOptions<Connection> { Source = "sensor", StreamKey = "growing" };

        foreach (var end in (int[])[0, 1, 3_000, 9_999, 10_001, 23_456])
        {
            var stored = await Count("connections");
            var result = await Service.StoreAsync(Stream(rows.Take(end)), options with { Writers = 2 }, cancellationToken: Cancel);
            Assert.Equal((end - stored, stored), (result.Stored, result.Duplicate));
            await AssertStoredAsync(end);
        }
    }

    [Fact]
    public async Task Keyed_stream_with_other_rows_is_a_conflict_that_stores_nothing()
    {
        var rows = Rows(15_000).ToList();
        var options = new IngestOptions<Connection> { Source = "sensor", StreamKey = "day" };
        await Service.StoreAsync(Stream(rows), options, cancellationToken: Cancel);
        rows[12_000].BytesSent = 7;

        var error = await Assert.ThrowsAsync<BatchConflictException>(
            () => Service.StoreAsync(Stream(rows), options, cancellationToken: Cancel));

        Assert.Equal(("sensor", "day@10000"), (error.BatchSource, error.BatchKey));
        Assert.Contains("other content", error.Message, StringComparison.Ordinal);
        await AssertStoredAsync(15_000);
    }

    [Fact]
    public async Task Keyed_stream_of_several_writers_stores_nothing_behind_other_rows()
    {
        var rows = Rows(80_000).ToList();
        var options = new IngestOptions<Connection> { Source = "sensor", StreamKey = "day", Writers = 4 };
        await Service.StoreAsync(Stream(rows.Take(15_000)), options, cancellationToken: Cancel);
        rows[12_000].BytesSent = 7;

        var error = await Assert.ThrowsAsync<BatchConflictException>(
            () => Service.StoreAsync(Stream(rows), options, cancellationToken: Cancel));

        Assert.Equal("day@10000", error.BatchKey);
        Assert.Contains("store the first 10000 under this StreamKey", error.Message, StringComparison.Ordinal);
        await AssertStoredAsync(15_000);
        Assert.Equal(0, await Count("ingest_batches WHERE batch_key NOT IN ('day@0', 'day@10000')"));
    }

    // Another process is at work under the same key, with other rows.
    [Fact]
    public async Task Rows_that_were_stored_behind_a_conflict_of_this_moment_are_told()
    {
        var rows = Rows(60_000).ToList();
        var options = new IngestOptions<Connection> { Source = "sensor", StreamKey = "day", Writers = 3 };
        await using var other = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await other.BeginTransactionAsync(Cancel);
        await using (var command = new NpgsqlCommand(
            "INSERT INTO ingest_batches (source, batch_key, content_hash, rows_read, rows_stored) VALUES ('sensor', 'day@10000', '\\x00', 1, 0)",
            other))
        {
            await command.ExecuteNonQueryAsync(Cancel);
        }

        var storing = Service.StoreAsync(Stream(rows), options, cancellationToken: Cancel);
        while (await Count("ingest_batches") < 5 && !storing.IsCompleted)
            await Task.Delay(20, Cancel);
        await transaction.CommitAsync(Cancel);
        var error = await Assert.ThrowsAsync<BatchConflictException>(() => storing);

        Assert.Equal("day@10000", error.BatchKey);
        Assert.Contains("numbers 20000 to 59999 are stored under this StreamKey", error.Message, StringComparison.Ordinal);
        var first = await Service.StoreAsync(Stream(rows.Take(10_000)), options, cancellationToken: Cancel);
        var rest = await Service.StoreAsync(
            Stream(rows.Skip(10_000).Take(10_000)), options with { StreamKey = "rest" }, cancellationToken: Cancel);
        Assert.Equal((0, 10_000), (first.Stored, rest.Stored));
        Assert.Equal(60_000, await Count("connections"));
    }

    [Fact]
    public async Task Batch_that_two_processes_send_at_once_is_stored_once()
    {
        var rows = Rows(40_000).ToList();
        var options = new IngestOptions<Connection> { Source = "sensor", StreamKey = "both", Writers = 2 };

        var results = await Task.WhenAll(Enumerable.Range(0, 3).Select(
            _ => Service.StoreAsync(Stream(rows), options, cancellationToken: Cancel)));

        Assert.Equal(40_000, results.Sum(r => r.Stored));
        Assert.Equal(80_000, results.Sum(r => r.Duplicate));
        await AssertStoredAsync(40_000);
    }

    [Fact]
    public async Task Batch_is_known_by_the_key_of_its_sender()
    {
        var rows = Rows(100).ToList();

        var first = await Service.StoreBatchAsync("sensor-1", "17", rows, Cancel);
        var again = await Service.StoreBatchAsync("sensor-1", "17", rows, Cancel);
        var other = await Service.StoreBatchAsync("sensor-2", "17", rows, Cancel);
        var conflict = await Assert.ThrowsAsync<BatchConflictException>(
            () => Service.StoreBatchAsync("sensor-1", "17", Rows(101).ToList(), Cancel));

        Assert.Equal((100, 0), (first.Stored, first.Duplicate));
        Assert.Equal((0, 100), (again.Stored, again.Duplicate));
        Assert.Equal((100, 0), (other.Stored, other.Duplicate));
        Assert.Equal("17", conflict.BatchKey);
        await AssertStoredAsync(200);
    }

    [Fact]
    public async Task Ledger_tells_what_a_batch_held()
    {
        var rows = Rows(10).ToList();
        rows[3].DstPort = 70_000;

        await Service.StoreBatchAsync("sensor", "1", rows, Cancel);

        var entry = Assert.Single(await Database.QueryAsync(
            """
            SELECT rows_read, rows_stored, rows_duplicate, rows_rejected, octet_length(content_hash),
                   first_event_at = (SELECT min("timestamp") FROM connections), last_event_at = (SELECT max("timestamp") FROM connections)
            FROM ingest_batches
            """));
        Assert.Equal([10L, 9L, 0L, 1L, 32, true, true], entry);
    }

    [Fact]
    public async Task Bad_row_is_rejected_with_its_reason_and_no_other()
    {
        var rows = Rows(20_000).ToList();
        rows[0].DstPort = -1;
        rows[11_111].DstOrg = "a\0b";
        rows[19_999].SrcMac = MacAddress.Broadcast;
        var told = new List<IngestRejection<Connection>>();

        var result = await Service.StoreAsync(
            Stream(rows), new IngestOptions<Connection> { MaxReportedRejections = 2, OnRejected = told.Add }, cancellationToken: Cancel);

        Assert.Equal((20_000, 19_997, 3), (result.Read, result.Stored, result.Rejected));
        Assert.Equal([0, 11_111], result.Rejections.Select(r => r.Position));
        Assert.Equal([0, 11_111, 19_999], told.Select(r => r.Position));
        Assert.Same(rows[11_111], told[1].Record);
        Assert.Contains("dst_org", told[1].Reason, StringComparison.Ordinal);
        await AssertStoredAsync(19_997);
    }

    [Fact]
    public async Task Row_that_only_the_server_refuses_stands_alone()
    {
        await Run("ALTER TABLE connections ADD CONSTRAINT ours CHECK (dst_port <> 4242)");
        var rows = Rows(10_000).ToList();
        foreach (var bad in (int[])[0, 5_000, 5_001, 9_999])
            rows[bad].DstPort = 4242;

        var result = await Service.StoreBatchAsync("sensor", "1", rows, Cancel);
        var again = await Service.StoreBatchAsync("sensor", "1", rows, Cancel);

        Assert.Equal((10_000, 9_996, 4), (result.Read, result.Stored, result.Rejected));
        Assert.Equal([0, 5_000, 5_001, 9_999], result.Rejections.Select(r => r.Position));
        Assert.All(result.Rejections, r => Assert.Contains("ours", r.Reason, StringComparison.Ordinal));
        Assert.Equal((0, 10_000), (again.Stored, again.Read));
        Assert.Equal([10_000L, 9_996L, 4L], Assert.Single(await Database.QueryAsync("SELECT rows_read, rows_stored, rows_rejected FROM ingest_batches")));
        await AssertStoredAsync(9_996);
    }

    [Fact]
    public async Task Batch_of_nothing_but_bad_rows_is_rejected_as_a_whole()
    {
        var rows = Rows(50).ToList();
        rows.ForEach(row => row.ThreatScore = float.NaN);

        var result = await Service.StoreBatchAsync("sensor", "1", rows, Cancel);

        Assert.Equal((50, 50), (result.Read, result.Rejected));
        Assert.Equal(0, await Count("connections"));
    }

    [Fact]
    public async Task Fault_that_does_not_pass_names_the_batch_and_is_not_repeated()
    {
        await Run("DROP TABLE connections CASCADE");

        var error = await Assert.ThrowsAsync<IngestException>(() => Service.StoreBatchAsync("sensor", "44", Rows(3).ToList(), Cancel));

        Assert.Equal(("sensor", "44", false), (error.BatchSource, error.BatchKey, error.IsOutcomeUnknown));
        Assert.Contains("'44'", error.Message, StringComparison.Ordinal);
        Assert.Contains("42P01", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, await Count("ingest_batches"));
    }

    [Fact]
    public async Task Sightings_that_the_database_refuses_are_not_stored_and_said_to_be_so()
    {
        await Run("DROP FUNCTION merge_device_sightings");

        var error = await Assert.ThrowsAsync<IngestException>(() => Service.StoreBatchAsync("sensor", "44", Sightings(3), Cancel));

        Assert.Equal(("sensor", "44", false), (error.BatchSource, error.BatchKey, error.IsOutcomeUnknown));
        Assert.Contains("is not stored", error.Message, StringComparison.Ordinal);
        Assert.Contains("42883", error.Message, StringComparison.Ordinal);
    }

    // What the server refused is nothing that may turn out to be stored.
    [Fact]
    public async Task Sightings_that_another_stored_after_a_refusal_are_duplicates()
    {
        await Run(
            """
            CREATE SEQUENCE tries;
            CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('public.tries') = 1 THEN
                    RAISE 'first' USING ERRCODE = 'serialization_failure';
                END IF;
                RETURN NULL;
            END $$;
            CREATE TRIGGER fail_once AFTER INSERT ON devices FOR EACH STATEMENT EXECUTE FUNCTION fail_once()
            """);
        var options = new IngestOptions<DeviceSighting>
        {
            Source = "sensor", StreamKey = "day",
            Retry = new() { FirstDelay = TimeSpan.FromSeconds(4), MaxDelay = TimeSpan.FromSeconds(4) },
        };

        var first = Service.StoreAsync(Stream(Sightings(3)), options, cancellationToken: Cancel);
        while (!await Scalar<bool>("SELECT is_called FROM tries"))
            await Task.Delay(5, Cancel);
        var second = await Service.StoreAsync(Stream(Sightings(3)), options, cancellationToken: Cancel);

        Assert.Equal((3, 0), (second.Stored, second.Duplicate));
        Assert.Equal((0, 3, 1), ((await first).Stored, (await first).Duplicate, (await first).Retries));
    }

    [Fact]
    public async Task Server_that_cannot_be_reached_is_tried_as_often_as_told()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=u;Database=d;Timeout=1");
        var options = new IngestOptions<Connection>
        {
            Retry = new() { MaxAttempts = 3, FirstDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(2) },
        };

        var error = await Assert.ThrowsAsync<IngestException>(
            () => new IngestService(nowhere).StoreAsync(Stream(Rows(1)), options, cancellationToken: Cancel));

        Assert.Contains("3 tries", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelled_call_keeps_what_is_committed()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var progress = new Reports(state =>
        {
            if (state.Stored >= 20_000)
                cancel.Cancel();
        });
        var options = new IngestOptions<Connection> { Source = "sensor", StreamKey = "cut" };

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Service.StoreAsync(Stream(Rows(1_000_000)), options, progress, cancel.Token));
        Assert.Equal(cancel.Token, error.CancellationToken);

        var stored = await Count("connections");
        Assert.InRange(stored, 20_000, 990_000);
        Assert.Equal(0, stored % 10_000);
        var rest = await Service.StoreAsync(Stream(Rows((int)stored + 5)), options, cancellationToken: Cancel);
        Assert.Equal((5, stored), (rest.Stored, rest.Duplicate));
        await AssertStoredAsync(stored + 5);
    }

    [Fact]
    public async Task Call_that_is_cancelled_while_its_source_waits_throws_the_callers_token()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var call = Service.StoreAsync(Nothing(CancellationToken.None), new() { BatchSize = 10 }, cancellationToken: cancel.Token);
        cancel.CancelAfter(TimeSpan.FromMilliseconds(200));

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        Assert.Equal(cancel.Token, error.CancellationToken);

        static async IAsyncEnumerable<Connection> Nothing([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            yield break;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Fault_that_stays_ends_the_call_while_the_source_has_nothing_to_give(int writers)
    {
        await Run("ALTER TABLE connections RENAME COLUMN dst_port TO port");

        var error = await Assert.ThrowsAsync<IngestException>(
            () => Service.StoreAsync(ThenNothing(Cancel), new() { BatchSize = 10, Writers = writers }, cancellationToken: Cancel).WaitAsync(TimeSpan.FromMinutes(1), Cancel));

        Assert.Contains("42703", error.Message, StringComparison.Ordinal);

        static async IAsyncEnumerable<Connection> ThenNothing([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var row in Rows(10))
                yield return row;
            try
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // As a source says it that does not speak of cancellation.
                throw new IOException("the stream is closed");
            }
        }
    }

    // What is stored is stored, whatever becomes of telling it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Error_of_a_callback_reaches_the_caller_and_undoes_nothing(bool isOfProgress)
    {
        var rows = Rows(60).ToList();
        rows[25].DstPort = rows[26].DstPort = -1;
        var told = new List<long>();
        var writer = Service.OpenConnectionWriter(new()
        {
            BatchSize = 10, FlushInterval = TimeSpan.FromHours(1),
            OnRejected = r => { told.Add(r.Position); throw new IOException("the disk is full"); },
        });
        foreach (var row in rows)
            await writer.WriteAsync(row, Cancel);

        await Assert.ThrowsAsync<IOException>(() => writer.CompleteAsync(Cancel));

        Assert.Equal([25, 26], told);
        Assert.Equal(28, await Count("connections"));
        Assert.Equal(rows.Skip(30), writer.Unstored.SelectMany(batch => batch.Records));
        await writer.DisposeAsync();

        var options = new IngestOptions<Connection> { StreamKey = "s", OnRejected = _ => { if (!isOfProgress) throw new IOException(); } };
        var progress = new Reports(_ => { if (isOfProgress) throw new IOException(); });
        await Assert.ThrowsAsync<IOException>(() => Service.StoreAsync(Stream(rows), options, progress, Cancel));
        Assert.Equal(28 + 58, await Count("connections"));
    }

    [Fact]
    public async Task Error_of_the_stream_reaches_the_caller_and_keeps_what_is_committed()
    {
        async IAsyncEnumerable<Connection> Broken()
        {
            foreach (var row in Rows(10_500))
                yield return row;
            await Task.Yield();
            throw new InvalidDataException("cut");
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => Service.StoreAsync(Broken(), cancellationToken: Cancel));

        Assert.True(await Count("connections") is 0 or 10_000);
    }

    [Fact]
    public async Task Several_writers_keep_every_counter_exact()
    {
        var options = new IngestOptions<Connection> { Writers = 4, BatchSize = 500 };

        var result = await Service.StoreAsync(Stream(Rows(20_000)), options, cancellationToken: Cancel);

        Assert.Equal((20_000, 40), (result.Stored, result.Batches));
        await AssertStoredAsync(20_000);
    }

    [Theory]
    [InlineData(0, 1, "BatchSize")]
    [InlineData(1_000_001, 1, "BatchSize")]
    [InlineData(10, 0, "Writers")]
    [InlineData(10, 33, "Writers")]
    public async Task Option_out_of_range_is_named(int batchSize, int writers, string name)
    {
        var options = new IngestOptions<Connection> { BatchSize = batchSize, Writers = writers };

        var error = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Service.StoreAsync(Stream<Connection>([]), options, cancellationToken: Cancel));

        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_comes_from_an_applications_services()
    {
        await using var services = new ServiceCollection().AddCobaltGraph(Database.ConnectionString).BuildServiceProvider();

        var result = await services.GetRequiredService<IIngestService>().StoreBatchAsync("s", "1", Rows(2).ToList(), Cancel);

        Assert.Equal(2, result.Stored);
    }

    /// <summary>Rows that are the same whenever they are asked for.</summary>
    internal static IEnumerable<Connection> Rows(int count)
    {
        var start = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        for (var i = 0; i < count; i++)
        {
            yield return new Connection
            {
                Timestamp = start.AddSeconds(i),
                SrcMac = new MacAddress(0x0200_0000_0000 + i % 97),
                SrcIp = new IPAddress([10, 0, (byte)(i % 97), 1]),
                SrcPort = 1024 + i % 60_000,
                DstIp = new IPAddress([203, 0, 113, (byte)(i % 251)]),
                DstPort = 443,
                Protocol = "TCP",
                ThreatScore = i % 100 == 0 ? 8 : 0.5f,
                BytesSent = i,
                Duration = TimeSpan.FromMilliseconds(i),
            };
        }
    }

    private static List<DeviceSighting> Sightings(int count)
        => [.. Enumerable.Range(0, count).Select(i => new DeviceSighting
        {
            MacAddress = new MacAddress(0x0200_0000_0000 + i),
            IpAddress = new IPAddress([10, 0, 0, (byte)i]),
            SeenAt = new DateTimeOffset(2026, 11, 1, 0, 0, i, TimeSpan.Zero),
        })];

    internal static async IAsyncEnumerable<T> Stream<T>(IEnumerable<T> rows)
    {
        foreach (var row in rows)
            yield return row;
        await Task.CompletedTask;
    }

    private async Task AssertStoredAsync(long rows)
    {
        Assert.Equal(rows, await Count("connections"));
        Assert.Equal(rows, await Scalar<long>("SELECT coalesce(sum(connection_count), 0)::bigint FROM devices"));
        Assert.Equal(rows, await Scalar<long>("SELECT coalesce(sum(connection_count), 0)::bigint FROM device_destinations"));
        Assert.Equal(
            await Count("connections WHERE threat_score >= threat_threshold()"),
            await Scalar<long>("SELECT coalesce(sum(threat_count), 0)::bigint FROM devices"));
        Assert.Equal(rows, await Scalar<long>("SELECT coalesce(sum(rows_stored), 0)::bigint FROM ingest_batches"));
    }

    private sealed class Reports(Action<IngestProgress> report) : IProgress<IngestProgress>
    {
        public void Report(IngestProgress value) => report(value);
    }
}
