using System.Net;
using CobaltGraph.Data.Import;
using CobaltGraph.Data.Ingest;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Roles;

// The library stores as a writer and nothing more, and each writer's batches are its own.
public sealed class SourceTests(TwoSites sites) : IClassFixture<TwoSites>
{
    private RolesDatabase Roles => sites.Roles;

    private NpgsqlDataSource Writer => Roles.As(sites.Writer, TwoSites.First);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Library_stores_connections_and_sightings_as_a_writer()
    {
        var ingest = new IngestService(Writer);
        var source = sites.Writer;

        var stored = await ingest.StoreBatchAsync(source, "connections", [.. Connections(3, Mac)], Cancel);
        var again = await ingest.StoreBatchAsync(source, "connections", [.. Connections(3, Mac)], Cancel);
        var sighted = await ingest.StoreBatchAsync(
            source + "/dhcp", "sightings", [new DeviceSighting { MacAddress = Mac, Hostname = "printer" }], Cancel);

        Assert.Equal((3, 0, 1), (stored.Stored, again.Stored, sighted.Stored));
        Assert.Equal(3, again.Duplicate);
        Assert.Equal("3 printer", await Roles.ScalarAsync<string>(
            sites.Reader, TwoSites.First, $"SELECT connection_count || ' ' || hostname FROM devices WHERE mac_address = '{Mac}'"));
    }

    [Fact]
    public async Task Row_that_only_the_server_refuses_is_left_out_and_the_ledger_says_so()
    {
        await Roles.Database.ExecuteAsync(
            $"ALTER TABLE {RolesDatabase.Quoted(TwoSites.First)}.connections ADD CONSTRAINT no_666 CHECK (dst_port <> 666)");
        var rows = Connections(5).ToList();
        rows[2].DstPort = 666;

        var stored = await new IngestService(Writer).StoreBatchAsync(sites.Writer, "one is bad", rows, Cancel);

        Assert.Equal((4, 1), (stored.Stored, stored.Rejected));
        Assert.Equal("4 1", await Roles.ScalarAsync<string>(
            sites.Reader, TwoSites.First, "SELECT rows_stored || ' ' || rows_rejected FROM ingest_batches WHERE batch_key = 'one is bad'"));
    }

    [Theory]
    [InlineData("application")]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("{other}")]
    [InlineData("{other}/conn")]
    [InlineData("{own}x")]
    [InlineData(" {own}")]
    [InlineData("x/{own}")]
    [InlineData("'; DROP TABLE devices; --")]
    [InlineData("\"{own}\"")]
    public async Task Source_of_another_is_refused(string source)
    {
        source = source.Replace("{own}", sites.Writer, StringComparison.Ordinal)
            .Replace("{other}", sites.OtherWriter, StringComparison.Ordinal);

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => ClaimAsync(Writer, source))).SqlState);
    }

    [Fact]
    public async Task Library_says_which_sources_a_login_has()
    {
        var error = await Assert.ThrowsAsync<IngestException>(() => new IngestService(Writer)
            .StoreBatchAsync("application", "k", [.. Connections(1)], Cancel));

        Assert.Contains("'application' is not a source of this login", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsOutcomeUnknown);

        error = await Assert.ThrowsAsync<IngestException>(() => new IngestService(Writer).StoreBatchAsync(
            "application", "k", [new DeviceSighting { MacAddress = MacAddress.Parse("02:00:00:00:00:01") }], Cancel));
        Assert.Contains("'application' is not a source of this login", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsOutcomeUnknown);
    }

    [Fact]
    public async Task Another_writers_batch_cannot_be_made_look_stored()
    {
        var ingest = new IngestService(Roles.As(sites.OtherWriter, TwoSites.First));
        await Assert.ThrowsAsync<PostgresException>(() => ClaimAsync(Writer, sites.OtherWriter, "tonight"));

        var stored = await ingest.StoreBatchAsync(sites.OtherWriter, "tonight", [.. Connections(2)], Cancel);
        Assert.Equal(2, stored.Stored);

        // Within a source other rows under a key are an error, and loud.
        await Assert.ThrowsAsync<BatchConflictException>(
            () => ingest.StoreBatchAsync(sites.OtherWriter, "tonight", [.. Connections(3)], Cancel));
    }

    [Fact]
    public async Task Source_named_after_a_role_is_open_to_its_members()
    {
        var shared = Roles.Named("sensors");
        await Roles.RunAsync(Roles.Dba, TwoSites.First, $"CREATE ROLE {shared}");
        await Assert.ThrowsAsync<PostgresException>(() => ClaimAsync(Writer, $"{shared}/conn"));

        await Roles.RunAsync(Roles.Dba, TwoSites.First, $"GRANT {shared} TO {sites.Writer}");
        await ClaimAsync(Writer, $"{shared}/conn");
        await Assert.ThrowsAsync<PostgresException>(
            () => ClaimAsync(Roles.As(sites.OtherWriter, TwoSites.First), $"{shared}/dhcp"));
    }

    [Fact]
    public async Task Counts_of_an_entry_are_corrected_by_its_transaction_only()
    {
        await ClaimAsync(Writer, sites.Writer, "counts");
        const string correct = "UPDATE ingest_batches SET rows_rejected = 7 WHERE batch_key = 'counts'";

        Assert.Equal(0, await Roles.RunAsync(sites.Writer, TwoSites.First, correct));
        Assert.Equal(0, await Roles.RunAsync(sites.OtherWriter, TwoSites.First, correct));
    }

    [Fact]
    public async Task Time_of_an_entry_is_the_servers()
        => await Roles.RefusedAsync(
            sites.Writer, TwoSites.First,
            "INSERT INTO ingest_batches (source, batch_key, committed_at) VALUES (session_user, 'old', '2020-01-01')");

    [Fact]
    public async Task Odd_names_are_sources_and_keys_like_others()
    {
        var odd = await Roles.LoginAsync(Roles.Named("o'dd \"💡\";--"), sites.FirstNames.Writer);
        var source = Roles.As(odd, TwoSites.First);

        await ClaimAsync(source, odd, "'; DELETE FROM devices; --");
        await ClaimAsync(source, $"{odd}/{new string('x', 1000)}");
        Assert.Equal(PostgresErrorCodes.CharacterNotInRepertoire, (await Assert.ThrowsAsync<PostgresException>(() => ClaimAsync(source, odd + "/\0"))).SqlState);
        // Of random text, which does not compress: beyond what an index holds.
        var long100K = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(50_000));
        Assert.Equal(PostgresErrorCodes.ProgramLimitExceeded, (await Assert.ThrowsAsync<PostgresException>(() => ClaimAsync(source, $"{odd}/{long100K}"))).SqlState);
    }

    [Fact]
    public async Task Import_without_a_source_takes_one_of_the_logins_own()
    {
        Assert.Equal((sites.Writer, $"{sites.Writer}/files"), await LedgerSource.DefaultAsync(Writer, "files", Cancel));
        // The owner of the tables is bound by no policy.
        Assert.Equal("files", (await LedgerSource.DefaultAsync(Roles.As(sites.Migrator, TwoSites.First), "files", Cancel)).Source);
    }

    [Fact]
    public async Task Import_without_a_source_does_not_store_again_what_another_stored()
    {
        await ClaimAsync(Roles.Database.DataSource, "nightly", schema: TwoSites.First);
        Assert.Null((await LedgerSource.DefaultAsync(Writer, "nightly", Cancel)).Source);
    }

    [Fact]
    public async Task Files_are_imported_as_a_writer()
    {
        var (_, source) = await LedgerSource.DefaultAsync(Writer, "import", Cancel);
        using var csv = new MemoryStream("timestamp,src_mac,dst_ip,dst_port\n2026-03-01T00:00:00Z,02:00:5e:00:0f:01,192.0.2.1,443\n"u8.ToArray());

        var result = await FileImporter.ImportAsync(
            ImportTarget.Database(Writer), [ImportInput.Of("conn.csv", () => csv)], new ImportOptions { Source = source! },
            progress: null, Cancel);

        Assert.Equal((1, 1), (result.Read, result.Stored));
    }

    private static MacAddress Mac { get; } = MacAddress.Parse("02:00:5e:00:0a:01");

    private static IEnumerable<Connection> Connections(int count, MacAddress? mac = null)
        => Enumerable.Range(1, count).Select(i => new Connection
        {
            Timestamp = new DateTimeOffset(2026, 3, 1, 0, 0, i, TimeSpan.Zero),
            SrcMac = mac,
            DstIp = IPAddress.Parse("192.0.2.1"),
            DstPort = i,
        });

    private static async Task ClaimAsync(NpgsqlDataSource writer, string source, string key = "k", string? schema = null)
    {
        await using var command = writer.CreateCommand(
            $"INSERT INTO {(schema is null ? "" : RolesDatabase.Quoted(schema) + ".")}ingest_batches (source, batch_key) VALUES ($1, $2)");
        command.Parameters.Add(new() { Value = source });
        command.Parameters.Add(new() { Value = key });
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
