using CobaltGraph.Data.Schema;
using CobaltGraph.Data.Schema.Catalog;
using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Schema;

public class SchemaCatalogTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Two_schemas_of_one_release_are_alike_and_read_the_same_in_any_session()
    {
        const string odd = "Wing \"B\" {0}', x";
        await using var other = await Server.CreateDatabaseAsync(migrated: false);
        await using var source = NpgsqlDataSource.Create(other.ConnectionStringWith(o =>
        {
            o.SearchPath = $"\"{odd.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
            o.Timezone = "America/New_York";
        }));
        await new SchemaMigrator(source).MigrateAsync(null, mayRevert: [], TimeSpan.FromSeconds(30), _ => { }, _ => { }, Cancel);
        await using var connection = await source.OpenConnectionAsync(Cancel);
        await using (var style = new NpgsqlCommand("SET datestyle = 'German'; SET quote_all_identifiers = on", connection))
            await style.ExecuteNonQueryAsync(Cancel);
        // On the last days of a month the months of migration 001, which reckons them in the session's zone, are one more elsewhere.
        const string months = "SELECT ensure_connection_partitions(now(), (now() AT TIME ZONE 'UTC' + interval '5 months') AT TIME ZONE 'UTC')";
        await Run(months);
        await using (var same = new NpgsqlCommand(months, connection))
            await same.ExecuteNonQueryAsync(Cancel);

        var expected = await ReadAsync(Database, "public");
        var found = await SchemaCatalog.ReadAsync(connection, odd, null, Cancel);

        Assert.Empty(SchemaCatalog.Compare(expected, found).Select(d => $"{d.Kind} {d.Name} {d.Property}: {d.Expected} / {d.Found}"));
        Assert.Equal(expected.ToLines(), found.ToLines());
        Assert.Equal("German", await new NpgsqlCommand("SELECT split_part(current_setting('datestyle'), ',', 1)", connection).ExecuteScalarAsync(Cancel));
    }

    [Fact]
    public async Task Empty_schema_has_nothing_but_itself_and_a_missing_one_is_an_error()
    {
        await Run("CREATE SCHEMA nothing");

        Assert.Equal("schema", Assert.Single((await ReadAsync(Database, "nothing")).Objects).Kind);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => ReadAsync(Database, "nowhere"));
        Assert.Contains("\"nowhere\"", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_inside_of_a_transaction_leaves_its_settings_and_sees_what_it_did()
    {
        var before = await ReadAsync(Database, "public");
        await using var connection = await Database.DataSource.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await using (var change = new NpgsqlCommand("SET LOCAL timezone = 'Asia/Kathmandu'; DROP VIEW device_threats", connection))
            await change.ExecuteNonQueryAsync(Cancel);

        var found = await SchemaCatalog.ReadAsync(connection, "public", null, Cancel);

        Assert.DoesNotContain(found.Objects, o => o.Name == "device_threats");
        Assert.Equal("Asia/Kathmandu", await new NpgsqlCommand("SHOW timezone", connection).ExecuteScalarAsync(Cancel));
        Assert.Contains(
            SchemaCatalog.Compare(before, found),
            d => d is { Kind: "view", Name: "device_threats", Property: null, Expected: "there", Found: null });
    }

    private static async Task<SchemaCatalog> ReadAsync(TestDatabase database, string schema)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Cancel);
        return await SchemaCatalog.ReadAsync(connection, schema, null, Cancel);
    }
}
