using System.Net;
using CobaltGraph.Data.Queries;
using CobaltGraph.Data.Queries.Catalogue;
using CobaltGraph.Model;
using Npgsql;

namespace CobaltGraph.Benchmarks.Queries;

/// <summary>
/// Pages of connections by hand: the plain statement, and one that begins with the destinations or devices of the conditions
/// where there are such. Nobody knows beforehand which is the faster for a value; whoever compares takes the faster.
/// </summary>
internal static class ConnectionSql
{
    /// <summary>Up to how many are counted.</summary>
    public const int CountCap = 10_000;

    private const int PageSize = PageRequest.DefaultLimit;

    public static HandQuery Of(SearchArguments search)
    {
        List<SqlQuery> shapes = [];
        if (AsksDestinations(search.Filter))
            shapes.Add(ByDestination(search));
        if (search.Filter is { Source: not null, Devices: null })
            shapes.Add(BySource(search));
        shapes.Add(Plain(search));
        return new HandQuery<Connection, MappedConnection>(shapes, Map, row => $"{row.Id}") { PageSize = PageSize };
    }

    /// <summary>The original's way: the same conditions on its table, and a page by counting rows.</summary>
    public static SqlQuery OfOriginal(SearchArguments search)
    {
        var values = new SqlQuery.Builder();
        return values.Build(
            $"""
            SELECT * FROM connections
            WHERE {string.Join(" AND ", Conditions(search.Filter, values, original: true))}
            ORDER BY "timestamp" DESC
            LIMIT {PageSize} OFFSET {(search.After is null ? 0 : PageSize)}
            """);
    }

    /// <summary>How many rows there are, up to the cap; the estimate beyond it is left to the query layer.</summary>
    public static HandQuery Count(ConnectionFilter filter)
    {
        var search = new SearchArguments(filter);
        List<SqlQuery> shapes = [];
        if (AsksDestinations(filter))
            shapes.Add(Counted(values => $"dst_ip IN (SELECT dst_ip FROM destinations WHERE {Said(filter, values)}) AND {Where(search, values)}"));
        shapes.Add(Counted(values => Where(search, values)));
        return new HandQuery<long, long>(shapes, row => row.GetInt64(0), count => $"{Math.Min(count, CountCap)}");

        static SqlQuery Counted(Func<SqlQuery.Builder, string> where)
        {
            var values = new SqlQuery.Builder();
            return values.Build($"SELECT count(*) FROM (SELECT FROM connections AS c WHERE {where(values)} LIMIT {CountCap + 1}) AS n");
        }
    }

    private static bool AsksDestinations(ConnectionFilter filter)
        => filter.Country is not null || filter.Organization is not null || filter.Hostname is not null || filter.Ports is not null
           || filter.Protocol is not null || filter.Destination is { } network && !IsOne(network);

    private static SqlQuery Plain(SearchArguments search)
    {
        var values = new SqlQuery.Builder();
        return values.Build($"SELECT {Columns} FROM connections AS c WHERE {Where(search, values)} {OrderAndLimit}");
    }

    private static SqlQuery ByDestination(SearchArguments search)
    {
        var values = new SqlQuery.Builder();
        var filter = search.Filter;
        var known = $"SELECT DISTINCT dst_ip FROM destinations WHERE {Said(filter, values)}";
        if (filter.Devices is { } devices)
        {
            known = $"SELECT dst_ip FROM ({known}) AS k WHERE EXISTS (SELECT FROM device_destinations AS e "
                + $"WHERE e.dst_ip = k.dst_ip AND e.src_mac = {values.Add(devices[0])})";
        }

        return values.Build(
            $"""
            SELECT {Columns}
            FROM ({known}) AS d
            CROSS JOIN LATERAL (
                SELECT * FROM connections AS c WHERE c.dst_ip = d.dst_ip AND {Where(search, values)} {OrderAndLimit}
            ) AS c
            {OrderAndLimit}
            """);
    }

    // What destinations tell of the connections to them.
    private static string Said(ConnectionFilter filter, SqlQuery.Builder values)
    {
        List<string> said = [];
        if (filter.Destination is { } network)
            said.Add(IsOne(network) ? $"dst_ip = {values.Add(network.BaseAddress)}" : $"dst_ip <<= {values.Add(network)}");
        if (filter.Ports is [var port])
            said.Add($"dst_port = {values.Add(port.First)}");
        if (filter.Protocol is { } protocol)
            said.Add($"protocol = {values.Add(protocol)}");
        if (filter.Country is { } country)
            said.Add($"dst_country = {values.Add(country)}");
        if (filter.Organization is { } organization)
            said.Add($"dst_org ILIKE {values.Add($"%{organization}%")}");
        if (filter.Hostname is { } hostname)
            said.Add($"dst_hostname ILIKE {values.Add($"%{hostname}%")}");
        return string.Join(" AND ", said);
    }

    private static SqlQuery BySource(SearchArguments search)
    {
        var values = new SqlQuery.Builder();
        var network = search.Filter.Source!.Value;
        var source = IsOne(network) ? $"= {values.Add(network.BaseAddress)}" : $"<<= {values.Add(network)}";
        var where = Where(search, values);
        return values.Build(
            $"""
            SELECT {Columns}
            FROM (
                SELECT k.*
                FROM (SELECT DISTINCT mac_address FROM device_addresses WHERE source = 'traffic' AND ip_address {source}) AS d
                CROSS JOIN LATERAL (
                    SELECT * FROM connections AS c WHERE c.src_mac = d.mac_address AND {where} {OrderAndLimit}
                ) AS k
                UNION ALL
                (SELECT * FROM connections AS c WHERE c.src_mac IS NULL AND {where} {OrderAndLimit})
            ) AS c
            {OrderAndLimit}
            """);
    }

    private const string Columns =
        """
        c.id, c."timestamp", c.src_mac, c.src_ip, c.src_port, c.dst_ip, c.dst_port, c.protocol, c.dst_country, c.dst_lat, c.dst_lon,
        c.dst_org, c.dst_hostname, c.threat_score, c.threat_category, c.bytes_sent, c.bytes_received, c.duration, c.metadata::text AS metadata
        """;

    private static readonly string OrderAndLimit = $"ORDER BY c.\"timestamp\" DESC, c.id DESC LIMIT {PageSize + 1}";

    private static string Where(SearchArguments search, SqlQuery.Builder values)
    {
        var conditions = Conditions(search.Filter, values, original: false);
        if (search.After is { } after)
            conditions.Add($"(c.\"timestamp\", c.id) < ({values.Add(after.Timestamp)}, {values.Add(after.Id)})");
        return string.Join(" AND ", conditions);
    }

    private static List<string> Conditions(ConnectionFilter filter, SqlQuery.Builder values, bool original)
    {
        List<string> conditions = ["true"];
        if (filter.From is { } from)
            conditions.Add($"\"timestamp\" >= {values.Add(from)}");
        if (filter.Until is { } until)
            conditions.Add($"\"timestamp\" < {values.Add(until)}");
        if (filter.Devices is [var mac])
            conditions.Add($"src_mac = {(original ? values.Add(mac.ToString()) : values.Add(mac))}");
        if (filter.Source is { } source)
            conditions.Add(IsOne(source) ? $"src_ip = {values.Add(source.BaseAddress)}" : $"src_ip <<= {values.Add(source)}");
        if (filter.Destination is { } destination)
            conditions.Add(IsOne(destination) ? $"dst_ip = {values.Add(destination.BaseAddress)}" : $"dst_ip <<= {values.Add(destination)}");
        if (filter.Ports is [var port])
            conditions.Add($"dst_port = {values.Add(port.First)}");
        if (filter.Protocol is { } protocol)
            conditions.Add($"protocol = {values.Add(protocol)}");
        if (filter.Country is { } country)
            conditions.Add($"dst_country = {values.Add(country)}");
        if (filter.Organization is { } organization)
            conditions.Add($"dst_org ILIKE {values.Add($"%{organization}%")}");
        if (filter.Hostname is { } hostname)
            conditions.Add($"dst_hostname ILIKE {values.Add($"%{hostname}%")}");
        if (filter.Levels is [var level])
        {
            var least = level switch { ThreatLevel.Low => 0f, ThreatLevel.Medium => 2f, ThreatLevel.High => 4f, _ => 7f };
            var below = level switch { ThreatLevel.Low => 2f, ThreatLevel.Medium => 4f, ThreatLevel.High => 7f, _ => float.PositiveInfinity };
            // As literals: the index on scores has a condition, which is proved from constants only.
            conditions.Add(FormattableString.Invariant($"threat_score >= {least}::real"));
            if (float.IsFinite(below))
                conditions.Add(FormattableString.Invariant($"threat_score < {below}::real"));
        }

        if (filter.MinScore is { } score)
            conditions.Add(FormattableString.Invariant($"threat_score >= {score}::real"));
        if (filter.Category is { } category)
            conditions.Add($"threat_category = {values.Add(category)}");
        if (filter.Metadata is { } metadata)
            conditions.Add($"metadata @> {values.Add(metadata)}::text::jsonb");
        return conditions;
    }

    private static bool IsOne(IPNetwork network) => network.PrefixLength == network.BaseAddress.GetAddressBytes().Length * 8;

    private static Connection Map(NpgsqlDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Timestamp = row.GetFieldValue<DateTimeOffset>(1),
        SrcMac = RowValue.Mac(row, 2),
        SrcIp = RowValue.Address(row, 3),
        SrcPort = RowValue.Of<int>(row, 4),
        DstIp = row.GetFieldValue<IPAddress>(5),
        DstPort = row.GetInt32(6),
        Protocol = RowValue.Text(row, 7),
        DstCountry = RowValue.Text(row, 8),
        DstLat = RowValue.Of<float>(row, 9),
        DstLon = RowValue.Of<float>(row, 10),
        DstOrg = RowValue.Text(row, 11),
        DstHostname = RowValue.Text(row, 12),
        ThreatScore = row.GetFloat(13),
        ThreatCategory = RowValue.Text(row, 14),
        BytesSent = RowValue.Of<long>(row, 15),
        BytesReceived = RowValue.Of<long>(row, 16),
        Duration = RowValue.Of<TimeSpan>(row, 17),
        Metadata = MetadataJson.Read<ConnectionMetadata>(row.GetString(18)),
    };
}
