using System.Text;
using CobaltGraph.Data.Import;

namespace CobaltGraph.Data.Tests.Import;

/// <summary>Every bad record of sightings, CSV and our own JSON is refused with its reason, and the good ones around it are read.</summary>
public class BadRecordTests
{
    private const string DhcpRow = "1610645141.5\tf4:8e:38:8b:b6:03\t192.168.0.15\tpc\tREQUEST,ACK";

    private const string JsonRow =
        """{"timestamp":"2024-04-19T00:00:01.500000Z","src_mac":"00:0d:3a:13:e3:69","src_ip":"10.0.1.6","src_port":54243,"dst_ip":"10.0.0.4","dst_port":53,"protocol":"UDP","dst_country":"DE","dst_lat":52.5,"dst_lon":13.4,"dst_org":"Example","dst_hostname":"www.example.com","threat_score":1.5,"threat_category":"proxy","bytes_sent":39,"bytes_received":55,"duration":0.001528,"metadata":{"service":"dns","x":1}}""";

    private const string JsonSighting =
        """{"mac_address":"00:0d:3a:13:e3:69","ip_address":"10.0.1.6","hostname":"pc","vendor":"Example","device_type":"desktop","seen_at":"2024-04-19T00:00:01Z","source":"mdns"}""";

    private static readonly string DhcpHeader = Logs.TsvHeader(["ts", "mac", "assigned_addr", "host_name", "msg_types"], "dhcp");

    private static readonly string[] CsvColumns =
        ["timestamp", "src_mac", "src_ip", "src_port", "dst_ip", "dst_port", "dst_country", "dst_lat", "dst_org", "threat_score", "bytes_sent", "duration", "metadata"];

    private static readonly string[] CsvValues =
        ["2024-04-19T00:00:01.5Z", "00:0d:3a:13:e3:69", "10.0.1.6", "54243", "10.0.0.4", "53", "DE", "52.5", "Example", "1.5", "39", "0.001528", "{}"];

    public static TheoryData<string, string, string> ArpCases() => new()
    {
        { "ts_missing", Arp(("\"ts\":1461243763.194849,", "")), "ts is missing; every sighting needs it" },
        { "ts_null", Arp(("1461243763.194849", "null")), "ts is missing" },
        { "ts_huge", Arp(("1461243763.194849", "1e200000")), "outside the years" },
        { "ts_true", Arp(("1461243763.194849", "true")), "ts is a truth value" },
        { "ts_local", Arp(("1461243763.194849", "\"2016-04-21T13:02:43\"")), "is not a time" },
        { "mac_missing", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\",", "")), "orig_hw is missing" },
        { "mac_null", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\"", "\"orig_hw\":null")), "orig_hw is missing" },
        { "mac_number", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\"", "\"orig_hw\":5")), "orig_hw is a number; accepted is a text" },
        { "mac_short", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\"", "\"orig_hw\":\"90:8d:78\"")), "orig_hw '90:8d:78' is not a MAC address" },
        { "mac_nul", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\"", "\"orig_hw\":\"90:8d:78:a8:e1:43\\u0000\"")), @"a8:e1:43\x00' is not a MAC address" },
        { "mac_broadcast", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\"", "\"orig_hw\":\"ff:ff:ff:ff:ff:ff\"")), "is the broadcast address, which no device has" },
        { "mac_group", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\"", "\"orig_hw\":\"01:00:5e:00:00:fb\"")), "is a group address, which no device has" },
        { "mac_zero", Arp(("\"orig_hw\":\"90:8d:78:a8:e1:43\"", "\"orig_hw\":\"00:00:00:00:00:00\"")), "is all zero, which no device has" },
        { "mac_twice", Arp(("{\"ts\"", "{\"orig_hw\":\"90:8d:78:a8:e1:44\",\"ts\"")), "names orig_hw twice" },
        { "address_name", Arp(("192.168.0.60", "printer")), "orig_h 'printer' is not an IP address" },
        { "address_prefix", Arp(("192.168.0.60", "192.168.0.60/24")), "without a prefix length" },
        { "address_array", Arp(("\"192.168.0.60\"", "[\"192.168.0.60\"]")), "orig_h is an array" },
        { "address_surrogate", Arp(("192.168.0.60", "\\ud800")), "half a surrogate pair" },
        { "cut", Logs.GoodArp[..120], "is not valid JSON" },
        { "path_other", Arp(("{\"ts\"", "{\"_path\":\"weird\",\"ts\"")), "is a line of the log 'weird'; accepted are the logs conn, dhcp and arp" },
        { "path_conn", Arp(("{\"ts\"", "{\"_path\":\"conn\",\"ts\"")), "id.orig_h is missing; every connection needs it" },
        { "path_number", Arp(("{\"ts\"", "{\"_path\":1,\"ts\"")), "_path is a number" },
        { "deep", Arp(("{\"ts\"", "{\"x\":" + new string('[', 3000) + new string(']', 3000) + ",\"ts\"")), "64 levels deep" },
    };

    public static TheoryData<string, string, string> DhcpCases() => new()
    {
        { "ts_missing", Dhcp(("\"ts\":1461243775.328845,", "")), "ts is missing" },
        { "mac_text", Dhcp(("90:8d:78:a8:e1:43", "none")), "mac 'none' is not a MAC address" },
        { "mac_of_other_length", Dhcp(("90:8d:78:a8:e1:43", "00:11:22:33:44:55:66:77")), "is not a MAC address" },
        { "mac_group", Dhcp(("90:8d:78:a8:e1:43", "df:e0:ed:01:6e:bd")), "mac 'df:e0:ed:01:6e:bd' is a group address" },
        { "mac_object", Dhcp(("\"90:8d:78:a8:e1:43\"", "{}")), "mac is an object" },
        { "address_text", Dhcp(("10.10.10.72", "10.10.10")), "assigned_addr '10.10.10' is not an IP address" },
        { "address_number", Dhcp(("\"10.10.10.72\"", "168430152")), "assigned_addr is a number" },
        { "address_in_offer", Dhcp(("10.10.10.72", "x"), ("ACK", "OFFER")), "assigned_addr 'x' is not an IP address" },
        { "host_nul", Dhcp(("DCH-S150", "DCH\\u0000S150")), @"hostname 'DCH\x00S150' contains NUL" },
        { "host_long", Dhcp(("DCH-S150", new string('h', 256))), "has 256 characters; accepted are at most 255" },
        { "host_surrogate", Dhcp(("DCH-S150", "\\udfff")), "half a surrogate pair" },
        { "host_number", Dhcp(("\"DCH-S150\"", "5")), "host_name is a number" },
        { "host_twice", Dhcp(("{\"ts\"", "{\"host_name\":\"a\",\"ts\"")), "names host_name twice" },
        { "type_true", Dhcp(("\"ACK\"", "true")), "msg_type is a truth value; accepted is a number or a text" },
        { "type_numbers", Dhcp(("\"ACK\"", "[5]")), "msg_type is an array of something else" },
        { "type_in_two_spellings", Dhcp(("{\"ts\"", "{\"msg_types\":[\"ACK\"],\"ts\"")), "names msg_type twice" },
        { "fqdn_array", Dhcp(("\"host_name\":\"DCH-S150\"", "\"client_fqdn\":[\"a\"]")), "client_fqdn is an array" },
        { "trailing", Logs.GoodDhcp + "]", "is not valid JSON" },
    };

    public static TheoryData<string, string, string> DhcpTsvCases() => new()
    {
        { "few", "1610645141.5\tf4:8e:38:8b:b6:03", "has 2 fields where the header names 5" },
        { "many", DhcpRow + "\tx", "has 6 fields where the header names 5" },
        { "ts", DhcpRow.Replace("1610645141.5", "-", StringComparison.Ordinal), "ts is missing" },
        { "mac_unset", DhcpRow.Replace("f4:8e:38:8b:b6:03", "-", StringComparison.Ordinal), "mac is missing" },
        { "mac_multicast", DhcpRow.Replace("f4:", "f5:", StringComparison.Ordinal), "is a group address" },
        { "address", DhcpRow.Replace("192.168.0.15", "192.168.0", StringComparison.Ordinal), "assigned_addr '192.168.0' is not an IP address" },
        { "host_broken_utf8", DhcpRow.Replace("pc", "\\xc3", StringComparison.Ordinal), @"host_name '\xc3' is not UTF-8" },
        { "host_nul", DhcpRow.Replace("pc", "p\\x00c", StringComparison.Ordinal), "contains NUL" },
        { "conn_row", Logs.TsvRow(), "has 14 fields" },
        { "comment", "#comment", "is no header line of Zeek" },
    };

    public static TheoryData<string, string, string> CsvCases() => new()
    {
        { "few_fields", "2024-04-19T00:00:01.5Z,x", "has 2 fields where the header names 13" },
        { "many_fields", Csv() + ",", "has 14 fields where the header names 13" },
        { "semicolons", Csv().Replace(',', ';'), "has 1 fields" },
        { "json", JsonRow, "within a field that is not quoted" },
        { "zeek_header", "#fields\tts", "has 1 fields" },
        { "quote_inside", Csv(("dst_org", "5\" disk")), "has a quote within a field that is not quoted" },
        { "quote_behind", Csv(("dst_org", "\"a\"b")), "has text behind a quoted field" },
        { "quote_space", Csv(("dst_org", "\"a\" ")), "has text behind a quoted field" },
        { "quote_open", Csv(("dst_org", "\"a")), "opens a quoted field that does not end" },
        { "quote_open_at_the_end", Csv(("metadata", "\"{}")), "opens a quoted field that does not end" },
        { "carriage_return", Csv(("dst_org", "a\rb")), "has a carriage return outside of quotes" },
        { "time_without_offset", Csv(("timestamp", "2024-04-19 00:00:01")), "timestamp '2024-04-19 00:00:01' is not a time" },
        { "time_infinite", Csv(("timestamp", "infinity")), "timestamp 'infinity' is not finite" },
        { "time_year_0", Csv(("timestamp", "0000-01-01T00:00:00Z")), "outside the years 1 to 9999" },
        { "time_year_10000", Csv(("timestamp", "253402300800")), "outside the years 1 to 9999" },
        { "mac_text", Csv(("src_mac", "router")), "src_mac 'router' is not a MAC address" },
        { "mac_group", Csv(("src_mac", "01:00:5e:00:00:fb")), "src_mac '01:00:5e:00:00:fb' is a group address" },
        { "mac_zero", Csv(("src_mac", "000000000000")), "is all zero" },
        { "src_ip_text", Csv(("src_ip", "localhost")), "src_ip 'localhost' is not an IP address" },
        { "dst_ip_missing", Csv(("dst_ip", "")), "dst_ip is missing; every connection needs it" },
        { "dst_ip_quoted_empty", Csv(("dst_ip", "\"\"")), "dst_ip is missing" },
        { "dst_ip_network", Csv(("dst_ip", "10.0.0.0/8")), "without a prefix length" },
        { "dst_port_missing", Csv(("dst_port", "")), "dst_port is missing" },
        { "dst_port_high", Csv(("dst_port", "65536")), "dst_port '65536' is not a port" },
        { "dst_port_space", Csv(("dst_port", " 53")), "dst_port ' 53' is not a port" },
        { "src_port_negative", Csv(("src_port", "-1")), "src_port '-1' is not a port" },
        { "country_long", Csv(("dst_country", "DEU")), "dst_country 'DEU' has 3 characters; accepted are at most 2" },
        { "country_three_emoji", Csv(("dst_country", "😀😀😀")), "has 3 characters" },
        { "lat_high", Csv(("dst_lat", "90.001")), "dst_lat 90.001 is out of range; accepted are degrees from -90 to 90" },
        { "lat_nan", Csv(("dst_lat", "NaN")), "dst_lat NaN is out of range" },
        { "lat_infinite", Csv(("dst_lat", "-Infinity")), "out of range" },
        { "lat_text", Csv(("dst_lat", "north")), "dst_lat 'north' is not a number" },
        { "lat_comma", Csv(("dst_lat", "\"52,5\"")), "dst_lat '52,5' is not a number" },
        { "lat_hex", Csv(("dst_lat", "0x10")), "is not a number" },
        { "org_long", Csv(("dst_org", new string('o', 256))), "has 256 characters; accepted are at most 255" },
        { "org_nul", Csv(("dst_org", "a\0b")), @"dst_org 'a\x00b' contains NUL" },
        { "score_high", Csv(("threat_score", "10.01")), "threat_score 10.01 is out of range; accepted are numbers from 0 to 10" },
        { "score_huge", Csv(("threat_score", "1e200000")), "out of range" },
        { "score_negative", Csv(("threat_score", "-0.5")), "out of range" },
        { "bytes_text", Csv(("bytes_sent", "many")), "bytes_sent 'many' is not a number of bytes" },
        { "bytes_overflow", Csv(("bytes_sent", "9223372036854775808")), "is not a number of bytes" },
        { "bytes_fraction", Csv(("bytes_sent", "1.5")), "is not a number of bytes" },
        { "duration_text", Csv(("duration", "long")), "duration 'long' is not a length of time" },
        { "duration_huge", Csv(("duration", "922337203686")), "is not a length of time" },
        { "metadata_text", Csv(("metadata", "x")), "metadata is not valid JSON near its byte 1" },
        { "metadata_array", Csv(("metadata", "[]")), "metadata is an array; accepted is a JSON object" },
        { "metadata_number", Csv(("metadata", "1")), "metadata is a number" },
        { "metadata_cut", Csv(("metadata", "{")), "metadata is not valid JSON" },
        { "metadata_two", Csv(("metadata", "{}{}")), "metadata is not valid JSON" },
        { "metadata_nul", Csv(("metadata", Quoted("""{"a":"\u0000"}"""))), "with NUL, which PostgreSQL cannot store" },
        { "metadata_key_nul", Csv(("metadata", Quoted("""{"a\u0000":1}"""))), "contains NUL" },
        { "metadata_surrogate", Csv(("metadata", Quoted("""{"a":{"b":["\ud800"]}}"""))), "with half a surrogate pair" },
        { "metadata_service_surrogate", Csv(("metadata", Quoted("""{"service":"\udc00"}"""))), "with half a surrogate pair" },
        { "metadata_key_surrogate", Csv(("metadata", Quoted("""{"\ud800":1}"""))), "half a surrogate pair" },
        { "metadata_inner_key_surrogate", Csv(("metadata", Quoted("""{"a":{"\ud800":1}}"""))), "half a surrogate pair" },
        { "metadata_huge_number", Csv(("metadata", Quoted("""{"a":1e200000}"""))), "has the number '1e200000'; accepted are at most 131072 digits" },
        { "metadata_tiny_number", Csv(("metadata", Quoted("""{"a":1e-16384}"""))), "16383 after the point" },
        { "metadata_deep", Csv(("metadata", Quoted("{\"a\":" + new string('[', 10_000) + new string(']', 10_000) + "}"))), "10000 levels deep" },
        { "metadata_deep_open", Csv(("metadata", Quoted("{\"a\":" + new string('[', 400_000)))), "10000 levels deep" },
        { "too_long", Csv(("dst_org", new string('x', 1024 * 1024))), "bytes long; accepted are at most 1048576" },
        { "too_long_quoted", Csv(("dst_org", "\"" + new string('x', 1024 * 1024) + "\"")), "bytes long; accepted are at most 1048576" },
        { "a_million_commas", new string(',', 1_000_000), "has 1000001 fields" },
        { "a_million_quotes", new string('"', 1_000_000), "has 1 fields" },
        { "nul_bytes", new string('\0', 1000), "has 1 fields" },
    };

    private const string Mac = "00:0d:3a:13:e3:69";

    public static TheoryData<string, string, string> CsvSightingCases() => new()
    {
        { "mac_missing", ",10.0.0.1,pc,Example,desktop,1,mdns", "mac_address is missing; every sighting needs it" },
        { "mac_text", "pc,10.0.0.1,pc,Example,desktop,1,mdns", "mac_address 'pc' is not a MAC address" },
        { "mac_broadcast", "ff:ff:ff:ff:ff:ff,10.0.0.1,pc,Example,desktop,1,mdns", "is the broadcast address" },
        { "address_text", "00:0d:3a:13:e3:69,pc,pc,Example,desktop,1,mdns", "ip_address 'pc' is not an IP address" },
        { "hostname_long", $"00:0d:3a:13:e3:69,,{new string('h', 256)},Example,desktop,1,mdns", "hostname 'hhh" },
        { "vendor_long", $"00:0d:3a:13:e3:69,,pc,{new string('v', 300)},desktop,1,mdns", "has 300 characters; accepted are at most 255" },
        { "type_long", $"00:0d:3a:13:e3:69,,pc,Example,{new string('t', 51)},1,mdns", "device_type 'ttt" },
        { "source_long", $"00:0d:3a:13:e3:69,,pc,Example,desktop,1,{new string('s', 51)}", "source 'sss" },
        { "source_nul", "00:0d:3a:13:e3:69,,pc,Example,desktop,1,\0", "contains NUL" },
        { "time_text", "00:0d:3a:13:e3:69,,pc,Example,desktop,now,mdns", "seen_at 'now' is not a time" },
        { "few", "00:0d:3a:13:e3:69", "has 1 fields where the header names 9" },
        { "confidence_text", Mac + ",,pc,Example,desktop,1,mdns,sure,", "confidence_score 'sure' is not a number" },
        { "confidence_high", Mac + ",,pc,Example,desktop,1,mdns,1.5,", "confidence_score 1.5 is out of range; accepted are numbers from 0 to 1" },
        { "confidence_low", Mac + ",,pc,Example,desktop,1,mdns,-0.1,", "confidence_score -0.1 is out of range" },
        { "metadata_text", Mac + ",,pc,Example,desktop,1,mdns,,notes", "metadata is not valid JSON near its byte" },
        { "metadata_array", Mac + ",,pc,Example,desktop,1,mdns,,[]", "metadata is an array; accepted is a JSON object" },
        { "metadata_null", Mac + ",,pc,Example,desktop,1,mdns,,null", "metadata is null; accepted is a JSON object" },
        { "metadata_nul", Mac + ",,pc,Example,desktop,1,mdns,," + Quoted("""{"tags":["a\u0000"]}"""), "contains NUL" },
        { "metadata_custom_nul", Mac + ",,pc,Example,desktop,1,mdns,," + Quoted("""{"custom":{"a\u0000":1}}"""), "contains NUL" },
        { "metadata_custom_huge", Mac + ",,pc,Example,desktop,1,mdns,," + Quoted("""{"custom":{"a":1e200000}}"""), "has the number '1e200000'" },
    };

    public static TheoryData<string, string, string> JsonCases() => new()
    {
        { "unknown_key", Json(("\"protocol\"", "\"proto\"")), "has the key 'proto', which is no column; accepted are id, timestamp, src_mac" },
        { "key_of_sightings", Json(("\"dst_org\"", "\"hostname\"")), "has the key 'hostname', which is no column" },
        { "hostile_key", Json(("\"dst_org\"", "\"\\u001b[2J\"")), @"has the key '\x1b[2J'" },
        { "key_surrogate", Json(("\"dst_org\"", "\"\\ud800\"")), "half a surrogate pair" },
        { "key_twice", Json(("{\"timestamp\"", "{\"dst_port\":54,\"timestamp\"")), "names dst_port twice" },
        { "key_twice_in_other_case", Json(("{\"timestamp\"", "{\"DST_PORT\":54,\"timestamp\"")), "names dst_port twice" },
        { "timestamp_true", Json(("\"2024-04-19T00:00:01.500000Z\"", "true")), "timestamp is a truth value; accepted is a number or a text" },
        { "timestamp_infinity", Json(("2024-04-19T00:00:01.500000Z", "infinity")), "is not finite" },
        { "timestamp_milliseconds", Json(("\"2024-04-19T00:00:01.500000Z\"", "1713484801500")), "not milliseconds" },
        { "src_mac_group", Json(("00:0d:3a:13:e3:69", "33:33:00:00:00:01")), "is a group address" },
        { "src_port_text", Json(("54243", "\"54243\"")), "src_port is a text; accepted is a number" },
        { "src_port_exponent", Json(("54243", "5e3")), "src_port '5e3' is not a port" },
        { "dst_ip_missing", Json(("\"dst_ip\":\"10.0.0.4\",", "")), "dst_ip is missing" },
        { "dst_ip_null", Json(("\"10.0.0.4\"", "null")), "dst_ip is missing" },
        { "dst_ip_empty", Json(("\"10.0.0.4\"", "\"\"")), "dst_ip '' is not an IP address" },
        { "dst_port_missing", Json(("\"dst_port\":53,", "")), "dst_port is missing" },
        { "protocol_long", Json(("UDP", "ABCDEFGHIJK")), "protocol 'ABCDEFGHIJK' has 11 characters; accepted are at most 10" },
        { "protocol_nul", Json(("UDP", "U\\u0000")), "contains NUL" },
        { "country_object", Json(("\"DE\"", "{}")), "dst_country is an object" },
        { "lon_high", Json(("13.4", "180.1")), "dst_lon 180.1 is out of range" },
        { "score_text", Json(("1.5,", "\"1.5\",")), "threat_score is a text" },
        { "score_huge", Json(("1.5,", "1e39,")), "out of range" },
        { "category_long", Json(("proxy", new string('c', 51))), "has 51 characters; accepted are at most 50" },
        { "bytes_fraction", Json((":39", ":39.0")), "bytes_sent '39.0' is not a number of bytes" },
        { "bytes_exponent", Json((":55", ":1e200000")), "bytes_received '1e200000' is not a number of bytes" },
        { "duration_text", Json(("0.001528", "\"0.001528\"")), "duration is a text" },
        { "duration_huge", Json(("0.001528", "1e200000")), "is not a length of time" },
        { "metadata_text", Json(("{\"service\":\"dns\",\"x\":1}", "\"{}\"")), "metadata is a text; accepted is a JSON object" },
        { "metadata_array", Json(("{\"service\":\"dns\",\"x\":1}", "[{}]")), "metadata is an array" },
        { "metadata_nul", Json(("\"x\":1", "\"x\":\"\\u0000\"")), "with NUL" },
        { "metadata_service_nul", Json(("\"dns\"", "\"d\\u0000\"")), "contains NUL" },
        { "metadata_surrogate", Json(("\"x\":1", "\"x\":\"\\ud83d\\u0041\"")), "with half a surrogate pair" },
        { "metadata_huge", Json(("\"x\":1", "\"x\":[[1e200000]]")), "has the number '1e200000'" },
        { "metadata_many_digits", Json(("\"x\":1", "\"x\":" + new string('9', 131_073))), "accepted are at most 131072 digits before" },
        { "metadata_deep", Json(("\"x\":1", "\"x\":" + new string('[', 10_000) + new string(']', 10_000))), "10001 levels deep" },
        { "metadata_comment", Json(("\"x\":1", "\"x\":/**/1")), "is not valid JSON" },
        { "cut", JsonRow[..^1], "is not valid JSON" },
        { "two", JsonRow + JsonRow, "is not valid JSON" },
        { "none_of_the_keys", """{"colour":"red"}""", "has none of the keys by which a line is told" },
        { "sighting", JsonSighting, "is a sighting among connections" },
        { "arp", Logs.GoodArp, "is a sighting among connections" },
        { "array", $"[{JsonRow}]", "is not a JSON object" },
        { "csv", Csv(), "is not valid JSON" },
        { "too_long", Json(("Example", new string('x', 1024 * 1024))), "bytes long; accepted are at most 1048576" },
    };

    public static TheoryData<string, string, string> JsonSightingCases() => new()
    {
        { "mac_null", Sighting(("\"00:0d:3a:13:e3:69\"", "null")), "mac_address is missing" },
        { "mac_number", Sighting(("\"00:0d:3a:13:e3:69\"", "5")), "mac_address is a number" },
        { "mac_zero", Sighting(("00:0d:3a:13:e3:69", "00:00:00:00:00:00")), "is all zero" },
        { "unknown_key", Sighting(("\"vendor\"", "\"status\"")), "has the key 'status', which is no column; accepted are mac_address" },
        { "seen_twice", Sighting(("\"vendor\":\"Example\"", "\"last_seen\":1")), "names seen_at twice" },
        { "hostname_long", Sighting(("\"pc\"", $"\"{new string('h', 256)}\"")), "has 256 characters" },
        { "hostname_surrogate", Sighting(("\"pc\"", "\"\\ud800\"")), "half a surrogate pair" },
        { "address_text", Sighting(("10.0.1.6", "x")), "ip_address 'x' is not" },
        { "time_text", Sighting(("2024-04-19T00:00:01Z", "yesterday")), "seen_at 'yesterday' is not a time" },
        { "connection", JsonRow, "is a connection among sightings" },
        { "confidence_text", Sighting(("\"vendor\":\"Example\"", "\"confidence_score\":\"0.5\"")), "confidence_score is a text; accepted is a number" },
        { "confidence_high", Sighting(("\"vendor\":\"Example\"", "\"confidence_score\":1.01")), "confidence_score 1.01 is out of range" },
        { "metadata_text", Sighting(("\"vendor\":\"Example\"", "\"metadata\":\"{}\"")), "metadata is a text; accepted is a JSON object" },
        { "metadata_nul", Sighting(("\"vendor\":\"Example\"", "\"metadata\":{\"x\":[\"\\u0000\"]}")), "with NUL" },
        { "score_of_a_connection", Sighting(("\"vendor\"", "\"threat_score\"")), "has the key 'threat_score', which is no column; accepted are mac_address" },
    };

    [Theory]
    [MemberData(nameof(ArpCases))]
    [MemberData(nameof(DhcpCases))]
    public Task Sighting_line_is_rejected_with_its_reason(string name, string line, string reason)
        => AssertRejectedAsync(name, "", Logs.GoodArp, line, reason);

    [Theory]
    [MemberData(nameof(DhcpTsvCases))]
    public Task Zeek_dhcp_row_is_rejected_with_its_reason(string name, string line, string reason)
        => AssertRejectedAsync(name, DhcpHeader, DhcpRow, line, reason);

    [Theory]
    [MemberData(nameof(CsvCases))]
    public Task Csv_record_is_rejected_with_its_reason(string name, string line, string reason)
        => AssertRejectedAsync(name, string.Join(',', CsvColumns) + "\n", Csv(), line, reason);

    [Theory]
    [MemberData(nameof(CsvSightingCases))]
    public Task Csv_sighting_is_rejected_with_its_reason(string name, string line, string reason)
        => AssertRejectedAsync(
            name, "mac_address,ip_address,hostname,vendor,device_type,seen_at,source,confidence_score,metadata\n",
            "00:0d:3a:13:e3:69,10.0.0.1,pc,Example,desktop,1,mdns,0.5,{}", line.Count(c => c == ',') == 6 ? line + ",," : line, reason);

    [Theory]
    [MemberData(nameof(JsonCases))]
    public Task Json_by_column_is_rejected_with_its_reason(string name, string line, string reason)
        => AssertRejectedAsync(name, "", JsonRow, line, reason);

    [Theory]
    [MemberData(nameof(JsonSightingCases))]
    public Task Json_sighting_is_rejected_with_its_reason(string name, string line, string reason)
        => AssertRejectedAsync(name, "", JsonSighting, line, reason);

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    public async Task Broken_utf8_is_rejected(string format)
    {
        var (start, good, bad) = format == "csv"
            ? (string.Join(',', CsvColumns) + "\n", Csv(), Csv(("dst_org", "a\u00ffb")))
            : ("", JsonRow, Json(("Example", "a\u00ffb")));
        byte[] bytes = [.. Encoding.UTF8.GetBytes(start + good + "\n"), .. Encoding.Latin1.GetBytes(bad + "\n"), .. Encoding.UTF8.GetBytes(good)];
        var reading = await Logs.ReadAsync(bytes);

        Assert.Equal(2, reading.Stored.Count);
        Assert.Contains("is not UTF-8", Assert.Single(reading.Rejections).Reason, StringComparison.Ordinal);
        Assert.Equal(Encoding.Latin1.GetBytes(bad), reading.Lines[1].Raw.ToArray());
    }

    [Theory]
    [InlineData("""{"colour":"red"}""")]
    [InlineData("{}")]
    public async Task First_line_of_no_kind_names_the_kinds(string line)
    {
        var reading = await Logs.ReadAsync(line + "\n" + Logs.GoodArp);

        Assert.Single(reading.Sightings);
        Assert.Contains("id.resp_h (Zeek's conn), mac (DHCP), orig_hw (ARP), dst_ip", Assert.Single(reading.Rejections).Reason, StringComparison.Ordinal);
    }

    private static string Arp(params (string, string)[] changes) => Logs.Change(Logs.GoodArp, changes);

    private static string Dhcp(params (string, string)[] changes) => Logs.Change(Logs.GoodDhcp, changes);

    private static string Json(params (string, string)[] changes) => Logs.Change(JsonRow, changes);

    private static string Sighting(params (string, string)[] changes) => Logs.Change(JsonSighting, changes);

    private static string Csv(params (string Column, string Value)[] changes)
    {
        var values = (string[])CsvValues.Clone();
        foreach (var (column, value) in changes)
            values[Array.IndexOf(CsvColumns, column)] = value;
        return string.Join(',', values);
    }

    private static string Quoted(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private static async Task AssertRejectedAsync(string name, string header, string good, string bad, string reason)
    {
        _ = name;
        var reading = await Logs.ReadAsync($"{header}{good}\n{bad}\n{good}\n");

        Assert.Null(reading.Error);
        Assert.Equal(2, reading.Stored.Count + reading.Sightings.Count);
        Assert.Equal(3, reading.Lines.Count);
        var rejection = Assert.Single(reading.Rejections);
        Assert.Equal(header.Count(c => c == '\n') + 2, rejection.LineNumber);
        Assert.Contains(reason, rejection.Reason, StringComparison.Ordinal);
        Assert.InRange(rejection.Reason.Length, 1, 700);
        Assert.InRange(rejection.Excerpt.Length, 1, RejectedLine.MaxExcerptLength + 12);
        Assert.DoesNotContain(rejection.Reason + rejection.Excerpt, char.IsControl);
        if (reading.Lines[1].RawLength <= 1024 * 1024)
            Assert.Equal(bad, Encoding.UTF8.GetString(reading.Lines[1].Raw.Span));
    }
}
