using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Every bad line is refused with its reason, and the good ones around it are read.</summary>
public class BadLineTests
{
    public static TheoryData<string, string, string> TsvCases() => new()
    {
        { "ts_unset", Logs.TsvRow(("ts", "-")), "ts is missing" },
        { "ts_empty", Logs.TsvRow(("ts", "")), "ts '' is not a time" },
        { "ts_text", Logs.TsvRow(("ts", "yesterday")), "ts 'yesterday' is not a time" },
        { "ts_nan", Logs.TsvRow(("ts", "nan")), "ts 'nan' is not finite" },
        { "ts_inf", Logs.TsvRow(("ts", "inf")), "ts 'inf' is not finite" },
        { "ts_minus_inf", Logs.TsvRow(("ts", "-inf")), "ts '-inf' is not finite" },
        { "ts_huge", Logs.TsvRow(("ts", "1e200000")), "outside the years 1 to 9999" },
        { "ts_milliseconds", Logs.TsvRow(("ts", "1713484784962")), "not milliseconds" },
        { "ts_year_0", Logs.TsvRow(("ts", "-62135596800")), "outside the years 1 to 9999" },
        { "ts_comma", Logs.TsvRow(("ts", "1713484784,96")), "is not a time" },
        { "orig_h_unset", Logs.TsvRow(("id.orig_h", "-")), "id.orig_h is missing" },
        { "orig_h_name", Logs.TsvRow(("id.orig_h", "example.com")), "id.orig_h 'example.com' is not an IP address" },
        { "resp_h_unset", Logs.TsvRow(("id.resp_h", "-")), "id.resp_h is missing" },
        { "resp_h_number", Logs.TsvRow(("id.resp_h", "1")), "id.resp_h '1' is not an IP address" },
        { "resp_h_hex", Logs.TsvRow(("id.resp_h", "0x7f.0.0.1")), "not an IP address" },
        { "resp_h_octal", Logs.TsvRow(("id.resp_h", "010.0.0.1")), "not an IP address" },
        { "resp_h_octet", Logs.TsvRow(("id.resp_h", "10.0.0.256")), "not an IP address" },
        { "resp_h_three_octets", Logs.TsvRow(("id.resp_h", "10.0.1")), "not an IP address" },
        { "resp_h_five_octets", Logs.TsvRow(("id.resp_h", "1.2.3.4.5")), "not an IP address" },
        { "resp_h_trailing_dot", Logs.TsvRow(("id.resp_h", "1.2.3.4.")), "not an IP address" },
        { "resp_h_space", Logs.TsvRow(("id.resp_h", " 1.2.3.4")), "not an IP address" },
        { "resp_h_prefix", Logs.TsvRow(("id.resp_h", "10.0.0.1/8")), "without a prefix length" },
        { "resp_h_prefix_6", Logs.TsvRow(("id.resp_h", "fe80::/10")), "without a prefix length" },
        { "resp_h_brackets", Logs.TsvRow(("id.resp_h", "[::1]:80")), "not an IP address" },
        { "resp_h_no_zone", Logs.TsvRow(("id.resp_h", "fe80::1%")), "not an IP address" },
        { "resp_h_two_gaps", Logs.TsvRow(("id.resp_h", "1::2::3")), "not an IP address" },
        { "resp_h_nine_groups", Logs.TsvRow(("id.resp_h", "1:2:3:4:5:6:7:8:9")), "not an IP address" },
        { "resp_h_zone_on_4", Logs.TsvRow(("id.resp_h", "10.0.0.1%eth0")), "not an IP address" },
        { "orig_p_unset", Logs.TsvRow(("id.orig_p", "-")), "id.orig_p is missing" },
        { "orig_p_empty", Logs.TsvRow(("id.orig_p", "")), "id.orig_p '' is not a port" },
        { "orig_p_high", Logs.TsvRow(("id.orig_p", "65536")), "id.orig_p '65536' is not a port; accepted are whole numbers from 0 to 65535" },
        { "orig_p_negative", Logs.TsvRow(("id.orig_p", "-1")), "is not a port" },
        { "orig_p_plus", Logs.TsvRow(("id.orig_p", "+80")), "is not a port" },
        { "orig_p_minus_zero", Logs.TsvRow(("id.orig_p", "-0")), "is not a port" },
        { "orig_p_fraction", Logs.TsvRow(("id.orig_p", "80.5")), "is not a port" },
        { "orig_p_with_protocol", Logs.TsvRow(("id.orig_p", "80/tcp")), "is not a port" },
        { "orig_p_overflow", Logs.TsvRow(("id.orig_p", "99999999999999999999")), "is not a port" },
        { "resp_p_unset", Logs.TsvRow(("id.resp_p", "-")), "id.resp_p is missing" },
        { "resp_p_text", Logs.TsvRow(("id.resp_p", "http")), "id.resp_p 'http' is not a port" },
        { "resp_p_unicode_digits", Logs.TsvRow(("id.resp_p", "８０")), "is not a port" },
        { "proto_unset", Logs.TsvRow(("proto", "-")), "proto is missing" },
        { "proto_empty", Logs.TsvRow(("proto", "")), "proto '' is not the name of a protocol" },
        { "proto_long", Logs.TsvRow(("proto", "abcdefghijk")), "accepted are 1 to 10 letters" },
        { "proto_space", Logs.TsvRow(("proto", "t cp")), "is not the name of a protocol" },
        { "proto_nul", Logs.TsvRow(("proto", "tcp\0")), @"proto 'tcp\x00' is not" },
        { "proto_escape", Logs.TsvRow(("proto", "\u001b[2J")), @"proto '\x1b[2J' is not" },
        { "orig_bytes_negative", Logs.TsvRow(("orig_bytes", "-5")), "orig_bytes '-5' is not a number of bytes" },
        { "orig_bytes_uint64", Logs.TsvRow(("orig_bytes", "18446744073709551615")), "from 0 to 9223372036854775807" },
        { "orig_bytes_fraction", Logs.TsvRow(("orig_bytes", "1.0")), "is not a number of bytes" },
        { "resp_bytes_text", Logs.TsvRow(("resp_bytes", "many")), "resp_bytes 'many' is not a number of bytes" },
        { "resp_bytes_empty", Logs.TsvRow(("resp_bytes", "")), "resp_bytes '' is not a number of bytes" },
        { "duration_negative", Logs.TsvRow(("duration", "-1.5")), "duration '-1.5' is not a length of time" },
        { "duration_text", Logs.TsvRow(("duration", "long")), "is not a length of time" },
        { "duration_nan", Logs.TsvRow(("duration", "NaN")), "is not a length of time" },
        { "duration_inf", Logs.TsvRow(("duration", "inf")), "is not a length of time" },
        { "duration_huge", Logs.TsvRow(("duration", "922337203686")), "is not a length of time" },
        { "mac_short", Logs.TsvRow(("orig_l2_addr", "00:0d:3a:13:e3")), "orig_l2_addr '00:0d:3a:13:e3' is not a MAC address" },
        { "mac_text", Logs.TsvRow(("orig_l2_addr", "gg:gg:gg:gg:gg:gg")), "is not a MAC address" },
        { "mac_empty", Logs.TsvRow(("orig_l2_addr", "")), "is not a MAC address" },
        { "mac_eui64", Logs.TsvRow(("orig_l2_addr", "00:0d:3a:ff:fe:13:e3:69")), "is not a MAC address" },
        { "uid_nul", Logs.TsvRow(("uid", "a\\x00b")), "uid contains NUL" },
        { "uid_raw_nul", Logs.TsvRow(("uid", "a\0b")), "uid contains NUL" },
        { "uid_broken_utf8", Logs.TsvRow(("uid", "a\\xff\\xfe")), @"uid 'a\xff\xfe' is not UTF-8" },
        { "uid_surrogate_utf8", Logs.TsvRow(("uid", "\\xed\\xa0\\x80")), "is not UTF-8" },
        { "uid_long", Logs.TsvRow(("uid", new string('u', 1001))), "uid has 1001 characters; accepted are at most 1000" },
        { "service_nul", Logs.TsvRow(("service", "\\x00")), "service contains NUL" },
        { "service_long", Logs.TsvRow(("service", new string('s', 100_000))), "service has 100000 characters" },
        { "state_broken_utf8", Logs.TsvRow(("conn_state", "\\xc3")), "conn_state '\\xc3' is not UTF-8" },
        { "state_nul", Logs.TsvRow(("conn_state", "S\\x00F")), "conn_state contains NUL" },
        { "few_fields", "1713484784.962686\tC\t1.2.3.4", "has 3 fields where the header names 14" },
        { "many_fields", Logs.TsvRow() + "\textra\t", "has 16 fields where the header names 14" },
        { "one_word", "garbage", "has 1 fields where" },
        { "spaces_for_tabs", Logs.TsvRow().Replace('\t', ' '), "has 1 fields where" },
        { "json_among_tsv", Logs.GoodJson, "has 1 fields where" },
        { "comment", "# a note", "is no header line of Zeek" },
        { "nul_bytes", new string('\0', 2000), "has 1 fields where" },
        { "too_long", new string('x', 1024 * 1024 + 1), "is 1048577 bytes long; accepted are at most 1048576" },
        { "a_million_tabs", "x" + new string('\t', 1_000_000), "has 1000001 fields" },
    };

    public static TheoryData<string, string, string> JsonCases() => new()
    {
        { "ts_missing", Logs.Json(("\"ts\":1588205199.82437,", "")), "ts is missing" },
        { "ts_null", Logs.Json(("1588205199.82437", "null")), "ts is missing" },
        { "ts_true", Logs.Json(("1588205199.82437", "true")), "ts is a truth value; accepted is a number or a text" },
        { "ts_object", Logs.Json(("1588205199.82437", "{}")), "ts is an object" },
        { "ts_array", Logs.Json(("1588205199.82437", "[1588205199.82437]")), "ts is an array" },
        { "ts_huge", Logs.Json(("1588205199.82437", "1e200000")), "outside the years 1 to 9999" },
        { "ts_milliseconds", Logs.Json(("1588205199.82437", "1588205199824")), "not milliseconds" },
        { "ts_bare_nan", Logs.Json(("1588205199.82437", "NaN")), "is not valid JSON near byte 7" },
        { "ts_text_nan", Logs.Json(("1588205199.82437", "\"NaN\"")), "ts 'NaN' is not finite" },
        { "ts_local_time", Logs.Json(("1588205199.82437", "\"2020-04-30T00:06:39\"")), "ts '2020-04-30T00:06:39' is not a time" },
        { "ts_leading_zero", Logs.Json(("1588205199.82437", "01588205199")), "is not valid JSON" },
        { "orig_h_missing", Logs.Json(("\"id.orig_h\":\"10.0.1.6\",", "")), "id.orig_h is missing" },
        { "orig_h_number", Logs.Json(("\"10.0.1.6\"", "167772422")), "id.orig_h is a number; accepted is a text" },
        { "resp_h_missing", Logs.Json(("\"id.resp_h\":\"10.0.0.4\",", "")), "id.resp_h is missing" },
        { "resp_h_empty", Logs.Json(("\"10.0.0.4\"", "\"\"")), "id.resp_h '' is not an IP address" },
        { "orig_p_missing", Logs.Json(("\"id.orig_p\":54243,", "")), "id.orig_p is missing" },
        { "orig_p_text", Logs.Json(("54243", "\"54243\"")), "id.orig_p is a text; accepted is a number" },
        { "orig_p_high", Logs.Json(("54243", "65536")), "id.orig_p '65536' is not a port" },
        { "orig_p_exponent", Logs.Json(("54243", "5e3")), "id.orig_p '5e3' is not a port" },
        { "resp_p_missing", Logs.Json(("\"id.resp_p\":53,", "")), "id.resp_p is missing" },
        { "resp_p_negative", Logs.Json((":53,", ":-53,")), "id.resp_p '-53' is not a port" },
        { "proto_missing", Logs.Json(("\"proto\":\"udp\",", "")), "proto is missing" },
        { "proto_number", Logs.Json(("\"udp\"", "17")), "proto is a number; accepted is a text" },
        { "proto_escaped_nul", Logs.Json(("\"udp\"", "\"ud\\u0000\"")), @"proto 'ud\x00' is not" },
        { "orig_bytes_huge", Logs.Json((":39", ":1e200000")), "orig_bytes '1e200000' is not a number of bytes" },
        { "orig_bytes_many_digits", Logs.Json((":39", ":" + new string('9', 100_000))), "orig_bytes '9999" },
        { "orig_bytes_text", Logs.Json((":39", ":\"39\"")), "orig_bytes is a text" },
        { "resp_bytes_negative", Logs.Json((":55", ":-55")), "resp_bytes '-55' is not" },
        { "duration_text", Logs.Json(("0.001528", "\"0.001528\"")), "duration is a text; accepted is a number" },
        { "duration_negative", Logs.Json(("0.001528", "-0.001528")), "duration '-0.001528' is not a length of time" },
        { "duration_huge", Logs.Json(("0.001528", "1e300")), "duration '1e300' is not a length of time" },
        { "mac_number", Logs.Json(("\"00:0d:3a:13:e3:69\"", "5")), "orig_l2_addr is a number" },
        { "mac_text", Logs.Json(("00:0d:3a:13:e3:69", "unknown")), "orig_l2_addr 'unknown' is not a MAC address" },
        { "uid_nul", Logs.Json(("Cvf4XX17hSAgXDdGEd", "a\\u0000b")), "uid contains NUL" },
        { "uid_lone_surrogate", Logs.Json(("Cvf4XX17hSAgXDdGEd", "a\\ud800b")), "half a surrogate pair" },
        { "uid_low_surrogate", Logs.Json(("Cvf4XX17hSAgXDdGEd", "\\udc00")), "half a surrogate pair" },
        { "uid_long", Logs.Json(("Cvf4XX17hSAgXDdGEd", new string('u', 1001))), "uid has 1001 characters" },
        { "uid_object", Logs.Json(("\"Cvf4XX17hSAgXDdGEd\"", "{\"a\":1}")), "uid is an object; accepted is a text" },
        { "uid_raw_control", Logs.Json(("Cvf4XX17hSAgXDdGEd", "a\u0001b")), "is not valid JSON" },
        { "uid_bad_escape", Logs.Json(("Cvf4XX17hSAgXDdGEd", "a\\qb")), "is not valid JSON" },
        { "service_of_numbers", Logs.Json(("\"dns\"", "[1,2]")), "service is an array of something else" },
        { "service_nested", Logs.Json(("\"dns\"", "[[\"dns\"]]")), "service is an array of something else" },
        { "service_lone_surrogate", Logs.Json(("\"dns\"", "[\"\\udfff\"]")), "half a surrogate pair" },
        { "key_twice", Logs.Json(("{\"ts\"", "{\"ts\":1,\"ts\"")), "names ts twice" },
        { "key_in_two_spellings", Logs.Json(("{\"ts\"", "{\"id_orig_h\":\"1.2.3.4\",\"ts\"")), "names id.orig_h twice" },
        { "key_twice_escaped", Logs.Json(("{\"ts\"", "{\"\\u0074s\":1,\"ts\"")), "names ts twice" },
        { "key_lone_surrogate", Logs.Json(("{\"ts\"", "{\"\\ud800\":1,\"ts\"")), "half a surrogate pair" },
        { "stream_dns", Logs.Json(("{\"ts\"", "{\"@stream\":\"dns\",\"ts\"")), "is a line of the log 'dns'" },
        { "path_hostile", Logs.Json(("{\"ts\"", "{\"_path\":\"\\u001b[2J\\u202e\",\"ts\"")), @"log '\x1b[2J\u202e'" },
        { "empty_object", "{}", "ts is missing" },
        { "array", "[]", "is not a JSON object" },
        { "number", "17", "is not a JSON object" },
        { "text", "\"conn\"", "is not a JSON object" },
        { "null", "null", "is not a JSON object" },
        { "word", "garbage", "is not valid JSON near byte 1" },
        { "cut", Logs.GoodJson[..100], "is not valid JSON" },
        { "cut_after_brace", "{", "is not valid JSON" },
        { "two_objects", Logs.GoodJson + Logs.GoodJson, "is not valid JSON" },
        { "trailing_text", Logs.GoodJson + " x", "is not valid JSON" },
        { "trailing_comma", Logs.Json(("}", ",}")), "is not valid JSON" },
        { "comment", Logs.Json(("{\"ts\"", "{/* */\"ts\"")), "is not valid JSON" },
        { "single_quotes", Logs.GoodJson.Replace('"', '\''), "is not valid JSON" },
        { "deep", Logs.Json(("{\"ts\"", "{\"a\":" + new string('[', 10_000) + new string(']', 10_000) + ",\"ts\"")), "64 levels deep" },
        { "deep_open", "{\"a\":" + new string('[', 500_000), "64 levels deep" },
        { "tsv_among_json", Logs.TsvRow(), "is not a JSON object" },
        { "header_among_json", "#separator \\x09", "is not valid JSON" },
        { "nul_bytes", new string('\0', 100), "is not valid JSON" },
        { "too_long", "{\"a\":\"" + new string('x', 1024 * 1024) + "\"}", "is 1048584 bytes long" },
        { "a_million_keys_of_no_interest_then_nothing", "{" + string.Concat(Enumerable.Range(0, 80_000).Select(i => $"\"k{i}\":1,")), "is not valid JSON" },
    };

    [Theory]
    [MemberData(nameof(TsvCases))]
    public async Task Tsv_line_is_rejected_with_its_reason(string name, string line, string reason)
    {
        _ = name;
        await AssertRejectedAsync(Logs.TsvHeader() + Logs.TsvRow() + "\n", line, Logs.TsvRow() + "\n", 9, reason);
    }

    [Theory]
    [MemberData(nameof(JsonCases))]
    public async Task Json_line_is_rejected_with_its_reason(string name, string line, string reason)
    {
        _ = name;
        await AssertRejectedAsync(Logs.GoodJson + "\n", line, Logs.GoodJson + "\n", 2, reason);
    }

    [Fact]
    public async Task Broken_utf8_in_a_stored_json_text_is_rejected()
    {
        var bad = Encoding.Latin1.GetBytes(Logs.Json(("Cvf4XX17hSAgXDdGEd", "a\u00ffb")));
        var reading = await Logs.ReadAsync([.. Encoding.UTF8.GetBytes(Logs.GoodJson + "\n"), .. bad, (byte)'\n']);

        Assert.Single(reading.Stored);
        Assert.Contains(@"uid 'a\xffb' is not UTF-8", Assert.Single(reading.Rejections).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_utf8_in_a_field_that_is_not_stored_does_not_matter()
    {
        var line = Encoding.Latin1.GetBytes(Logs.TsvHeader([.. Logs.TsvFields, "history"]) + Logs.TsvRow() + "\t\u00ff\u00fe\n");

        Assert.Single((await Logs.ReadAsync(line)).Connections);
    }

    private static async Task AssertRejectedAsync(string before, string line, string after, int lineNumber, string reason)
    {
        var reading = await Logs.ReadAsync(before + line + "\n" + after);

        Assert.Null(reading.Error);
        Assert.Equal(2, reading.Stored.Count);
        var rejection = Assert.Single(reading.Rejections);
        Assert.Equal(lineNumber, rejection.LineNumber);
        Assert.Equal("test.log", rejection.File);
        Assert.Contains(reason, rejection.Reason, StringComparison.Ordinal);
        Assert.InRange(rejection.Reason.Length, 1, 500);
        Assert.InRange(rejection.Excerpt.Length, 1, RejectedLine.MaxExcerptLength + 12);
        Assert.DoesNotContain(rejection.Reason + rejection.Excerpt, char.IsControl);
        Assert.DoesNotContain('\u202e', rejection.Reason + rejection.Excerpt);
    }
}
