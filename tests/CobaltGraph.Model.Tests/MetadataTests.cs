using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CobaltGraph.Model.Tests;

public class MetadataTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"notes":"x","tags":["a","b"],"custom":{"k":[1,{"z":null}]},"site":{"rack":"R1"}}""")]
    [InlineData("""{"tags":"x"}""")]
    [InlineData("""{"tags":["x",5]}""")]
    [InlineData("""{"tags":[null]}""")]
    [InlineData("""{"tags":[]}""")]
    [InlineData("""{"tags":{}}""")]
    [InlineData("""{"notes":5}""")]
    [InlineData("""{"notes":null}""")]
    [InlineData("""{"notes":{"a":[true,false]}}""")]
    [InlineData("""{"notes":"x","custom":[1]}""")]
    [InlineData("""{"custom":null,"":1," ":2,"NOTES":"other","notes ":3}""")]
    [InlineData("""{"big":123456789012345678901234567890.123456789012345678901234567890,"e":1E+400,"z":-0.0,"t":1.00}""")]
    [InlineData("""{"u":"\u00e9\ud83d\ude00\u202e\u0001\\\"/","\u00e9":1}""")]
    public void Device_metadata_survives_reading_and_writing(string json)
        => AssertLossless<DeviceMetadata>(json, DeviceMetadata.Parse);

    [Theory]
    [InlineData("""{"threat":{"source":"feed","reason":"c2","indicator":"1.2.3.4","score":9.5},"service":"http","state":"SF","uid":"C1"}""")]
    [InlineData("""{"threat":[1]}""")]
    [InlineData("""{"threat":null}""")]
    [InlineData("""{"threat":{}}""")]
    [InlineData("""{"threat":{"source":5,"reason":null,"indicator":{}}}""")]
    [InlineData("""{"dns":"example.com"}""")]
    [InlineData("""{"dns":{"query":"example.com","answers":["192.0.2.1"],"type":"A","ttl":60}}""")]
    [InlineData("""{"dns":{"query":["a"],"answers":"192.0.2.1","type":1}}""")]
    [InlineData("""{"service":["http"],"state":1,"uid":false,"x":null}""")]
    public void Connection_metadata_survives_reading_and_writing(string json)
        => AssertLossless<ConnectionMetadata>(json, ConnectionMetadata.Parse);

    [Theory]
    [InlineData("""{"address":"192.0.2.1","n":[1,2,3]}""")]
    public void Event_metadata_survives_reading_and_writing(string json)
        => AssertLossless<DeviceEventMetadata>(json, DeviceEventMetadata.Parse);

    [Fact]
    public void Random_documents_survive_and_equal_themselves()
    {
        var random = new Random(42);
        for (var i = 0; i < 3000; i++)
        {
            var json = RandomObject(random, 4).ToJsonString();
            AssertLossless<DeviceMetadata>(json, DeviceMetadata.Parse);
            AssertLossless<ConnectionMetadata>(json, ConnectionMetadata.Parse);
        }
    }

    [Fact]
    public void Known_members_are_read()
    {
        var device = DeviceMetadata.Parse("""{"notes":"n","tags":["a","b"],"custom":{"k":1},"x":2}""");
        Assert.Equal("n", device.Notes);
        Assert.Equal(["a", "b"], device.Tags!);
        Assert.Equal(1, device.Custom!["k"].GetInt32());
        Assert.Equal(["x"], device.Other.Keys);

        var connection = ConnectionMetadata.Parse(
            """{"dns":{"query":"q","type":"A","answers":["1"]},"threat":{"source":"s","reason":"r","indicator":"i","y":1},"service":"v","state":"t","uid":"u"}""");
        Assert.Equal(new DnsMetadata { Query = "q", Type = "A", Answers = ["1"] }, connection.Dns);
        Assert.Equal(("s", "r", "i"), (connection.Threat!.Source, connection.Threat.Reason, connection.Threat.Indicator));
        Assert.Equal(["y"], connection.Threat.Other.Keys);
        Assert.Equal(("v", "t", "u"), (connection.Service, connection.State, connection.Uid));
        Assert.Empty(connection.Other);
    }

    [Fact]
    public void A_value_that_does_not_fit_gives_way_when_the_member_is_set()
    {
        var metadata = DeviceMetadata.Parse("""{"notes":5,"tags":null,"x":1}""");
        Assert.Null(metadata.Notes);

        metadata.Notes = "five";

        Assert.Equal("""{"notes":"five","tags":null,"x":1}""", metadata.ToJson());
        Assert.Equal("five", metadata.Text("notes"));
        metadata.Notes = null;
        Assert.Equal("5", metadata.Text("notes"));
    }

    [Fact]
    public void A_key_that_comes_twice_counts_the_last_time()
    {
        Assert.Equal("""{"notes":"b","x":2}""", DeviceMetadata.Parse("""{"notes":"a","x":1,"notes":"b","x":2}""").ToJson());
        Assert.Equal("""{"notes":5}""", DeviceMetadata.Parse("""{"notes":"a","notes":5}""").ToJson());
        Assert.Equal("""{"notes":"a"}""", DeviceMetadata.Parse("""{"notes":5,"notes":"a"}""").ToJson());
    }

    [Fact]
    public void Deep_nesting_as_jsonb_allows_it_survives()
    {
        foreach (var depth in (int[])[64, 1000, 10_000])
        {
            var json = $$"""{"x":{{new string('[', depth)}}{{new string(']', depth)}}}""";
            var metadata = DeviceMetadata.Parse(json);
            Assert.Equal(json, metadata.ToJson());
            Assert.Equal(metadata, DeviceMetadata.Parse(json));
            Assert.Equal(json[5..^1], metadata.Text("x"));
            metadata.Set("y", 1);
            Assert.NotEqual(metadata, DeviceMetadata.Parse(json));
        }
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("5")]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} x")]
    public void Text_that_is_no_object_is_refused(string json)
        => Assert.ThrowsAny<JsonException>(() => DeviceMetadata.Parse(json));

    [Fact]
    public void Equality_is_of_content_and_not_of_order_or_spelling()
    {
        var left = DeviceMetadata.Parse("""{"notes":"n","tags":["a"],"custom":{"a":1,"b":2},"x":{"p":1.0,"q":[1,2]},"y":null}""");
        var right = DeviceMetadata.Parse("""{"y":null,"x":{"q":[1,2],"p":1.00},"custom":{"b":2,"a":1},"tags":["a"],"notes":"\u006e"}""");
        Assert.Equal(left, right);
        Assert.True(left == right);
        Assert.Equal(left.GetHashCode(), right.GetHashCode());

        foreach (var other in (string[])[
            """{"notes":"n","tags":["a"],"custom":{"a":1,"b":2},"x":{"p":1.0,"q":[2,1]},"y":null}""",
            """{"notes":"n","tags":["a"],"custom":{"a":1,"b":2},"x":{"p":1.0,"q":[1,2]}}""",
            """{"notes":"n","tags":["a"],"custom":{"a":1,"b":3},"x":{"p":1.0,"q":[1,2]},"y":null}""",
            """{"notes":"n","tags":["A"],"custom":{"a":1,"b":2},"x":{"p":1.0,"q":[1,2]},"y":null}""",
            """{"notes":"m","tags":["a"],"custom":{"a":1,"b":2},"x":{"p":1.0,"q":[1,2]},"y":null}""",
            """{"notes":"n","tags":["a"],"custom":{"a":1,"b":2},"x":{"p":1.0,"q":[1,2]},"z":null}""",
            "{}"])
        {
            Assert.NotEqual(left, DeviceMetadata.Parse(other));
            Assert.NotEqual(DeviceMetadata.Parse(other), left);
        }
        Assert.False(left.Equals(null));
        Assert.NotEqual<MetadataRecord>(new DeviceMetadata(), new DeviceEventMetadata());
        Assert.Equal(new ConnectionMetadata(), ConnectionMetadata.Parse("{}"));
    }

    [Fact]
    public void A_copy_shares_nothing_that_changes()
    {
        var original = ConnectionMetadata.Parse(
            """{"dns":{"answers":["a"],"x":1},"threat":{"source":"s","y":1},"service":"http","z":1}""");
        var json = original.ToJson();

        var copy = original with { };
        Assert.Equal(original, copy);
        copy.Dns!.Answers!.Add("b");
        copy.Dns.Other["x2"] = JsonElement.Parse("2");
        copy.Threat!.Source = "t";
        copy.Other["z2"] = JsonElement.Parse("2");
        copy.Service = null;

        Assert.Equal(json, original.ToJson());
        Assert.NotEqual(original, copy);

        var device = DeviceMetadata.Parse("""{"tags":["a"],"custom":{"k":1}}""");
        var deviceCopy = device with { Notes = "n" };
        deviceCopy.Tags!.Add("b");
        deviceCopy.Custom!["l"] = JsonElement.Parse("2");
        Assert.Equal("""{"tags":["a"],"custom":{"k":1}}""", device.ToJson());
        Assert.Equal("""{"notes":"n","tags":["a","b"],"custom":{"k":1,"l":2}}""", deviceCopy.ToJson());
    }

    // The values are those of SELECT json #>> path in PostgreSQL 15.
    [Theory]
    [InlineData("hello", "notes")]
    [InlineData("b", "tags", "1")]
    [InlineData("b", "tags", "-1")]
    [InlineData(null, "tags", "2")]
    [InlineData(null, "tags", "-3")]
    [InlineData(null, "tags", "x")]
    [InlineData("""["a","b"]""", "tags")]
    [InlineData("R1", "site", "rack")]
    [InlineData("""{"rack":"R1","u":[1,{"v":2.50}]}""", "site")]
    [InlineData("2.50", "site", "u", "1", "v")]
    [InlineData("true", "yes")]
    [InlineData("false", "no")]
    [InlineData(null, "nothing")]
    [InlineData(null, "missing")]
    [InlineData(null, "notes", "0")]
    [InlineData(null, "yes", "x")]
    [InlineData("", "empty")]
    [InlineData("1", "custom", "a b", "c.d")]
    [InlineData("123456789012345678901234567890", "big")]
    public void Text_at_a_path_is_what_the_database_gives(string? expected, params string[] path)
    {
        var metadata = DeviceMetadata.Parse(
            """
            {"notes":"hello","tags":["a","b"],"custom":{"a b":{"c.d":1}},"site":{"rack":"R1","u":[1,{"v":2.50}]},
             "yes":true,"no":false,"nothing":null,"empty":"","big":123456789012345678901234567890}
            """);
        Assert.Equal(expected, metadata.Text(path));
    }

    [Fact]
    public void Text_reaches_into_nested_records_and_the_whole()
    {
        var metadata = new ConnectionMetadata { Threat = new ThreatMetadata { Source = "feed" }, Uid = "é" };
        metadata.Threat.Set("confidence", 0.5);
        Assert.Equal("feed", metadata.Text("threat", "source"));
        Assert.Equal("0.5", metadata.Text("threat", "confidence"));
        Assert.Equal("""{"source":"feed","confidence":0.5}""", metadata.Text("threat"));
        Assert.Equal("""{"threat":{"source":"feed","confidence":0.5},"uid":"é"}""", metadata.Text());
        Assert.Null(metadata.Text("threat", null!));
        Assert.Null(metadata.Text(null!, "source"));
    }

    [Fact]
    public void Values_are_set_and_got_by_path()
    {
        var metadata = new DeviceMetadata();
        metadata.Set("site", "Bern");
        metadata.Set(["location", "rack"], "R1");
        metadata.Set(["location", "unit"], 12);
        metadata.Set(["ports", "0"], "ignored");
        metadata.Set("seen", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        metadata.Set("peer", new MacAddress(1));
        metadata.Set("list", (string[])["a"]);
        metadata.Set(["list", "1"], "b");
        metadata.Set("notes", "known");
        metadata.Set("tags", new List<string> { "t" });

        Assert.Equal("known", metadata.Notes);
        Assert.Equal(["t"], metadata.Tags!);
        Assert.Equal("R1", metadata.Get<string>("location", "rack"));
        Assert.Equal(12, metadata.Get<int>("location", "unit"));
        Assert.Equal(12L, metadata.Get<long?>("location", "unit"));
        Assert.Null(metadata.Get<int?>("location", "missing"));
        Assert.Equal(0, metadata.Get<int>("location", "missing"));
        Assert.Equal("ignored", metadata.Text("ports", "0"));
        Assert.Equal(2026, metadata.Get<DateTimeOffset>("seen").Year);
        Assert.Equal(new MacAddress(1), metadata.Get<MacAddress>("peer"));
        Assert.Equal(["a", "b"], metadata.Get<string[]>("list")!);
        Assert.Equal(["known"], (string[])[metadata.Get<string>("notes")!]);
        Assert.Equal(JsonValueKind.Object, metadata.Get<JsonElement>("location").ValueKind);
        Assert.Equal(metadata, DeviceMetadata.Parse(metadata.ToJson()));
    }

    [Fact]
    public void Setting_a_known_key_to_another_type_keeps_it_as_it_is()
    {
        var metadata = new DeviceMetadata { Notes = "n", Tags = ["a"] };
        metadata.Set("notes", 5);
        metadata.Set<string?>("tags", null);
        Assert.Null(metadata.Notes);
        Assert.Null(metadata.Tags);
        Assert.Equal("""{"notes":5,"tags":null}""", metadata.ToJson());
    }

    [Fact]
    public void Removing_takes_known_and_unknown_values_away()
    {
        var metadata = DeviceMetadata.Parse("""{"notes":"n","tags":["a","b"],"custom":{"k":1,"l":2},"x":{"y":1}}""");
        Assert.True(metadata.Remove("notes"));
        Assert.True(metadata.Remove("tags", "0"));
        Assert.True(metadata.Remove("custom", "k"));
        Assert.True(metadata.Remove("x"));
        Assert.False(metadata.Remove("x"));
        Assert.False(metadata.Remove("custom", "k"));
        Assert.Equal("""{"tags":["b"],"custom":{"l":2}}""", metadata.ToJson());
        Assert.Equal(["b"], metadata.Tags!);
    }

    [Fact]
    public void Misuse_is_explained()
    {
        var metadata = DeviceMetadata.Parse("""{"site":"Bern","list":[1]}""");
        Assert.Contains("'site' is a JSON string", Assert.Throws<InvalidOperationException>(() => metadata.Set(["site", "x"], 1)).Message);
        Assert.Contains("array of 1 elements", Assert.Throws<InvalidOperationException>(() => metadata.Set(["list", "7"], 1)).Message);
        Assert.Contains("'site' is a JSON string", Assert.Throws<JsonException>(() => metadata.Get<int>("site")).Message);
        Assert.Contains("JsonTypeInfo", Assert.Throws<NotSupportedException>(() => metadata.Get<Version>("site")).Message);
        Assert.Throws<ArgumentException>(() => metadata.Set<int>([], 1));
        Assert.Throws<ArgumentException>(() => metadata.Remove());
        Assert.Throws<ArgumentNullException>(() => metadata.Text(null!));
        Assert.Equal("""{"site":"Bern","list":[1]}""", metadata.ToJson());
    }

    [Fact]
    public void Undefined_elements_count_for_nothing()
    {
        var metadata = new DeviceMetadata { Other = { ["x"] = default }, Custom = new Dictionary<string, JsonElement> { ["y"] = default } };
        Assert.Equal("""{"custom":{}}""", metadata.ToJson());
        Assert.Null(metadata.Text("x"));
        Assert.Equal(DeviceMetadata.Parse("""{"custom":{}}"""), metadata);
        Assert.Equal("{}", new DeviceMetadata { Other = null }.ToJson());
    }

    [Fact]
    public void The_serializer_uses_the_same_rules_inside_other_objects()
    {
        const string json = """{"Notes":null,"Inner":{"tags":["a"],"notes":5,"x":1}}""";
        var holder = JsonSerializer.Deserialize<Holder>(json)!;
        Assert.Equal(["a"], holder.Inner!.Tags!);
        Assert.Equal(json, JsonSerializer.Serialize(holder));
        Assert.Null(JsonSerializer.Deserialize<Holder>("""{"Inner":null}""")!.Inner);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Holder>("""{"Inner":[]}"""));
    }

    [Fact]
    public void Letters_stay_letters_and_controls_are_escaped()
    {
        var metadata = new DeviceMetadata { Notes = "Zürich 東京 <&> \u001b[0m" };
        Assert.Equal("{\"notes\":\"Zürich 東京 <&> \\u001B[0m\"}", metadata.ToString());
        Assert.Equal("{\"notes\":\"\\uFFFD\"}", new DeviceMetadata { Notes = "\ud800" }.ToJson());
    }

    [Fact]
    public void Half_a_surrogate_pair_does_not_stop_reading()
    {
        var metadata = DeviceMetadata.Parse("""{"notes":"\ud800","tags":["ok"]}""");
        Assert.Null(metadata.Notes);
        Assert.Equal(["ok"], metadata.Tags!);
    }

    private sealed record Holder(string? Notes, DeviceMetadata? Inner);

    private static void AssertLossless<T>(string json, Func<string, T> parse)
        where T : MetadataRecord, new()
    {
        var record = parse(json);
        var written = record.ToJson();
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(json), JsonElement.Parse(written)), written);
        Assert.Equal(Numbers(json), Numbers(written));

        var again = MetadataJson.Read<T>(MetadataJson.Write(record));
        Assert.Equal(record, again);
        Assert.Equal(record.GetHashCode(), again.GetHashCode());
        Assert.Equal(written, again.ToJson());
        Assert.Equal(record, MetadataJson.Copy(record));
        Assert.Equal(record, JsonSerializer.Deserialize<T>(JsonSerializer.Serialize(record)));

        foreach (var property in JsonElement.Parse(json).EnumerateObject())
        {
            var text = property.Value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => property.Value.GetString(),
                JsonValueKind.Array or JsonValueKind.Object => record.Text(property.Name),
                _ => property.Value.GetRawText(),
            };
            Assert.Equal(text, record.Text(property.Name));
        }
    }

    // Precision: the digits of every number, in any order.
    private static List<string> Numbers(string json)
    {
        var numbers = new List<string>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number)
                numbers.Add(Encoding.UTF8.GetString(reader.ValueSpan));
        }
        numbers.Sort(StringComparer.Ordinal);
        return numbers;
    }

    private static JsonObject RandomObject(Random random, int depth)
    {
        string[] keys = ["notes", "tags", "custom", "dns", "threat", "service", "state", "uid", "query", "answers", "source",
            "reason", "a", "é", "", "Notes"];
        var result = new JsonObject();
        for (var i = random.Next(5); i > 0; i--)
            result[keys[random.Next(keys.Length)]] = RandomValue(random, depth - 1);
        return result;
    }

    private static JsonNode? RandomValue(Random random, int depth) => random.Next(depth > 0 ? 8 : 5) switch
    {
        0 => null,
        1 => System.Text.Json.Nodes.JsonValue.Create(random.Next(2) == 0),
        2 => System.Text.Json.Nodes.JsonValue.Create(random.NextInt64()),
        3 => System.Text.Json.Nodes.JsonValue.Create((decimal)random.NextDouble()),
        4 => System.Text.Json.Nodes.JsonValue.Create(random.GetString("aé😀\\\"\n", 3).Replace("\ud83d", "").Replace("\ude00", "")),
        5 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => RandomValue(random, depth - 1))]),
        6 => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(i => (JsonNode)System.Text.Json.Nodes.JsonValue.Create($"t{i}"))]),
        _ => RandomObject(random, depth),
    };
}
