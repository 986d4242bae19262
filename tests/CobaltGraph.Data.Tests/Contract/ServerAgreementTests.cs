using System.Text.Json;
using CobaltGraph.Model;
using CobaltGraph.Testing;
using Npgsql;
using NpgsqlTypes;

namespace CobaltGraph.Data.Tests.Contract;

// What C# makes of a text, the server makes of it too.
public class ServerAgreementTests(PostgresServerFixture server) : DatabaseTest(server)
{
    [Fact]
    public async Task Every_mac_address_text_that_is_accepted_is_the_same_address_in_the_server()
    {
        var random = new Random(48);
        var texts = new List<string>();
        while (texts.Count < 5_000)
        {
            var text = random.Next(2) == 0
                ? new MacAddress(random.NextInt64(0x1_0000_0000_0000)).ToString(random.GetString("cCdDpPnN", 1))
                : random.GetString("0aF9:-. ", random.Next(11, 18));
            if (random.Next(3) == 0)
                text = text.Replace("0", "", StringComparison.Ordinal);
            if (MacAddress.TryParse(text, out _))
                texts.Add(text);
        }

        await using var command = Database.DataSource.CreateCommand(
            "SELECT t::macaddr::text FROM unnest($1) WITH ORDINALITY AS u(t, n) ORDER BY n");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. texts] });
        Assert.Equal(texts.Select(text => MacAddress.Parse(text).ToString()), await Read(command));
    }

    [Fact]
    public async Task Mac_addresses_have_the_order_of_the_server()
    {
        var random = new Random(49);
        var macs = Enumerable.Range(0, 2_000).Select(_ => new MacAddress(random.NextInt64(0x1_0000_0000_0000) >> random.Next(40))).ToArray();

        await using var command = Database.DataSource.CreateCommand("SELECT m::text FROM unnest($1) AS u(m) ORDER BY m");
        command.Parameters.AddWithValue(Array.ConvertAll(macs, mac => mac.ToPhysicalAddress()));
        Assert.Equal(macs.Order().Select(mac => mac.ToString()), await Read(command));
    }

    [Fact]
    public async Task Metadata_text_at_a_path_is_that_of_the_server_and_metadata_survives_it()
    {
        const string json =
            """
            {"notes": "Grüße 😀", "tags": ["a", "b", 5], "custom": {"a b": {"c.d": [1.50, null, true, {"e": []}]}}, "threat": 7,
             "big": 123456789012345678901234567890.10, "tiny": 1e-30, "": {"": "empty"}, "nothing": null}
            """;
        string[][] paths =
        [
            ["notes"], ["tags"], ["tags", "0"], ["tags", "-1"], ["tags", " 2"], ["tags", "+1"], ["tags", "3"], ["tags", "-4"], ["tags", "x"],
            ["custom"], ["custom", "a b", "c.d"], ["custom", "a b", "c.d", "0"], ["custom", "a b", "c.d", "1"],
            ["custom", "a b", "c.d", "2"], ["custom", "a b", "c.d", "-1", "e"], ["threat"], ["threat", "source"], ["big"], ["tiny"],
            ["", ""], ["nothing"], ["missing"], [],
        ];

        await using var command = Database.DataSource.CreateCommand("SELECT $1::jsonb::text");
        command.Parameters.AddWithValue(json);
        var stored = (await Read(command))[0]!;
        var device = DeviceMetadata.Parse(stored);
        var connection = ConnectionMetadata.Parse(stored);

        foreach (var path in paths)
        {
            await using var query = Database.DataSource.CreateCommand("SELECT $1::jsonb #>> $2");
            query.Parameters.AddWithValue(json);
            query.Parameters.Add(new NpgsqlParameter { Value = path, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
            var expected = (await Read(query))[0];
            Assert.Equal(Normal(expected), Normal(device.Text(path)));
            Assert.Equal(Normal(expected), Normal(connection.Text(path)));
        }

        foreach (var written in (string[])[device.ToJson(), connection.ToJson()])
        {
            await using var same = Database.DataSource.CreateCommand("SELECT $1::jsonb = $2::jsonb AND $1::jsonb::text = $2::jsonb::text");
            same.Parameters.AddWithValue(json);
            same.Parameters.AddWithValue(written);
            Assert.True((bool?)await same.ExecuteScalarAsync(Cancel));
        }

        // The server puts spaces and an order of its own into objects and arrays.
        static string? Normal(string? text)
            => text is not null && text[..1] is "{" or "["
                ? string.Concat(JsonSerializer.Serialize(JsonElement.Parse(text!)).Order())
                : text;
    }

    [Fact]
    public async Task Metadata_nested_as_deeply_as_the_server_allows_can_be_read()
    {
        const int depth = 5_000;
        await using var command = Database.DataSource.CreateCommand("SELECT jsonb_build_object('x', (repeat('[', $1) || repeat(']', $1))::jsonb)::text");
        command.Parameters.AddWithValue(depth);
        var stored = (await Read(command))[0]!;

        Assert.Equal(stored.Replace(" ", "", StringComparison.Ordinal), DeviceMetadata.Parse(stored).ToJson());
    }

    private static async Task<List<string?>> Read(NpgsqlCommand command)
    {
        var rows = new List<string?>();
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        while (await reader.ReadAsync(Cancel))
            rows.Add(await reader.IsDBNullAsync(0, Cancel) ? null : reader.GetString(0));
        return rows;
    }
}
